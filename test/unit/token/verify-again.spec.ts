import { beforeEach, describe, expect, it } from '@jest/globals';
import { AuthError, type AuthOptions } from '../../../src/index.js';
import { KeySet } from '../../../src/keys/key-set.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { TrustedIssuers } from '../../../src/token/trusted-issuers.js';
import { AccessTokenVerifier } from '../../../src/token/access-token-verifier.js';
import { newKey, signToken } from '../../support/local-issuer.js';
import { outcomeOf } from '../../support/verifier.js';

const ISSUER = 'https://issuer.example.com/';
const AUDIENCE = 'https://api.example.com';
const START = 1_700_000_000;
const key = newKey('ed25519', { kid: 'a' });

/** Counts how often a key was looked up to verify with: as often as a signature is verified. */
class CountingKeySet extends KeySet {
  verified = 0;

  override candidates(kid: string | undefined) {
    this.verified += 1;
    return super.candidates(kid);
  }
}

let now: number;
let keySet: CountingKeySet;

beforeEach(() => {
  now = START;
  keySet = new CountingKeySet([key.jwk]);
});

function verifierWith(options: Partial<AuthOptions> = {}): AccessTokenVerifier {
  const resolved = resolveOptions({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { from: 'jwks', uri: ISSUER },
    clock: () => now * 1000,
    ...options,
  } as AuthOptions);
  const sources = { create: () => ({ keySetFor: () => keySet, current: () => keySet }), release: () => undefined };
  return new AccessTokenVerifier(new TrustedIssuers(resolved.issuers, sources), resolved.clock, resolved.tokenCache);
}

const tokenWith = (claims: Record<string, unknown> = {}, by = key) =>
  signToken({ alg: 'EdDSA', kid: 'a' }, { iss: ISSUER, aud: AUDIENCE, exp: START + 600, ...claims }, by.privateKey);

/** Verified often enough to be remembered. */
async function known(verifier: AccessTokenVerifier, token = tokenWith()): Promise<string> {
  for (let turn = 0; turn < 3; turn += 1) await verifier.verify(token);
  return token;
}

