import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { AuthError, type IssuerOptions, type VerifiedAccessToken } from '../../../src/index.js';
import { type KeyKind, newKey, signText, signToken, type TestKey } from '../../support/local-issuer.js';
import { outcomeOf, verifierOf } from '../../support/verifier.js';

const ISSUER = 'https://issuer.example.com/';
const AUDIENCE = 'https://api.example.com';
const NOW = 1_700_000_000;
const key = newKey();

function verifierWith(options: Partial<IssuerOptions> = {}, keys: readonly TestKey[] = [key]) {
  return verifierOf({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { from: 'static', jwks: { keys: keys.map(({ jwk }) => jwk) as never } },
    clock: () => NOW * 1000,
    ...options,
  });
}

const claimsWith = (claims: Record<string, unknown>) => ({ iss: ISSUER, aud: AUDIENCE, exp: NOW + 60, ...claims });

function tokenWith(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
  return signToken({ alg: 'RS256', kid: key.kid, ...header }, claimsWith(claims), key.privateKey);
}

const outcome = (claims: Record<string, unknown>, options?: Partial<IssuerOptions>) =>
  outcomeOf(verifierWith(options).verify(tokenWith(claims)));

describe('times, to the second', () => {
  it.each([
    ['exp', NOW + 1, 0, 'accepted'],
    ['exp', NOW, 0, 'TOKEN_EXPIRED'],
    ['exp', NOW - 4, 5, 'accepted'],
    ['exp', NOW - 5, 5, 'TOKEN_EXPIRED'],
    ['exp', NOW + 0.5, 0, 'accepted'],
    ['nbf', NOW, 0, 'accepted'],
    ['nbf', NOW + 1, 0, 'TOKEN_NOT_YET_VALID'],
    ['nbf', NOW + 5, 5, 'accepted'],
    ['nbf', NOW + 6, 5, 'TOKEN_NOT_YET_VALID'],
    ['iat', NOW, 0, 'accepted'],
    ['iat', NOW + 5, 5, 'accepted'],
    ['iat', NOW + 6, 5, 'TOKEN_NOT_YET_VALID'],
  ])('%s %d with a tolerance of %d s: %s', async (claim, time, clockToleranceSeconds, expected) => {
    expect(await outcome({ [claim]: time }, { clockToleranceSeconds })).toBe(expected);
  });

  it('tolerates five seconds by default', async () => {
    expect(await outcome({ exp: NOW - 4 })).toBe('accepted');
    expect(await outcome({ exp: NOW - 5 })).toBe('TOKEN_EXPIRED');
  });

  it.each([
    [NOW - 600, 'accepted'],
    [NOW - 605, 'accepted'],
    [NOW - 606, 'TOKEN_TOO_OLD'],
    [undefined, 'CLAIM_MISSING'],
    ['600', 'CLAIM_INVALID'],
  ])('maxTokenAgeSeconds 600 with iat %s: %s', async (iat, expected) => {
    expect(await outcome({ iat }, { maxTokenAgeSeconds: 600 })).toBe(expected);
  });
});

