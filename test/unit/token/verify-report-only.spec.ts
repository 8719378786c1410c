import { describe, expect, it } from '@jest/globals';
import type { AuthError, IssuerOptions, VerifiedAccessToken } from '../../../src/index.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { KeySourceRegistry } from '../../../src/remote/key-source-registry.js';
import { TrustedIssuers } from '../../../src/token/trusted-issuers.js';
import { AccessTokenVerifier } from '../../../src/token/access-token-verifier.js';
import { newKey, signToken } from '../../support/local-issuer.js';
import { outcomeOf } from '../../support/verifier.js';

const ISSUER = 'https://issuer.example.com/';
const AUDIENCE = 'https://api.example.com';
const NOW = 1_700_000_000;
const key = newKey('p-256');
const STRICT = { tokenTypes: ['at+jwt'], requiredClaims: ['sub', 'client_id', 'tenant'] } as const;
const ALL = ['audience', 'senderConstraint', 'requiredClaims', 'tokenTypes'] as const;

/** The outcome, and what was reported meanwhile. */
function reporting(options: Partial<IssuerOptions>) {
  const reported: string[] = [];
  const resolved = resolveOptions({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { from: 'static', jwks: { keys: [key.jwk as never] } },
    clock: () => NOW * 1000,
    ...STRICT,
    ...options,
  });
  const sources = new KeySourceRegistry({ ...resolved, onProblem: () => undefined });
  const onReport = ({ code, detail }: AuthError, { claims }: VerifiedAccessToken) =>
    reported.push(`${code} ${String(detail.claim ?? detail.member)} of ${String(claims.client_id)}`);
  const { issuers, clock, tokenCache } = resolved;
  const verifier = new AccessTokenVerifier(new TrustedIssuers(issuers, sources), clock, tokenCache, onReport);
  return async (claims: Record<string, unknown>, header: Record<string, unknown> = {}, by = key) => {
    reported.length = 0;
    const all = { iss: ISSUER, aud: AUDIENCE, exp: NOW + 60, sub: 'alice', client_id: 'shop', tenant: 'a', ...claims };
    const token = signToken({ alg: 'ES256', kid: key.kid, typ: 'at+jwt', ...header }, all, by.privateKey);
    return [await outcomeOf(verifier.verify(token)), ...reported];
  };
}

