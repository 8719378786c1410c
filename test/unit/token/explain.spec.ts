import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AuthError, type Explanation, type IssuerOptions } from '../../../src/index.js';
import { LocalIssuer, newKey, signToken } from '../../support/local-issuer.js';
import { outcomeOf, verifierOf } from '../../support/verifier.js';

const ISSUER = 'https://issuer.example.com/';
const AUDIENCE = 'https://api.example.com';
const NOW = 1_700_000_000;
const key = newKey('p-256', { kid: 'ours' });
const rsaKey = newKey('rsa', { kid: 'rsa', alg: 'RS512' });
const stranger = newKey('p-256', { kid: 'ours' });

function verifierWith(options: Partial<IssuerOptions> = {}) {
  return verifierOf({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { from: 'static', jwks: { keys: [key.jwk, rsaKey.jwk] as never } },
    clock: () => NOW * 1000,
    ...options,
  });
}

function tokenWith(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = key): string {
  const all = { iss: ISSUER, aud: AUDIENCE, exp: NOW + 60, iat: NOW, ...claims };
  return signToken({ alg: 'ES256', kid: key.kid, ...header }, all, by.privateKey);
}

const rowOf = (rows: readonly Explanation[], check: string) => rows.find((row) => row.check === check);
const explain = (token: string, options?: Partial<IssuerOptions>) => verifierWith(options).explain(token);
const firstFailed = (rows: readonly Explanation[]) => rows.find(({ passed }) => passed !== true);

/** Independent faults of a token. */
const FAULTS: Record<string, { claims?: Record<string, unknown>; header?: Record<string, unknown>; forged?: true }> = {
  'a critical extension': { header: { crit: ['b64'] } },
  'an unknown key': { header: { kid: 'unknown' } },
  'another spelling of the issuer': { claims: { iss: ISSUER.slice(0, -1) } },
  'no issuer': { claims: { iss: undefined } },
  'another type': { header: { typ: 'logout+jwt' } },
  'a past expiration': { claims: { exp: NOW - 7_300 } },
  'no expiration': { claims: { exp: undefined } },
  'a forged signature': { forged: true },
  'a claim of an ID token': { claims: { at_hash: 'x' } },
  'a subject that is a number': { claims: { sub: 7 } },
  'a scope that is an object': { claims: { scope: {} } },
  'another audience': { claims: { aud: 'other' } },
  'no audience': { claims: { aud: undefined } },
  'a start in the future': { claims: { nbf: NOW + 60 } },
  'an old issue time': { claims: { iat: NOW - 4_000 } },
  'a missing claim': { claims: { tenant: undefined } },
  'a sender constraint': { claims: { cnf: { jkt: 'x' } } },
  'a claim that validate rejects': { claims: { locked: true } },
};

const STRICT: Partial<IssuerOptions> = {
  maxTokenAgeSeconds: 3_600,
  requiredClaims: ['tenant'],
  validate: ({ claims }) => claims.locked === undefined,
};

function tokenWithFaults(...faults: readonly string[]): string {
  const claims: Record<string, unknown> = { tenant: 'acme' };
  const header: Record<string, unknown> = {};
  for (const fault of faults) {
    Object.assign(claims, FAULTS[fault]?.claims);
    Object.assign(header, FAULTS[fault]?.header);
  }
  return tokenWith(claims, header, faults.includes('a forged signature') ? stranger : key);
}