describe('every check', () => {
  const LOGOUT_EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const deep = JSON.parse(`${'['.repeat(65)}${']'.repeat(65)}`) as unknown;

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['HEADER_CRITICAL', {}, { crit: ['b64'] }],
    ['HEADER_CRITICAL', {}, { crit: null }],
    ['TYPE_NOT_ALLOWED', {}, { typ: 'logout+jwt' }],
    ['TOKEN_MALFORMED', {}, { kid: null }],
    ['KEY_UNKNOWN', {}, { kid: 'unknown' }],
    ['TOKEN_EXPIRED', { exp: NOW - 60 }, {}],
    ['CLAIM_MISSING', { exp: undefined }, {}],
    ['TOKEN_NOT_YET_VALID', { nbf: NOW + 60 }, {}],
    ['TOKEN_NOT_YET_VALID', { iat: NOW + 60 }, {}],
    ['CLAIM_MISSING', { iss: undefined }, {}],
    ['CLAIM_INVALID', { iss: [ISSUER] }, {}],
    ['ISSUER_UNTRUSTED', { iss: ISSUER.slice(0, -1) }, {}],
    ['CLAIM_MISSING', { aud: undefined }, {}],
    ['AUDIENCE_MISMATCH', { aud: 'other' }, {}],
    ['TYPE_NOT_ALLOWED', { at_hash: 'x' }, {}],
    ['TYPE_NOT_ALLOWED', { token_use: 'refresh' }, {}],
    ['TYPE_NOT_ALLOWED', { typ: 'Refresh' }, {}],
    ['TYPE_NOT_ALLOWED', { events: LOGOUT_EVENTS }, {}],
    ['CLAIM_INVALID', { sub: 7 }, {}],
    ['CLAIM_INVALID', { scope: {} }, {}],
    ['BINDING_UNPROVEN', { cnf: { jkt: 'x' } }, {}],
    ['BINDING_UNPROVEN', { cnf: null }, {}],
    ['TOKEN_MALFORMED', { deep }, {}],
  ])('is made: %s for the claims %j and the header %j', async (code, claims, header) => {
    expect(await outcomeOf(verifierWith().verify(tokenWith(claims, header)))).toBe(code);
    expect(await outcomeOf(verifierWith().verify(tokenWith()))).toBe('accepted');
  });

  it.each([42, 0, {}, [{}], ['read', null], null, true, false])(
    'is made: a scope that is %j is refused (CLAIM_INVALID)',
    async (scope) => {
      expect(await outcome({ scope })).toBe('CLAIM_INVALID');
    },
  );

  it.each(['read write', '', ['read', 'write'], []])('lets a scope through that is %j', async (scope) => {
    expect(await outcome({ scope })).toBe('accepted');
  });
});

describe('a clock that tells no time', () => {
  it.each([NaN, undefined, 'now', {}])('and says %p lets no token in (TOKEN_EXPIRED)', async (now) => {
    const verifier = verifierOf({
      issuer: ISSUER,
      audience: AUDIENCE,
      keys: { from: 'static', jwks: { keys: [key.jwk as never] } },
      clock: () => now as number,
    });
    expect(await outcomeOf(verifier.verify(tokenWith({ exp: 250_000_000_000 })))).toBe('TOKEN_EXPIRED');
  });
});