describe('A check that only reports', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>, string, string]>([
    ['tokenTypes', {}, { typ: 'JWT' }, 'TYPE_NOT_ALLOWED', 'typ'],
    ['tokenTypes', {}, { typ: undefined }, 'TYPE_NOT_ALLOWED', 'typ'],
    ['audience', { aud: 'https://other.example.com' }, {}, 'AUDIENCE_MISMATCH', 'aud'],
    ['audience', { aud: [] }, {}, 'AUDIENCE_MISMATCH', 'aud'],
    ['audience', { aud: undefined }, {}, 'CLAIM_MISSING', 'aud'],
    ['requiredClaims', { sub: undefined }, {}, 'CLAIM_MISSING', 'sub'],
    ['requiredClaims', { tenant: null }, {}, 'CLAIM_MISSING', 'tenant'],
    ['senderConstraint', { cnf: { jkt: 'x' } }, {}, 'BINDING_UNPROVEN', 'cnf'],
    ['senderConstraint', { cnf: null }, {}, 'BINDING_UNPROVEN', 'cnf'],
  ])('of %s lets %j with the header %j pass, and says %s', async (check, claims, header, code, subject) => {
    const others = ALL.filter((name) => name !== check);
    expect(await reporting({ reportOnly: [check as never] })(claims, header)).toStrictEqual([
      'accepted',
      `${code} ${subject} of shop`,
    ]);
    expect(await reporting({})(claims, header)).toStrictEqual([code]);
    expect(await reporting({ reportOnly: others })(claims, header)).toStrictEqual([code]);
  });

  it.each([[7], [{}], [['https://api.example.com', 7]], [null]])(
    'of the audience refuses what is no audience at all: %j (CLAIM_INVALID)',
    async (aud) => {
      expect(await reporting({ reportOnly: ALL })({ aud })).toStrictEqual(['CLAIM_INVALID']);
    },
  );

  it('says nothing of a token that it has nothing against', async () => {
    expect(await reporting({ reportOnly: ALL })({})).toStrictEqual(['accepted']);
  });

  it('says each thing that it has against a token', async () => {
    const verify = reporting({ reportOnly: ALL });
    const claims = { aud: 'other', cnf: {}, sub: undefined, client_id: undefined, azp: 'shop' };
    expect(await verify(claims, { typ: 'JWT' })).toStrictEqual([
      'accepted',
      'AUDIENCE_MISMATCH aud of undefined',
      'BINDING_UNPROVEN cnf of undefined',
      'CLAIM_MISSING sub of undefined',
      'TYPE_NOT_ALLOWED typ of undefined',
    ]);
  });

  it('says so each time that the token comes, remembered or not', async () => {
    const verify = reporting({ reportOnly: ['audience'] });
    for (let time = 0; time < 4; time += 1)
      expect(await verify({ aud: 'other' })).toStrictEqual(['accepted', 'AUDIENCE_MISMATCH aud of shop']);
  });

  it.each(['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'id_token+jwt', 7, null, ''])(
    'of tokenTypes refuses what is no access token all the same: typ %j',
    async (typ) => {
      expect(await reporting({ reportOnly: ALL })({}, { typ })).toStrictEqual(['TYPE_NOT_ALLOWED']);
    },
  );

  it('of tokenTypes refuses what only its claims give away all the same', async () => {
    const verify = reporting({ reportOnly: ALL });
    for (const claims of [{ at_hash: 'x' }, { token_use: 'id' }, { typ: 'Refresh' }])
      expect(await verify(claims)).toStrictEqual(['TYPE_NOT_ALLOWED']);
  });

  it('of requiredClaims takes no claim of another kind for granted', async () => {
    const verify = reporting({ reportOnly: ALL });
    for (const claims of [{ sub: 7 }, { client_id: ['shop'] }, { scope: {} }, { azp: {} }])
      expect(await verify(claims)).toStrictEqual(['CLAIM_INVALID']);
    for (const claims of [{ exp: undefined }, { iss: undefined }])
      expect(await verify(claims)).toStrictEqual(['CLAIM_MISSING']);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['TOKEN_EXPIRED', { exp: NOW - 60 }, {}],
    ['TOKEN_NOT_YET_VALID', { nbf: NOW + 60 }, {}],
    ['CLAIM_INVALID', { sub: 7 }, {}],
    ['ISSUER_UNTRUSTED', { iss: 'https://other.example.com' }, {}],
    ['KEY_UNKNOWN', {}, { kid: 'other' }],
    ['HEADER_CRITICAL', {}, { crit: ['b64'] }],
  ])('says nothing of a token that another check refuses (%s)', async (code, claims, header) => {
    const verify = reporting({ reportOnly: ALL });
    expect(await verify({ aud: 'other', cnf: {}, ...claims }, { typ: 'JWT', ...header })).toStrictEqual([code]);
  });

  it('says nothing of a token whose signature nobody vouches for', async () => {
    const verify = reporting({ reportOnly: ALL });
    expect(await verify({ aud: 'other', client_id: 'forged' }, { typ: 'JWT' }, newKey('p-256'))).toStrictEqual([
      'SIGNATURE_INVALID',
    ]);
  });

  it('says nothing of a token that `validate` refuses', async () => {
    const verify = reporting({ reportOnly: ALL, validate: ({ claims }) => claims.sub !== 'mallory' });
    expect(await verify({ aud: 'other', sub: 'mallory' })).toStrictEqual(['CLAIM_INVALID']);
    expect(await verify({ aud: 'other' })).toStrictEqual(['accepted', 'AUDIENCE_MISMATCH aud of shop']);
  });
});