describe('AccessTokenVerifier.explain', () => {
  it('returns a passed row for every check of a token that is accepted', async () => {
    const rows = await explain(tokenWithFaults(), STRICT);
    expect(rows.filter(({ passed, hint }) => passed !== true || hint !== undefined)).toEqual([]);
    expect([rows.length, new Set(rows.map(({ check }) => check)).size]).toEqual([16, 16]);
    expect(await outcomeOf(verifierWith(STRICT).verify(tokenWithFaults()))).toBe('accepted');
  });

  it.each(Object.keys(FAULTS))('returns the code that verify rejects with, and a hint: %s', async (fault) => {
    const token = tokenWithFaults(fault);
    const failed = firstFailed(await explain(token, STRICT));
    expect(failed?.code).toBe(await outcomeOf(verifierWith(STRICT).verify(token)));
    expect(failed?.hint).toBeTruthy();
  });

  it('has the code that verify rejects with in the first row that failed, for any set of faults', async () => {
    const [explaining, verifying] = [verifierWith(STRICT), verifierWith(STRICT)];
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.constantFrom(...Object.keys(FAULTS))), async (faults) => {
        const token = tokenWithFaults(...faults);
        const code = firstFailed(await explaining.explain(token))?.code ?? 'accepted';
        expect(code).toBe(await outcomeOf(verifying.verify(token)));
      }),
      { numRuns: 200 },
    );
  });

  it('makes the checks after a failed one', async () => {
    const faults = ['a past expiration', 'another audience', 'a sender constraint', 'a forged signature'];
    const rows = await explain(tokenWithFaults(...faults), STRICT);
    const failed = rows.filter(({ passed }) => passed === false).map(({ code }) => code);
    expect(failed).toEqual(['TOKEN_EXPIRED', 'SIGNATURE_INVALID', 'AUDIENCE_MISMATCH', 'BINDING_UNPROVEN']);
  });

  it.each<[isCalled: boolean, faults: readonly string[]]>([
    [true, ['a past expiration']],
    [true, ['another audience', 'a start in the future', 'an old issue time', 'a sender constraint']],
    [false, ['a forged signature']],
    [false, ['another spelling of the issuer']],
    [false, ['a claim of an ID token']],
    [false, ['another type']],
    [false, ['a subject that is a number']],
    [false, ['a missing claim']],
    [false, ['no expiration']],
  ])('calls validate only if it can rely on the claims (%s): %p', async (isCalled, faults) => {
    const rows = await explain(tokenWithFaults(...faults, 'a claim that validate rejects'), STRICT);
    const called = { passed: false, code: 'CLAIM_INVALID' };
    expect(rowOf(rows, 'validate')).toMatchObject(isCalled ? called : { passed: undefined });
  });

  it('leaves checks undefined that depend on a failed one', async () => {
    const open = (rows: readonly Explanation[]) => rows.filter(({ passed }) => passed === undefined);
    expect(open(await explain(tokenWithFaults('another spelling of the issuer')))).toHaveLength(12);
    expect(open(await explain('not-a-token'))).toHaveLength(15);
    const withoutAlgorithm = open(await explain(tokenWith({}, { alg: 'HS256' })));
    const dependent = ['algorithm-allowed', 'signature', 'validate'].map((check) => ({ check, passed: undefined }));
    expect(withoutAlgorithm).toEqual(dependent);
  });

  it.each<[string, check: string, claims: Record<string, unknown>, hint: string]>([
    ['a slash', 'issuer', { iss: ISSUER.slice(0, -1) }, `"https://issuer.example.com", the options have "${ISSUER}"`],
    ['a scheme', 'issuer', { iss: 'http://ISSUER.example.com/' }, 'Write it exactly as the token has it'],
    ['another issuer', 'issuer', { iss: 'https://other.example.com/' }, 'another environment or tenant'],
    ['another spelling', 'audience', { aud: ['x', `${AUDIENCE}/`] }, `The token has "${AUDIENCE}/"`],
    ['another audience', 'audience', { aud: 'x' }, 'The token is for another API'],
    ['only a client_id', 'audience', { aud: undefined, client_id: 'a' }, "`audienceClaim: 'client_id'`"],
    ['only a cid', 'audience', { aud: undefined, cid: 'a' }, "`audienceClaim: 'cid'`"],
    ['no audience', 'audience', { aud: undefined }, 'see `audienceClaim`'],
    ['seconds', 'expiration', { exp: NOW - 60 }, 'It expired 60 seconds ago'],
    ['minutes', 'expiration', { exp: NOW - 600 }, 'It expired 10 minutes ago'],
    ['hours', 'expiration', { exp: NOW - 7_300 }, 'It expired 2 hours ago'],
    ['days', 'expiration', { exp: NOW - 3 * 86_400 }, 'It expired 3 days ago'],
    ['milliseconds', 'expiration', { exp: NOW * 1000 }, '`exp` is in milliseconds'],
    ['a text', 'expiration', { exp: '1700000060' }, '`exp` is not a number. Configure the issuer to set seconds'],
    ['no exp', 'expiration', { exp: undefined }, 'The token has no `exp`'],
    ['a future nbf', 'not-before', { nbf: NOW + 7_300 }, '`nbf` is 2 hours in the future'],
    ['a future iat', 'not-before', { nbf: NOW + 3, iat: NOW + 7_300 }, '`iat` is 2 hours in the future'],
    ['nbf in milliseconds', 'not-before', { nbf: NOW * 1000 }, '`nbf` is in milliseconds'],
    ['an iat of text', 'not-before', { iat: '12' }, '`iat` is not a number'],
    ['no tenant', 'required-claims', { tenant: undefined }, 'The token has no `tenant`'],
  ])('gives the exact hint for %s in the row %s', async (_title, check, claims, hint) => {
    expect(rowOf(await explain(tokenWith(claims), { requiredClaims: ['tenant'] }), check)?.hint).toContain(hint);
  });

  it.each<[check: string, token: () => string, row: object]>([
    ['form', () => `${tokenWith()}!`, { got: '3 parts', reason: 'signature is not base64url' }],
    ['issuer', () => tokenWith(), { passed: true, got: ISSUER, expected: [ISSUER] }],
    ['audience', () => tokenWith({ aud: 'other' }), { got: 'other', expected: [AUDIENCE] }],
    ['sender-constraint', () => tokenWith({ cnf: { jkt: 'secret' } }), { got: ['jkt'] }],
    ['claim-types', () => tokenWith({ sub: 5 }), { claim: 'sub', expected: 'a string', got: 5 }],
    ['expiration', () => tokenWith({ exp: '12' }), { claim: 'exp', expected: 'seconds since 1970', got: '12' }],
    [
      'not-before',
      () => tokenWith({ nbf: NOW, iat: NOW + 60 }),
      { claim: 'iat', got: { iat: NOW + 60 }, expected: `not later than ${String(NOW)} + 5 s (clockToleranceSeconds)` },
    ],
    ['signature', () => tokenWith(), { passed: true, got: 'ours' }],
    ['signature', () => tokenWith({}, { kid: 'old' }), { code: 'KEY_UNKNOWN', got: 'old', expected: ['ours', 'rsa'] }],
    [
      'signature',
      () => tokenWith({}, { kid: 'rsa' }),
      { code: 'KEY_UNSUITABLE', expected: 'ES256', reason: 'is for RS512', hint: expect.stringContaining('RS512') },
    ],
    [
      'type',
      () => tokenWith({}, { typ: 'application/DPoP+jwt' }),
      { got: 'application/DPoP+jwt', hint: expect.stringContaining('a DPoP proof, not an access token') },
    ],
  ])('compares in the row %s (%#)', async (check, token, row) => {
    const rows = await explain(token());
    expect(rowOf(rows, check)).toMatchObject(row);
    expect(JSON.stringify(rows)).not.toContain('secret');
  });

  it.each<[isSimilar: boolean, claims: Record<string, unknown>]>([
    [true, { nonce: 'n' }],
    [true, { azp: AUDIENCE }],
    [true, { azp: AUDIENCE, aud: [AUDIENCE] }],
    [false, { azp: 'web' }],
    [false, { azp: AUDIENCE, aud: [AUDIENCE, 'web'] }],
    [false, { nonce: 'n', scope: 'openid' }],
    [false, { nonce: 'n', scp: ['read'] }],
    [false, { nonce: 'n', client_id: 'web' }],
  ])('warns of an accepted token that looks like an ID token (%s): %j', async (isSimilar, claims) => {
    const hint = isSimilar ? expect.stringContaining('It may be an ID token') : undefined;
    expect(await explain(tokenWith(claims))).toContainEqual({
      check: 'access-token',
      passed: true,
      ...(hint && { hint }),
    });
  });

  it.each<[string, change: (token: string) => unknown, hint: string]>([
    ['its scheme', (token) => `Bearer ${token}`, 'Remove `Bearer `'],
    ['quotation marks', (token) => `"${token}"`, 'Remove the quotation marks'],
    ['a line end', (token) => `${token}\n`, 'Remove the white space'],
    ['another character', (token) => `${token}!`, 'Signature is not base64url. It is not a JWT'],
    ['a token response', (token) => JSON.stringify({ access_token: token }, undefined, 2), 'It is a JSON document'],
    ['the text of an unset variable', () => 'undefined', 'The client sent the word "undefined"'],
    ['an opaque token', () => 'v2_local_q8d7f6', 'Opaque tokens cannot be read'],
    ['an encrypted token', () => 'a.b.c.d.e', 'it is encrypted (JWE)'],
    ['a truncated header', (token) => token.slice(0, 20), 'It is a truncated JWT'],
    ['a truncated payload', (token) => token.slice(0, 60), 'It is a truncated JWT'],
    ['a number', () => 7, 'A token is a string'],
  ])('gives a hint for the form of %s', async (_title, change, hint) => {
    const form = rowOf(await explain(change(tokenWith()) as string), 'form');
    expect(form).toMatchObject({ code: 'TOKEN_MALFORMED', expected: '3 parts of base64url' });
    expect(form?.hint).toContain(hint);
  });

  it('fetches no keys for a token that another check rejects, except with fetchesKeys', async () => {
    const issuer = await LocalIssuer.start([key]);
    const verifier = verifierOf({ issuer: issuer.url, audience: AUDIENCE });
    const claims = { iss: issuer.url, aud: AUDIENCE, exp: Math.floor(Date.now() / 1000) - 60 };
    const expired = signToken({ alg: 'ES256', kid: 'unknown' }, claims, key.privateKey);
    const rows = await verifier.explain(expired);
    expect([rowOf(rows, 'expiration')?.passed, rowOf(rows, 'signature')?.passed]).toEqual([false, undefined]);
    expect(issuer.requests).toEqual([]);
    const fetched = await verifierOf({ issuer: issuer.url, audience: AUDIENCE }).explain(expired, {
      fetchesKeys: true,
    });
    expect(rowOf(fetched, 'signature')).toMatchObject({ passed: false, code: 'KEY_UNKNOWN' });
    await verifier.verify(issuer.token(key, 'ES256'));
    issuer.requests.splice(0);
    // The verifier has keys now, so it can check the signature without a request.
    expect(rowOf(await verifier.explain(expired), 'signature')).toMatchObject({ passed: false, code: 'KEY_UNKNOWN' });
    expect(issuer.requests).toEqual([]);
    await issuer.stop();
  });

  it.each<[string, thrown: Error, row: Partial<Explanation>]>([
    ['an error', new RangeError('secret'), { hint: "The application's own code failed: RangeError" }],
    ['a refusal', new AuthError('POLICY_DENIED'), { code: 'POLICY_DENIED' }],
    [
      'a refusal of a claim',
      new AuthError('CLAIM_INVALID', { claim: 'tid', expected: 'a' }),
      { claim: 'tid', expected: 'a', got: 'b' },
    ],
  ])('has %s that validate throws in its row', async (_title, thrown, row) => {
    const validate = () => {
      throw thrown;
    };
    const rows = await explain(tokenWith({ tid: 'b' }), { validate });
    expect(firstFailed(rows)).toMatchObject({ check: 'validate', passed: false, ...row });
    expect(JSON.stringify(rows)).not.toContain('secret');
  });

  it('names no issuers if the `issuers` function decides', async () => {
    const verifier = verifierOf({ issuers: () => undefined, clock: () => NOW * 1000 });
    const expected = 'an issuer that the `issuers` function returns options for';
    expect(rowOf(await verifier.explain(tokenWith()), 'issuer')).toMatchObject({ passed: false, expected });
  });
});