describe("the issuers' resolver", () => {
  const asked: string[] = [];
  const verifier = verifierOf({
    issuers: (issuer) => {
      asked.push(issuer);
      return undefined;
    },
    clock: () => NOW * 1000,
  });
  const unsigned = (alg: unknown, header: Record<string, unknown> = {}) =>
    `${[{ alg, ...header }, claimsWith({})].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

  it.each(['none', 'None', 'HS256', 'HS384', 'HS512', 'RS1', '', null, undefined])(
    'is not asked about a token that names the algorithm %p (ALGORITHM_NOT_ALLOWED)',
    async (alg) => {
      expect(await outcomeOf(verifier.verify(unsigned(alg)))).toBe('ALGORITHM_NOT_ALLOWED');
      expect(asked).toEqual([]);
    },
  );

  it('is not asked about a token that has a critical extension or names no issuer', async () => {
    expect(await outcomeOf(verifier.verify(unsigned('RS256', { crit: [] })))).toBe('HEADER_CRITICAL');
    expect(await outcomeOf(verifier.verify(tokenWith({ iss: undefined })))).toBe('CLAIM_MISSING');
    expect(await outcomeOf(verifier.verify(tokenWith({ iss: {} })))).toBe('CLAIM_INVALID');
    expect(asked).toEqual([]);
  });

  it('is asked about the issuer of any other', async () => {
    expect(await outcomeOf(verifier.verify(unsigned('RS256')))).toBe('ISSUER_UNTRUSTED');
    expect(asked).toEqual([ISSUER]);
  });
});

describe('required claims', () => {
  it.each([
    [{ tenant: 'acme' }, 'accepted'],
    [{ tenant: '' }, 'accepted'],
    [{ tenant: null }, 'CLAIM_MISSING'],
    [{}, 'CLAIM_MISSING'],
  ])('with %j: %s', async (claims, expected) => {
    expect(await outcome(claims, { requiredClaims: ['tenant'] })).toBe(expected);
  });

  it('are not found in what every object inherits', async () => {
    expect(await outcome({}, { requiredClaims: ['toString'] })).toBe('CLAIM_MISSING');
  });
});

describe('claims that name somebody', () => {
  it.each(['sub', 'jti', 'client_id', 'azp'])(
    'refuses a token whose %s is no string (CLAIM_INVALID)',
    async (claim) => {
      for (const value of [7, null, {}, ['x'], true]) expect(await outcome({ [claim]: value })).toBe('CLAIM_INVALID');
      expect(await outcome({ [claim]: 'x' })).toBe('accepted');
    },
  );
});

describe('the validate option', () => {
  it.each([
    ['returns true', () => true, 'accepted'],
    ['returns false', () => false, 'CLAIM_INVALID'],
    ['returns false later', () => Promise.resolve(false), 'CLAIM_INVALID'],
    ['rejects with an AuthError', () => Promise.reject(new AuthError('POLICY_DENIED')), 'POLICY_DENIED'],
  ] satisfies [string, IssuerOptions['validate'], string][])('that %s: %s', async (_what, validate, expected) => {
    expect(await outcome({}, { validate })).toBe(expected);
  });

  it.each([false, undefined, null, 0, 1, '', 'no', 'true', NaN, {}, [], new Boolean(true)])(
    'rejects the token if it returns %p, directly or in a promise (CLAIM_INVALID)',
    async (verdict) => {
      for (const answer of [verdict, Promise.resolve(verdict)]) {
        const validate = (() => answer) as unknown as NonNullable<IssuerOptions['validate']>;
        expect(await outcome({}, { validate })).toBe('CLAIM_INVALID');
      }
    },
  );

  it('accepts the token if it returns true, directly or in a promise', async () => {
    expect(await outcome({}, { validate: () => true })).toBe('accepted');
    expect(await outcome({}, { validate: () => Promise.resolve(true) })).toBe('accepted');
  });

  it('that throws an AuthError has this very refusal thrown on', async () => {
    const refusal = new AuthError('POLICY_DENIED', { scope: 'orders' });
    const refuse = () => {
      throw refusal;
    };
    for (const validate of [refuse, () => Promise.reject(refusal)]) {
      await expect(verifierWith({ validate }).verify(tokenWith())).rejects.toBe(refusal);
    }
  });

  it('receives the verified token after every other check', async () => {
    const calls: VerifiedAccessToken[] = [];
    const validate = (token: VerifiedAccessToken) => calls.push(token) > 0;
    const verifier = verifierWith({ validate, requiredClaims: ['tenant'] });
    expect(await outcomeOf(verifier.verify(tokenWith()))).toBe('CLAIM_MISSING');
    expect(calls).toEqual([]);
    expect([await verifier.verify(tokenWith({ tenant: 'acme' }))]).toEqual(calls);
    expect(calls).toMatchObject([{ claims: claimsWith({ tenant: 'acme' }), header: { alg: 'RS256', kid: key.kid } }]);
  });

  it('that fails otherwise is an error of the application, thrown on as it is', async () => {
    const failure = new TypeError('a mistake');
    const verifier = verifierWith({ validate: () => Promise.reject(failure) });
    await expect(verifier.verify(tokenWith())).rejects.toBe(failure);
  });
});

describe('every algorithm', () => {
  const rows: [string, KeyKind][] = [
    ['RS256', 'rsa'],
    ['RS384', 'rsa'],
    ['RS512', 'rsa'],
    ['PS256', 'rsa'],
    ['PS384', 'rsa'],
    ['PS512', 'rsa'],
    ['ES256', 'p-256'],
    ['ES384', 'p-384'],
    ['ES512', 'p-521'],
    ['EdDSA', 'ed25519'],
    ['Ed25519', 'ed25519'],
  ];
  const oneOfEach = () =>
    Object.fromEntries([...new Set(rows.map(([, kind]) => kind))].map((kind) => [kind, newKey(kind)])) as Record<
      KeyKind,
      TestKey
    >;
  const [signers, others] = [oneOfEach(), oneOfEach()];

  it.each(rows)('%s accepts the signature of its key and no other', async (alg, kind) => {
    const [signer, other] = [signers[kind], others[kind]];
    const make = (by: TestKey) => signToken({ alg, kid: signer.kid }, claimsWith({}), by.privateKey);
    const verifier = verifierWith({}, [signer]);
    expect(await outcomeOf(verifier.verify(make(signer)))).toBe('accepted');
    expect(await outcomeOf(verifier.verify(make(other)))).toBe('SIGNATURE_INVALID');
    const [header, payload, text = ''] = make(signer).split('.');
    const signature = Buffer.from(text, 'base64url');
    const longer = Buffer.concat([signature, Buffer.alloc(1)]);
    for (const changed of [signature.subarray(0, 0), signature.subarray(1), longer, Buffer.alloc(signature.length)]) {
      const token = [header, payload, changed.toString('base64url')].join('.');
      expect(await outcomeOf(verifier.verify(token))).toBe('SIGNATURE_INVALID');
    }
  });

  it.each(rows.slice(0, 6))('%s is refused without the leading zeros that it was made with', async (alg) => {
    const signer = signers.rsa;
    const verifier = verifierWith({}, [signer]);
    let parts: string[];
    let signature: Buffer;
    // One in 256 begins with a zero.
    do {
      parts = signToken({ alg, kid: signer.kid }, claimsWith({ jti: randomUUID() }), signer.privateKey).split('.');
      signature = Buffer.from(parts[2] ?? '', 'base64url');
    } while (signature[0] !== 0);
    expect(await outcomeOf(verifier.verify(parts.join('.')))).toBe('accepted');
    const shorter = [...parts.slice(0, 2), signature.subarray(1).toString('base64url')].join('.');
    expect(await outcomeOf(verifier.verify(shorter))).toBe('SIGNATURE_INVALID');
  });

  it.each(rows)('%s is accepted from a key that names it, and from none that names another', async (alg, kind) => {
    const { privateKey, jwk } = signers[kind];
    for (const [name] of rows) {
      const named = { kid: 'k', privateKey, jwk: { ...jwk, kid: 'k', alg: name } };
      const spare = newKey('p-256');
      const token = signToken({ alg, kid: 'k' }, claimsWith({}), privateKey);
      const expected = name === alg ? 'accepted' : 'KEY_UNSUITABLE';
      expect([name, await outcomeOf(verifierWith({}, [named, spare]).verify(token))]).toEqual([name, expected]);
    }
  });

  it.each(rows)('%s is refused where it is not allowed', async (alg, kind) => {
    const signer = signers[kind];
    const algorithms = rows.map(([name]) => name).filter((name) => name !== alg);
    const verifier = verifierWith({ algorithms: algorithms as never }, [signer]);
    const token = signToken({ alg, kid: signer.kid }, claimsWith({}), signer.privateKey);
    expect(await outcomeOf(verifier.verify(token))).toBe('ALGORITHM_NOT_ALLOWED');
  });
});

describe('which key', () => {
  it('tries every key that fits when the token names none, sixteen at most', async () => {
    const keys = Array.from({ length: 17 }, () => newKey('p-256'));
    const token = (by: TestKey | undefined) => signToken({ alg: 'ES256' }, claimsWith({}), (by ?? key).privateKey);
    const verifier = verifierWith({}, [newKey('ed25519'), ...keys]);
    expect(await outcomeOf(verifier.verify(token(keys[15])))).toBe('accepted');
    expect(await outcomeOf(verifier.verify(token(keys[16])))).toBe('SIGNATURE_INVALID');
  });

  it('tries both of two keys that share a kid', async () => {
    const [first, second] = [newKey('p-256', { kid: 'same' }), newKey('p-256', { kid: 'same' })];
    for (const by of [first, second]) {
      const token = signToken({ alg: 'ES256', kid: 'same' }, claimsWith({}), by.privateKey);
      expect(await outcomeOf(verifierWith({}, [first, second]).verify(token))).toBe('accepted');
    }
  });

  it('takes a key without a kid for a token with one, when no key has it', async () => {
    const nameless = newKey('p-256', { kid: undefined });
    const token = signToken({ alg: 'ES256', kid: 'any' }, claimsWith({}), nameless.privateKey);
    expect(await outcomeOf(verifierWith({}, [nameless]).verify(token))).toBe('accepted');
    const named = newKey('p-256', { kid: 'any' });
    expect(await outcomeOf(verifierWith({}, [nameless, named]).verify(token))).toBe('SIGNATURE_INVALID');
  });
});

describe('what verify returns', () => {
  const verified = (claims: Record<string, unknown> = {}, options?: Partial<IssuerOptions>) =>
    verifierWith(options).verify(tokenWith(claims));

  it('has the token, its header, its claims and its issuer', async () => {
    const token = tokenWith({ sub: 'alice' });
    const result = await verifierWith().verify(token);
    expect(result.token).toBe(token);
    expect(result.issuer).toBe(ISSUER);
    expect(result.header).toEqual({ alg: 'RS256', kid: key.kid });
    expect(result.claims).toEqual(claimsWith({ sub: 'alice' }));
  });

  it('shows no credential to whoever prints or serializes it', async () => {
    const result = await verified();
    const signature = result.token.split('.')[2] ?? '';
    expect(JSON.stringify(result)).not.toContain(signature);
    expect(inspect(result, { depth: 5, showHidden: true })).not.toContain(signature);
    expect({ ...result }).not.toHaveProperty('token');
  });

  it('cannot be changed, at any depth', async () => {
    const { claims, header, scopes } = await verified({ address: { city: 'Ulm' }, list: [{ a: 1 }], scope: 'a' });
    const { address, list } = claims as unknown as { address: object; list: object[] };
    for (const part of [claims, header, scopes, address, list, list[0]]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('reads scopes, roles and permissions where claimPaths say', async () => {
    const result = await verified(
      {
        scope: 'ignored',
        realm_access: { roles: ['r1'] },
        resource_access: { 'my.client': { roles: ['r2'] } },
        'https://example.com/roles': ['r3', 'r1'],
        rights: 'one right',
      },
      {
        claimPaths: {
          scopes: [],
          roles: ['realm_access.roles', ['resource_access', 'my.client', 'roles'], 'https://example.com/roles'],
          permissions: ['rights'],
        },
      },
    );
    expect([result.scopes, result.roles, result.permissions]).toEqual([[], ['r1', 'r2', 'r3'], ['one right']]);
  });

  it('has objects that copy without surprise', async () => {
    const payload = `${JSON.stringify(claimsWith({})).slice(0, -1)},"__proto__":{"admin":true},"a":{"__proto__":{"admin":true},"b":1}}`;
    const token = signText(JSON.stringify({ alg: 'RS256', kid: key.kid }), payload, 'RS256', key.privateKey);
    const { claims } = await verifierWith().verify(token);
    const copy = Object.assign({}, claims) as Record<string, unknown>;
    expect(copy.admin).toBeUndefined();
    expect((Object.assign({}, claims.a) as Record<string, unknown>).admin).toBeUndefined();
    expect(claims.a).toEqual({ b: 1 });
  });
});

describe('what is no token', () => {
  it.each([undefined, null, 7, {}, [], ['a.b.c'], Buffer.from('a.b.c')])(
    'refuses %p (TOKEN_MALFORMED)',
    async (value) => {
      expect(await outcomeOf(verifierWith().verify(value as string))).toBe('TOKEN_MALFORMED');
    },
  );
});