describe('A token that was verified before', () => {
  it('costs no signature any more from the third time on', async () => {
    const verifier = verifierWith();
    const token = tokenWith({ sub: 'alice', scope: 'a b' });
    for (let turn = 0; turn < 10; turn += 1) {
      expect(await verifier.verify(token)).toMatchObject({ claims: { sub: 'alice' }, scopes: ['a', 'b'] });
    }
    expect(keySet.verified).toBe(2);
  });

  it('costs one each time with tokenCache: false', async () => {
    const verifier = verifierWith({ tokenCache: false });
    const token = tokenWith();
    for (let turn = 0; turn < 5; turn += 1) await verifier.verify(token);
    expect(keySet.verified).toBe(5);
  });

  it('gives the token itself, as it was sent, and an object of its own', async () => {
    const verifier = verifierWith();
    const token = await known(verifier);
    const [first, second] = [await verifier.verify(token), await verifier.verify(token)];
    expect(first).not.toBe(second);
    expect([first.token, second.token]).toEqual([token, token]);
    expect(Object.isFrozen(first.claims)).toBe(true);
  });

  it('is refused once it has expired (TOKEN_EXPIRED)', async () => {
    const verifier = verifierWith({ tokenCache: { maxAgeSeconds: 86_400 } });
    const token = await known(verifier);
    now = START + 604;
    expect(await outcomeOf(verifier.verify(token))).toBe('accepted');
    now = START + 605;
    expect(await outcomeOf(verifier.verify(token))).toBe('TOKEN_EXPIRED');
  });

  it('is refused once it is too old (TOKEN_TOO_OLD), or when the clock was set back (TOKEN_NOT_YET_VALID)', async () => {
    const verifier = verifierWith({ maxTokenAgeSeconds: 100, tokenCache: { maxAgeSeconds: 86_400 } });
    const token = await known(verifier, tokenWith({ iat: START, nbf: START }));
    now = START + 106;
    expect(await outcomeOf(verifier.verify(token))).toBe('TOKEN_TOO_OLD');
    now = START - 6;
    expect(await outcomeOf(verifier.verify(token))).toBe('TOKEN_NOT_YET_VALID');
  });

  it('is verified again by the set that is in service, when that is another one', async () => {
    const verifier = verifierWith();
    const token = await known(verifier);
    keySet = new CountingKeySet([key.jwk]);
    expect(await outcomeOf(verifier.verify(token))).toBe('accepted');
    expect(keySet.verified).toBe(1);
    await verifier.verify(token);
    expect(keySet.verified).toBe(1);
  });

  it('is refused at once when its key is withdrawn (KEY_UNKNOWN), or replaced under its name (SIGNATURE_INVALID)', async () => {
    const verifier = verifierWith();
    const token = await known(verifier);
    keySet = new CountingKeySet([newKey('ed25519', { kid: 'b' }).jwk]);
    expect(await outcomeOf(verifier.verify(token))).toBe('KEY_UNKNOWN');
    keySet = new CountingKeySet([newKey('ed25519', { kid: 'a' }).jwk]);
    expect(await outcomeOf(verifier.verify(token))).toBe('SIGNATURE_INVALID');
  });

  it('is refused at once when its tenant is gone, or has other rules now', async () => {
    let options: object | undefined = { issuer: ISSUER, audience: AUDIENCE, keys: { from: 'jwks', uri: ISSUER } };
    const verifier = verifierWith({
      issuer: undefined,
      audience: undefined,
      keys: undefined,
      issuers: () => options as never,
    });
    const token = await known(verifier);
    options = { ...options, audience: 'other' };
    expect(await outcomeOf(verifier.verify(token))).toBe('AUDIENCE_MISMATCH');
    options = { ...options, audience: AUDIENCE, algorithms: ['RS256'] };
    expect(await outcomeOf(verifier.verify(token))).toBe('ALGORITHM_NOT_ALLOWED');
    options = undefined;
    expect(await outcomeOf(verifier.verify(token))).toBe('ISSUER_UNTRUSTED');
  });

  it('goes through `validate` each time', async () => {
    let isLocked = false;
    const verifier = verifierWith({
      validate: () => {
        if (isLocked) throw new AuthError('POLICY_DENIED');
        return true;
      },
    });
    const token = await known(verifier);
    isLocked = true;
    expect(await outcomeOf(verifier.verify(token))).toBe('POLICY_DENIED');
  });
});

describe('A token that was refused', () => {
  it('is never remembered, whatever it was refused for', async () => {
    const verifier = verifierWith();
    const forged = tokenWith({}, newKey('ed25519'));
    const misdirected = tokenWith({ aud: 'other' });
    for (let turn = 0; turn < 5; turn += 1) {
      expect(await outcomeOf(verifier.verify(forged))).toBe('SIGNATURE_INVALID');
      expect(await outcomeOf(verifier.verify(misdirected))).toBe('AUDIENCE_MISMATCH');
    }
    expect(keySet.verified).toBe(10);
  });

  it('does not push a good one out, however many there are', async () => {
    const verifier = verifierWith({ tokenCache: { maxEntries: 1 } });
    const token = await known(verifier);
    const before = keySet.verified;
    for (let index = 0; index < 50; index += 1) {
      await outcomeOf(verifier.verify(tokenWith({ jti: String(index) }, newKey('ed25519'))));
    }
    await verifier.verify(token);
    expect(keySet.verified).toBe(before + 50);
  });
});

it.each([undefined, null, 7, '', 'x'.repeat(40_000)])(
  'verify refuses what is no token, remembered or not',
  async (token) => {
    expect(['TOKEN_MALFORMED', 'TOKEN_TOO_LARGE']).toContain(await outcomeOf(verifierWith().verify(token as string)));
  },
);
