import { describe, expect, it } from '@jest/globals';
import { importVerificationKey } from '../../src/keys/verification-key.js';
import { codeOf } from '../support/catching.js';
import { newKey, signToken } from '../support/local-issuer.js';
import { checkJws } from '../support/signature-layer.js';
import { readVectors } from '../support/vectors.js';
import { outcomeOf, verifierOf } from '../support/verifier.js';

type Jwk = Readonly<Record<string, unknown>>;

interface Example {
  readonly id: string;
  readonly jws?: string;
  readonly jwk?: Jwk;
  readonly header?: Jwk & { alg: string };
  readonly claims?: Readonly<Record<string, unknown>>;
}

interface Cookbook {
  readonly input: { readonly key: Jwk | readonly Jwk[] };
  readonly output: {
    readonly compact?: string;
    readonly json: {
      readonly payload?: string;
      readonly signatures: readonly {
        readonly protected?: string;
        readonly header?: Jwk;
        readonly signature: string;
      }[];
    };
  };
}

const { examples } = readVectors('rfc/rfc_examples.json') as { examples: readonly Example[] };
const cookbook = (name: string) => readVectors(`rfc/cookbook_${name}.json`) as Cookbook;

function example(id: string): Example & { readonly jws: string } {
  const found = examples.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no example ${id}`);
  return { ...found, jws: found.jws ?? '' };
}

/** The public part of a key. */
function publicHalf(jwk: Jwk): Jwk {
  const secret = ['d', 'p', 'q', 'dp', 'dq', 'qi'];
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !secret.includes(name)));
}

/** The JWS with one bit of its signature flipped. */
function flipped(jws: string): string {
  const at = jws.lastIndexOf('.') + 1;
  const signature = Buffer.from(jws.slice(at), 'base64url');
  signature[0] = (signature[0] ?? 0) ^ 1;
  return jws.slice(0, at) + signature.toString('base64url');
}

describe('The examples of the RFCs', () => {
  const strangers = (['rsa', 'p-256', 'p-521', 'ed25519'] as const).map((kind) => newKey(kind).jwk);
  const signed = ['rfc7515-A.2', 'rfc7515-A.3', 'rfc7515-A.4', 'rfc8037-A.4', 'rfc9449-fig2', 'rfc9449-fig13'];
  const refused: Record<string, string> = {
    'rfc7515-A.1': 'ALGORITHM_NOT_ALLOWED',
    'rfc7515-A.5': 'ALGORITHM_NOT_ALLOWED',
    'rfc7515-E': 'HEADER_CRITICAL',
  };
  // The certificate is not used yet. Figure 2 of RFC 9068 is signed below.
  const others = ['rfc8705-appA', 'rfc9068-fig2'];

  it('are all tested', () => {
    expect(examples.map(({ id }) => id).sort()).toEqual([...signed, ...Object.keys(refused), ...others].sort());
  });

  it.each(signed)('%s verifies, but not with one bit flipped or another key', (id) => {
    const { jws, jwk } = example(id);
    expect(codeOf(() => checkJws(jws, [jwk]))).toBeUndefined();
    expect(codeOf(() => checkJws(flipped(jws), [jwk]))).toBe('SIGNATURE_INVALID');
    expect(codeOf(() => checkJws(jws, strangers))).toBe('SIGNATURE_INVALID');
  });

  it.each(Object.entries(refused))('%s is rejected (%s)', (id, code) => {
    const { jws, jwk } = example(id);
    expect(codeOf(() => checkJws(jws, jwk === undefined ? [] : [jwk]))).toBe(code);
  });

  describe('as access tokens', () => {
    const verifierAt = (seconds: number, id: string) =>
      verifierOf({
        issuer: 'joe',
        audience: 'https://rs.example.com/',
        keys: { from: 'static', jwks: { keys: [example(id).jwk as { kty: string }] } },
        clock: () => seconds * 1000,
      });

    it.each(['rfc7515-A.2', 'rfc7515-A.3'])('%s expired in 2011 and has no audience', async (id) => {
      const { jws } = example(id);
      expect(await outcomeOf(verifierAt(1_300_819_385, id).verify(jws))).toBe('TOKEN_EXPIRED');
      expect(await outcomeOf(verifierAt(1_300_819_380, id).verify(jws))).toBe('CLAIM_MISSING');
    });

    it.each(['rfc7515-A.4', 'rfc8037-A.4'])('%s has no claims (TOKEN_MALFORMED)', async (id) => {
      expect(await outcomeOf(verifierAt(0, id).verify(example(id).jws))).toBe('TOKEN_MALFORMED');
    });

    it.each(['rfc9449-fig2', 'rfc9449-fig13'])('%s is a DPoP proof without an issuer (CLAIM_MISSING)', async (id) => {
      expect(await outcomeOf(verifierAt(0, id).verify(example(id).jws))).toBe('CLAIM_MISSING');
    });

    it('figure 2 of RFC 9068 is accepted with strict options, if it is signed', async () => {
      const { header, claims } = example('rfc9068-fig2');
      const key = newKey('rsa', { kid: header?.kid, use: 'sig', alg: 'RS256' });
      const verifier = verifierOf({
        issuer: 'https://authorization-server.example.com/',
        audience: 'https://rs.example.com/',
        tokenTypes: ['at+jwt'],
        requiredClaims: ['sub', 'client_id', 'iat', 'jti'],
        keys: { from: 'static', jwks: { keys: [key.jwk as { kty: string }] } },
        clock: () => 1_618_354_090_000,
      });
      const token = await verifier.verify(signToken(header ?? { alg: '' }, { ...claims }, key.privateKey));
      expect(token.claims).toEqual(claims);
      expect(token.scopes).toEqual(['openid', 'profile', 'reademail']);
    });
  });
});

describe('The cookbook of RFC 7520 and RFC 8037', () => {
  const jwkOf = (name: string) => readVectors(`rfc/cookbook_jwk_${name}.json`) as Jwk;

  it.each([
    ['3_1.ec_public_key', ['ES512'], undefined],
    ['3_2.ec_private_key', [], 'is a private key'],
    ['3_3.rsa_public_key', ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'], undefined],
    ['3_4.rsa_private_key', [], 'is a private key'],
    ['3_5.symmetric_key_mac_computation', [], 'fits no signature algorithm (kty, crv, alg)'],
    ['3_6.symmetric_key_encryption', [], 'is not for signatures (use)'],
  ])('has the key %s, which verifies %j', (name, algorithms, problem) => {
    const key = importVerificationKey(jwkOf(name));
    expect([...key.inputs.keys()]).toEqual(algorithms);
    expect(key.problem).toBe(problem);
  });

  it.each(['jws_4_1.rsa_v15_signature', 'jws_4_2.rsa-pss_signature', 'jws_4_3.ecdsa_signature', 'curve25519_jws'])(
    'has %s, which verifies with the public key, but not with one bit flipped or the private key',
    (name) => {
      const { input, output } = cookbook(name);
      const key = input.key as Jwk;
      const jws = output.compact ?? '';
      expect(codeOf(() => checkJws(jws, [publicHalf(key)]))).toBeUndefined();
      expect(codeOf(() => checkJws(flipped(jws), [publicHalf(key)]))).toBe('SIGNATURE_INVALID');
      expect(codeOf(() => checkJws(jws, [key]))).toBe('KEY_UNSUITABLE');
    },
  );

  it.each(['jws_4_4.hmac-sha2_integrity_protection', 'jws_4_5.signature_with_detached_content'])(
    'has %s, which is rejected (ALGORITHM_NOT_ALLOWED)',
    (name) => {
      const { input, output } = cookbook(name);
      expect(codeOf(() => checkJws(output.compact ?? '', [input.key]))).toBe('ALGORITHM_NOT_ALLOWED');
    },
  );

  it('has an unencoded payload (RFC 7797), which is rejected by its form and by its critical extension', () => {
    const { input, output } = cookbook('rfc7797_hmac-sha2_b64_false');
    const [header, , signature] = (output.compact ?? '').split('.');
    expect(codeOf(() => checkJws(output.compact ?? '', [input.key]))).toBe('TOKEN_MALFORMED');
    expect(codeOf(() => checkJws(`${header ?? ''}..${signature ?? ''}`, [input.key]))).toBe('HEADER_CRITICAL');
  });

  it('has several signatures of one payload, which are separate tokens; their JSON is not a token', () => {
    const { input, output } = cookbook('jws_4_8.multiple_signatures');
    const keys = (input.key as readonly Jwk[]).map(publicHalf);
    const { payload = '', signatures } = output.json;
    const codes = signatures.map(({ protected: header = '', signature }) =>
      codeOf(() => checkJws([header, payload, signature].join('.'), keys)),
    );
    // The second has an unprotected header, so it has no compact form. The third is HMAC.
    expect(codes).toEqual([undefined, 'TOKEN_MALFORMED', 'ALGORITHM_NOT_ALLOWED']);
    expect(codeOf(() => checkJws(JSON.stringify(output.json), keys))).toBe('TOKEN_MALFORMED');
  });
});
