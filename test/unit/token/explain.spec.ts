import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AuthError, type Explanation, type IssuerOptions } from '../../../src/index.js';
import { HINTS } from '../../../src/token/hints.js';
import { LocalIssuer, newKey, signToken } from '../../support/local-issuer.js';
import { outcomeOf, verifierOf } from '../../support/verifier.js';

const ISSUER = 'https://issuer.example.com/';
const AUDIENCE = 'https://api.example.com';
const NOW = 1_700_000_000;
const key = newKey('p-256', { kid: 'ours' });
const stranger = newKey('p-256', { kid: 'ours' });

function verifierWith(options: Partial<IssuerOptions> = {}) {
  return verifierOf({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { from: 'static', jwks: { keys: [key.jwk as never] } },
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

/** What is wrong with a token, each by itself. */
const FAULTS: Record<string, { claims?: Record<string, unknown>; header?: Record<string, unknown>; forged?: true }> = {
  crit: { header: { crit: ['b64'] } },
  algorithm: { header: { alg: 'ES256', kid: 'unknown' } },
  issuer: { claims: { iss: ISSUER.slice(0, -1) } },
  'no issuer': { claims: { iss: undefined } },
  type: { header: { typ: 'logout+jwt' } },
  expired: { claims: { exp: NOW - 7_300 } },
  'expires never': { claims: { exp: undefined } },
  forged: { forged: true },
  'ID token': { claims: { at_hash: 'x' } },
  'claim types': { claims: { sub: 7 } },
  scope: { claims: { scope: {} } },
  audience: { claims: { aud: 'other' } },
  'no audience': { claims: { aud: undefined } },
  'not yet valid': { claims: { nbf: NOW + 60 } },
  'too old': { claims: { iat: NOW - 4_000 } },
  'missing claim': { claims: { tenant: undefined } },
  bound: { claims: { cnf: { jkt: 'x' } } },
  'refused by validate': { claims: { locked: true } },
};

const STRICT: Partial<IssuerOptions> = {
  maxTokenAgeSeconds: 3_600,
  requiredClaims: ['tenant'],
  validate: ({ claims }) => claims.locked === undefined,
};

function tokenThatIs(faults: readonly string[]): string {
  const claims: Record<string, unknown> = { tenant: 'acme' };
  const header: Record<string, unknown> = {};
  let by = key;
  for (const fault of faults) {
    Object.assign(claims, FAULTS[fault]?.claims);
    Object.assign(header, FAULTS[fault]?.header);
    if (FAULTS[fault]?.forged === true) by = stranger;
  }
  return tokenWith(claims, header, by);
}

describe('An explanation', () => {
  it('has every check passed for a token that is accepted', async () => {
    const rows = await explain(tokenThatIs([]), STRICT);
    expect(rows.filter(({ passed }) => passed !== true)).toEqual([]);
    expect(rows).toHaveLength(16);
    expect(new Set(rows.map(({ check }) => check)).size).toBe(16);
    expect(await outcomeOf(verifierWith(STRICT).verify(tokenThatIs([])))).toBe('accepted');
  });

  it.each(Object.keys(FAULTS))(
    'fails first for what a token is refused for, and says how to mend it: %s',
    async (fault) => {
      const token = tokenThatIs([fault]);
      const failed = firstFailed(await explain(token, STRICT));
      expect(failed?.code).toBe(await outcomeOf(verifierWith(STRICT).verify(token)));
      expect(failed?.hint).toBeTruthy();
    },
  );

  it('fails first for what a token is refused for, whatever else is wrong with it', async () => {
    const [explaining, refusing] = [verifierWith(STRICT), verifierWith(STRICT)];
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.constantFrom(...Object.keys(FAULTS))), async (faults) => {
        const token = tokenThatIs(faults);
        const code = firstFailed(await explaining.explain(token))?.code ?? 'accepted';
        expect(code).toBe(await outcomeOf(refusing.verify(token)));
      }),
      { numRuns: 200 },
    );
  });

  it('does not stop at the first', async () => {
    const rows = await explain(tokenThatIs(['expired', 'audience', 'bound', 'forged']), STRICT);
    const failed = rows.filter(({ passed }) => passed === false).map(({ code }) => code);
    expect(failed).toEqual(['TOKEN_EXPIRED', 'SIGNATURE_INVALID', 'AUDIENCE_MISMATCH', 'BINDING_UNPROVEN']);
    // It is not from its issuer: there is nothing that `validate` could rely on.
    expect(rowOf(rows, 'validate')).toEqual({ check: 'validate', passed: undefined });
  });

  it.each<[string, readonly string[], boolean]>([
    ['expired', ['expired'], true],
    ['for another API, not valid yet, too old and bound', ['audience', 'not yet valid', 'too old', 'bound'], true],
    ['forged', ['forged'], false],
    ['of another issuer', ['issuer'], false],
    ['an ID token', ['ID token'], false],
    ['a logout token', ['type'], false],
    ['of the wrong types', ['claim types'], false],
    ['without a claim that is required', ['missing claim'], false],
    ['without an expiry', ['expires never'], false],
  ])('asks validate about a token that is good but for time and place: %s', async (_what, faults, isAsked) => {
    const row = rowOf(await explain(tokenThatIs([...faults, 'refused by validate']), STRICT), 'validate');
    expect(row?.passed).toBe(isAsked ? false : undefined);
    expect(row?.code).toBe(isAsked ? 'CLAIM_INVALID' : undefined);
  });

  it('says what could not be checked', async () => {
    const untrusted = await explain(tokenThatIs(['issuer']));
    expect(untrusted.filter(({ passed }) => passed === undefined)).toHaveLength(12);
    const garbled = await explain('not-a-token');
    expect(garbled.filter(({ passed }) => passed === undefined)).toHaveLength(15);
    expect(rowOf(garbled, 'form')).toMatchObject({ passed: false, code: 'TOKEN_MALFORMED', got: '1 part' });
  });

  it.each<[string, string, string, Record<string, unknown>]>([
    [
      'issuer',
      'issuer',
      `The token has "https://issuer.example.com", the options "${ISSUER}"`,
      { iss: 'https://issuer.example.com' },
    ],
    ['issuer of http', 'issuer', 'write it exactly as the token has it', { iss: 'http://ISSUER.example.com/' }],
    ['other issuer', 'issuer', HINTS.ISSUER_UNTRUSTED, { iss: 'https://other.example.com/' }],
    ['audience', 'audience', 'The token has "https://api.example.com/"', { aud: ['x', 'https://api.example.com/'] }],
    ['other audience', 'audience', HINTS.AUDIENCE_MISMATCH, { aud: 'x' }],
    ['time', 'expiration', 'It expired 2 hours ago', { exp: NOW - 7_300 }],
    ['seconds', 'expiration', 'It expired 60 seconds ago', { exp: NOW - 60 }],
    ['minutes', 'expiration', 'It expired 10 minutes ago', { exp: NOW - 600 }],
    ['days', 'expiration', 'It expired 3 days ago', { exp: NOW - 3 * 86_400 }],
    ['milliseconds', 'expiration', 'in milliseconds', { exp: NOW * 1000 }],
    ['a start to come', 'not-before', '`nbf` is 2 hours ahead', { nbf: NOW + 7_300 }],
    ['a start within the tolerance', 'not-before', '`iat` is 2 hours ahead', { nbf: NOW + 3, iat: NOW + 7_300 }],
    ['an issue to come', 'not-before', '`iat` is 10 minutes ahead', { iat: NOW + 600 }],
    ['no time', 'expiration', 'The token has no `exp`', { exp: undefined }],
    ['a text as the time', 'expiration', 'It is about `exp`', { exp: '12' }],
    ['no tenant', 'required-claims', 'The token has no `tenant`', { tenant: undefined }],
  ])('knows the mistake that it looks like: %s', async (_what, check, hint, claims) => {
    expect(rowOf(await explain(tokenWith(claims), { requiredClaims: ['tenant'] }), check)?.hint).toContain(hint);
  });

  it('says what is expected, and what was got', async () => {
    const rows = await explain(tokenWith({ aud: 'other', cnf: { jkt: 'x' } }));
    expect(rowOf(rows, 'audience')).toMatchObject({ expected: [AUDIENCE], got: 'other' });
    expect(rowOf(rows, 'issuer')).toMatchObject({ expected: [ISSUER], got: ISSUER });
    expect(rowOf(rows, 'signature')).toMatchObject({ got: 'ours' });
    expect(rowOf(rows, 'sender-constraint')).toMatchObject({ got: ['jkt'] });
    expect(JSON.stringify(rows)).not.toContain(tokenWith().split('.')[1]);
  });

  it.each<[string, Record<string, unknown>, Partial<Explanation>]>([
    ['a number as the subject', { sub: 5 }, { check: 'claim-types', claim: 'sub', expected: 'a string', got: 5 }],
    [
      'a text as the time',
      { exp: '12' },
      { check: 'expiration', claim: 'exp', expected: 'seconds since 1970', got: '12' },
    ],
    ['no time', { exp: undefined }, { check: 'expiration', claim: 'exp', code: 'CLAIM_MISSING' }],
    ['a claim of a preset', { tid: 'b' }, { check: 'validate', claim: 'tid', expected: 'a', got: 'b' }],
  ])('names the claim that is wrong: %s', async (_what, claims, expected) => {
    const validate: IssuerOptions['validate'] = (token) => {
      if ('tid' in token.claims) throw new AuthError('CLAIM_INVALID', { claim: 'tid', expected: 'a' });
      return true;
    };
    expect(firstFailed(await explain(tokenWith(claims), { validate }))).toMatchObject({ passed: false, ...expected });
  });

  it.each<[string, (token: string) => string, string | undefined, string]>([
    ['its scheme', (token) => `Bearer ${token}`, 'header is not base64url', 'Take `Bearer ` away'],
    ['quotation marks', (token) => `"${token}"`, 'signature is not base64url', 'Take the quotation marks away'],
    ['a line end', (token) => `${token}\n`, 'signature is not base64url', 'Take the space, or the line end'],
    ['nothing but a word', () => 'undefined', undefined, 'The client sent the word "undefined"'],
    ['encrypted', () => 'a.b.c.d.e', undefined, 'it is encrypted (JWE)'],
    ['cut', (token) => `${token}!`, 'signature is not base64url', 'Signature is not base64url. It is no JWT'],
    ['no text', () => 7 as unknown as string, undefined, 'A token is a text'],
  ])('says what is wrong with the form: %s', async (_what, change, reason, hint) => {
    const form = rowOf(await explain(change(tokenWith())), 'form');
    expect(form).toMatchObject({ code: 'TOKEN_MALFORMED', expected: '3 parts of base64url' });
    if (reason !== undefined) expect(form?.reason).toBe(reason);
    expect(form?.hint).toContain(hint);
  });

  it('asks nobody for the keys of a token that is refused without them, and says what it could not check', async () => {
    const issuer = await LocalIssuer.start([key]);
    const verifier = verifierOf({ issuer: issuer.url, audience: AUDIENCE });
    const now = Math.floor(Date.now() / 1000);
    const stale = signToken(
      { alg: 'ES256', kid: 'unknown' },
      { iss: issuer.url, aud: AUDIENCE, exp: now - 60 },
      key.privateKey,
    );
    const rows = await verifier.explain(stale);
    expect([rowOf(rows, 'expiration')?.passed, rowOf(rows, 'signature')?.passed]).toEqual([false, undefined]);
    expect(issuer.requests).toEqual([]);
    // Unless it is told to.
    const fetched = await verifierOf({ issuer: issuer.url, audience: AUDIENCE }).explain(stale, { fetchesKeys: true });
    expect(rowOf(fetched, 'signature')).toMatchObject({ passed: false, code: 'KEY_UNKNOWN' });
    issuer.requests.splice(0);
    await verifier.verify(issuer.token(key, 'ES256'));
    const asked = issuer.requests.length;
    // By the keys that there are.
    expect(rowOf(await verifier.explain(stale), 'signature')).toMatchObject({ passed: false, code: 'KEY_UNKNOWN' });
    expect(issuer.requests).toHaveLength(asked);
    await issuer.stop();
  });

  it("has the application's own failure in its row, and does not throw it", async () => {
    const validate = () => {
      throw new RangeError('secret');
    };
    const row = rowOf(await explain(tokenWith(), { validate }), 'validate');
    expect(row).toEqual({ check: 'validate', passed: false, hint: "The application's own code failed: RangeError" });
  });

  it('has the code that validate refuses with', async () => {
    const validate = () => {
      throw new AuthError('POLICY_DENIED');
    };
    expect(rowOf(await explain(tokenWith(), { validate }), 'validate')).toMatchObject({ code: 'POLICY_DENIED' });
  });

  it('knows no names where a resolver says who is trusted', async () => {
    const verifier = verifierOf({ issuers: () => undefined, clock: () => NOW * 1000 });
    expect(rowOf(await verifier.explain(tokenWith()), 'issuer')).toMatchObject({
      passed: false,
      expected: 'one that the `issuers` function knows',
    });
  });
});
