import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Explanation, IssuerOptions } from '../../../src/index.js';
import { AuthError } from '../../../src/model/errors.js';
import { LocalIssuer, newKey, signToken, AUDIENCE } from '../../support/local-issuer.js';
import { ISSUER, KEY, type Members, NOW, staticVerifier, tokenWith } from '../../support/static-verifier.js';
import { outcomeOf, verifierOf } from '../../support/verifier.js';

const stranger = newKey('p-256', { kid: KEY.kid });

const rowOf = (rows: readonly Explanation[], check: string) => rows.find((row) => row.check === check);
const explain = (token: string, options?: Partial<IssuerOptions>) => staticVerifier(options).explain(token);
const firstFailed = (rows: readonly Explanation[]) => rows.find(({ passed }) => passed !== true);

const FAULTS: Record<string, { claims?: Members; header?: Members; forged?: true }> = {
  crit: { header: { crit: ['b64'] } },
  'unknown key': { header: { kid: 'unknown' } },
  issuer: { claims: { iss: ISSUER.slice(0, -1) } },
  'no issuer': { claims: { iss: undefined } },
  type: { header: { typ: 'logout+jwt' } },
  expired: { claims: { exp: NOW - 7_300 } },
  'never expires': { claims: { exp: undefined } },
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
  'rejected by validate': { claims: { locked: true } },
};

const STRICT: Partial<IssuerOptions> = {
  maxTokenAgeSeconds: 3_600,
  requiredClaims: ['tenant'],
  validate: ({ claims }) => claims.locked === undefined,
};

function faultyToken(...faults: readonly string[]): string {
  const given = faults.map((fault) => FAULTS[fault] ?? {});
  const claims = Object.assign({ tenant: 'acme', iat: NOW }, ...given.map((fault) => fault.claims)) as Members;
  const header = Object.assign({}, ...given.map((fault) => fault.header)) as Members;
  return tokenWith(claims, header, given.some(({ forged }) => forged) ? stranger : KEY);
}

