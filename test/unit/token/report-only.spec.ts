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

/** Returns a function that verifies a token and returns the outcome and what was reported. */
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

describe('A check that is only reported', () => {
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
  ])('(%s) accepts claims %j with header %j and reports %s', async (check, claims, header, code, subject) => {
    const others = ALL.filter((name) => name !== check);
    const expected = ['accepted', `${code} ${subject} of shop`];
    expect(await reporting({ reportOnly: [check as never] })(claims, header)).toStrictEqual(expected);
    expect(await reporting({})(claims, header)).toStrictEqual([code]);
    expect(await reporting({ reportOnly: others })(claims, header)).toStrictEqual([code]);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['CLAIM_INVALID', { aud: 7 }, {}],
    ['CLAIM_INVALID', { aud: ['https://api.example.com', 7] }, {}],
    ['CLAIM_INVALID', { aud: null }, {}],
    ['TYPE_NOT_ALLOWED', {}, { typ: 'logout+jwt' }],
    ['TYPE_NOT_ALLOWED', {}, { typ: 'dpop+jwt' }],
    ['TYPE_NOT_ALLOWED', {}, { typ: 7 }],
    ['TYPE_NOT_ALLOWED', {}, { typ: null }],
    ['TYPE_NOT_ALLOWED', { at_hash: 'x' }, {}],
    ['TYPE_NOT_ALLOWED', { typ: 'ID' }, {}],
    ['CLAIM_INVALID', { sub: 7 }, {}],
    ['CLAIM_INVALID', { client_id: ['shop'] }, {}],
    ['CLAIM_MISSING', { exp: undefined }, {}],
    ['CLAIM_MISSING', { iss: undefined }, {}],
    ['TOKEN_EXPIRED', { exp: NOW - 60, cnf: {} }, {}],
    ['TOKEN_NOT_YET_VALID', { nbf: NOW + 60, cnf: {} }, {}],
    ['ISSUER_UNTRUSTED', { iss: 'https://other.example.com', cnf: {} }, {}],
    ['KEY_UNKNOWN', { cnf: {} }, { kid: 'other' }],
    ['HEADER_CRITICAL', { cnf: {} }, { crit: ['b64'] }],
  ])('rejects and reports nothing if another check fails: %s for claims %j and header %j', async (code, ...sent) => {
    expect(await reporting({ reportOnly: ALL })(...sent)).toStrictEqual([code]);
  });

  it('reports nothing for a token that passes, is forged, or is rejected by `validate`', async () => {
    const verify = reporting({ reportOnly: ALL, validate: ({ claims }) => claims.sub !== 'mallory' });
    expect(await verify({})).toStrictEqual(['accepted']);
    const forged = await verify({ aud: 'other', client_id: 'forged' }, { typ: 'JWT' }, newKey('p-256'));
    expect(forged).toStrictEqual(['SIGNATURE_INVALID']);
    expect(await verify({ aud: 'other', sub: 'mallory' })).toStrictEqual(['CLAIM_INVALID']);
  });

  it('reports every failed check, each time that the token is sent', async () => {
    const verify = reporting({ reportOnly: ALL });
    const claims = { aud: 'other', cnf: {}, sub: undefined, client_id: undefined };
    for (let turn = 0; turn < 4; turn += 1)
      expect((await verify(claims, { typ: 'JWT' })).sort()).toStrictEqual([
        'AUDIENCE_MISMATCH aud of undefined',
        'BINDING_UNPROVEN cnf of undefined',
        'CLAIM_MISSING sub of undefined',
        'TYPE_NOT_ALLOWED typ of undefined',
        'accepted',
      ]);
  });
});