describe('explain', () => {
  it('returns a row for each check, all passed, for an accepted token', async () => {
    const rows = await explain(faultyToken(), STRICT);
    expect(rows.filter(({ passed }) => passed !== true)).toEqual([]);
    expect(rows.map(({ check }) => check)).toEqual([
      'form',
      'critical-extensions',
      'algorithm',
      'issuer',
      'padding',
      'algorithm-allowed',
      'type',
      'expiration',
      'signature',
      'access-token',
      'claim-types',
      'audience',
      'not-before',
      'age',
      'required-claims',
      'sender-constraint',
      'validate',
    ]);
    expect(await outcomeOf(staticVerifier(STRICT).verify(faultyToken()))).toBe('accepted');
  });

  it.each(Object.keys(FAULTS))(
    'has the refusal of `verify` in the first failed row, with a hint: %s',
    async (fault) => {
      const token = faultyToken(fault);
      const failed = firstFailed(await explain(token, STRICT));
      expect(failed?.code).toBe(await outcomeOf(staticVerifier(STRICT).verify(token)));
      expect(failed?.hint).toBeTruthy();
    },
  );

  it('has the refusal of `verify` in the first failed row, whatever else is wrong', async () => {
    const [explaining, verifying] = [staticVerifier(STRICT), staticVerifier(STRICT)];
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.constantFrom(...Object.keys(FAULTS))), async (faults) => {
        const token = faultyToken(...faults);
        const code = firstFailed(await explaining.explain(token))?.code ?? 'accepted';
        expect(code).toBe(await outcomeOf(verifying.verify(token)));
      }),
      { numRuns: 200 },
    );
  });

  it('takes linear time, whatever names a token has', async () => {
    const audience = Array.from({ length: 100 }, (_, index) => `https://api-${String(index)}.example.com`);
    // Quadratic time for each pair of names would be minutes.
    for (const name of [`${'/'.repeat(23_000)}x`, `https://a.example${'/'.repeat(23_000)}x`])
      for (const claims of [{ iss: name }, { aud: name }, { aud: name.replaceAll('//', '/,').split(',') }]) {
        const rows = await explain(tokenWith(claims), { audience });
        expect(rows.filter(({ passed }) => passed === false)).toHaveLength(1);
      }
  });

  it('continues after a failed check', async () => {
    const rows = await explain(faultyToken('expired', 'audience', 'bound', 'forged'), STRICT);
    const failed = rows.filter(({ passed }) => passed === false).map(({ code }) => code);
    expect(failed).toEqual(['TOKEN_EXPIRED', 'SIGNATURE_INVALID', 'AUDIENCE_MISMATCH', 'BINDING_UNPROVEN']);
  });

  it.each<[readonly string[], boolean]>([
    [['expired'], true],
    [['audience', 'not yet valid', 'too old', 'bound'], true],
    [['forged'], false],
    [['issuer'], false],
    [['ID token'], false],
    [['type'], false],
    [['claim types'], false],
    [['missing claim'], false],
    [['never expires'], false],
  ])('calls `validate` only with claims that it can rely on: %j: %p', async (faults, isCalled) => {
    const rows = await explain(faultyToken(...faults, 'rejected by validate'), STRICT);
    expect(rowOf(rows, 'validate')).toMatchObject(
      isCalled ? { passed: false, code: 'CLAIM_INVALID' } : { passed: undefined },
    );
  });

  it('does not call `validate` with callsValidate: false', async () => {
    const rows = await staticVerifier(STRICT).explain(faultyToken('rejected by validate'), { callsValidate: false });
    expect(rowOf(rows, 'validate')).toEqual({ check: 'validate', passed: undefined });
  });

  it('leaves open what could not be checked', async () => {
    const countUnknown = async (token: string) =>
      (await explain(token)).filter(({ passed }) => passed === undefined).length;
    expect(await countUnknown(faultyToken('issuer'))).toBe(13);
    expect(await countUnknown('not-a-token')).toBe(16);
  });

  it.each<[string, string, Members]>([
    ['issuer', `The token has "${ISSUER.slice(0, -1)}", the options have "${ISSUER}"`, { iss: ISSUER.slice(0, -1) }],
    ['issuer', 'Write it exactly as the token has it', { iss: 'http://ISSUER.example.com/' }],
    ['issuer', 'Write `issuer` exactly as `iss` has it', { iss: 'https://other.example.com/' }],
    ['audience', `The token has "${AUDIENCE}/"`, { aud: ['x', `${AUDIENCE}/`] }],
    ['audience', 'The token is for another API', { aud: 'x' }],
    ['expiration', 'It expired 2 hours ago', { exp: NOW - 7_300 }],
    ['expiration', 'It expired 60 seconds ago', { exp: NOW - 60 }],
    ['expiration', 'It expired 10 minutes ago', { exp: NOW - 600 }],
    ['expiration', 'It expired 3 days ago', { exp: NOW - 3 * 86_400 }],
    ['expiration', 'in milliseconds', { exp: NOW * 1000 }],
    ['expiration', 'The token has no `exp`', { exp: undefined }],
    ['expiration', '`exp` is not a number', { exp: '12' }],
    ['not-before', '`nbf` is 2 hours in the future', { nbf: NOW + 7_300 }],
    ['not-before', '`iat` is 2 hours in the future', { nbf: NOW + 3, iat: NOW + 7_300 }],
    ['not-before', '`iat` is 10 minutes in the future', { iat: NOW + 600 }],
    ['not-before', '`iat` is in milliseconds', { iat: NOW * 1000 }],
    ['required-claims', 'The token has no `tenant`', { tenant: undefined }],
    ['audience', "write `audienceClaim: 'client_id'`", { aud: undefined, client_id: 'app' }],
    ['audience', "write `audienceClaim: 'azp'`", { aud: undefined, azp: 'app' }],
    ['audience', 'accept tokens for any API with audience: null', { aud: undefined, client_id: 7 }],
    ['access-token', 'Its `at_hash` shows it', { at_hash: 'x' }],
    ['expiration', '`exp` is not a number', { exp: Infinity }],
  ])('has in the row %s the hint: %s', async (check, hint, claims) => {
    expect(rowOf(await explain(tokenWith(claims), { requiredClaims: ['tenant'] }), check)?.hint).toContain(hint);
  });

  it('states what is expected and what the token has, but not the token', async () => {
    const rows = await explain(tokenWith({ aud: 'other', cnf: { jkt: 'x' } }));
    expect(rowOf(rows, 'audience')).toMatchObject({ expected: [AUDIENCE], got: 'other' });
    expect(rowOf(rows, 'issuer')).toMatchObject({ expected: [ISSUER], got: ISSUER });
    expect(rowOf(rows, 'signature')).toMatchObject({ got: KEY.kid });
    expect(rowOf(rows, 'sender-constraint')).toMatchObject({ got: ['jkt'] });
    expect(JSON.stringify(rows)).not.toContain(tokenWith().split('.')[1]);
  });

  it.each<[Members, Partial<Explanation>]>([
    [{ sub: 5 }, { check: 'claim-types', claim: 'sub', expected: 'a string', got: 5 }],
    [{ exp: '12' }, { check: 'expiration', claim: 'exp', expected: 'seconds since 1970', got: '12' }],
    [{ exp: undefined }, { check: 'expiration', claim: 'exp', code: 'CLAIM_MISSING' }],
    [{ tid: 'b' }, { check: 'validate', claim: 'tid', expected: 'a', got: 'b' }],
  ])('names the claim that is wrong: %j', async (claims, expected) => {
    const validate: IssuerOptions['validate'] = (token) => {
      if ('tid' in token.claims) throw new AuthError('CLAIM_INVALID', { claim: 'tid', expected: 'a' });
      return true;
    };
    expect(firstFailed(await explain(tokenWith(claims), { validate }))).toMatchObject({ passed: false, ...expected });
  });

  it.each<[(token: string) => unknown, string | undefined, string]>([
    [(token) => `Bearer ${token}`, 'header is not base64url', 'Remove `Bearer `'],
    [(token) => `"${token}"`, 'signature is not base64url', 'Remove the quotation marks'],
    [(token) => `${token}\n`, 'signature is not base64url', 'Remove the white space'],
    [() => 'undefined', 'not three parts', 'The client sent the word "undefined"'],
    [() => 'a.b.c.d.e', 'not three parts', 'it is encrypted (JWE)'],
    [(token) => `${token}!`, 'signature is not base64url', 'Signature is not base64url. It is not a JWT'],
    [() => 7, 'not a string', 'A token is a string'],
    [() => ' {"access_token":"x"}', 'not three parts', 'It is a JSON document'],
    [(token) => token.split('.').slice(0, 2).join('.'), 'not three parts', 'It is a truncated JWT'],
    [() => 'a.b', 'not three parts', 'Not three parts. It is not a JWT'],
  ])('recognizes common mistakes in the form: %p', async (change, reason, hint) => {
    const form = rowOf(await explain(change(tokenWith()) as string), 'form');
    expect(form).toMatchObject({ passed: false, code: 'TOKEN_MALFORMED', expected: '3 parts of base64url', reason });
    expect(form?.hint).toContain(hint);
  });

  it('fetches no keys for a token that another check rejects, except with fetchesKeys: true', async () => {
    const issuer = await LocalIssuer.start([KEY]);
    const verifier = verifierOf({ issuer: issuer.url, audience: AUDIENCE });
    const claims = { iss: issuer.url, aud: AUDIENCE, exp: Math.floor(Date.now() / 1000) - 60 };
    const expired = signToken({ alg: 'ES256', kid: 'unknown' }, claims, KEY.privateKey);
    const rows = await verifier.explain(expired);
    expect([rowOf(rows, 'expiration')?.passed, rowOf(rows, 'signature')?.passed]).toEqual([false, undefined]);
    expect(issuer.requests).toEqual([]);
    const fetching = verifierOf({ issuer: issuer.url, audience: AUDIENCE });
    const unknown = { passed: false, code: 'KEY_UNKNOWN' };
    expect(rowOf(await fetching.explain(expired, { fetchesKeys: true }), 'signature')).toMatchObject(unknown);
    // Keys that are cached are used.
    await verifier.verify(issuer.token(KEY, 'ES256'));
    issuer.requests.length = 0;
    expect(rowOf(await verifier.explain(expired), 'signature')).toMatchObject(unknown);
    expect(issuer.requests).toEqual([]);
    await issuer.stop();
  });

  it.each<[unknown, Partial<Explanation>]>([
    [new RangeError('secret'), { hint: "The application's own code failed: RangeError" }],
    ['secret', { hint: "The application's own code failed: not an Error" }],
    [new AuthError('POLICY_DENIED'), { code: 'POLICY_DENIED' }],
  ])('has what `validate` throws in its row, and does not throw: %p', async (error, expected) => {
    const validate = () => {
      throw error;
    };
    const row = rowOf(await explain(tokenWith(), { validate }), 'validate');
    expect(row).toMatchObject({ check: 'validate', passed: false, ...expected });
    expect(JSON.stringify(row)).not.toContain('secret');
  });

  it('names no trusted issuers if an `issuers` function decides', async () => {
    const verifier = verifierOf({ issuers: () => undefined, clock: () => NOW * 1000 });
    expect(rowOf(await verifier.explain(tokenWith()), 'issuer')).toMatchObject({
      passed: false,
      expected: 'an issuer that the `issuers` function returns options for',
    });
  });
});
