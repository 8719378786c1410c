import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AUTH_ERROR, AuthError, type AuthErrorCode, ERRORS } from '../../../src/model/errors.js';
import { challengesFor } from '../../../src/token/challenge.js';
import { unicodeText } from '../../support/unicode-text.js';
import { parseChallenges } from '../../../src/cli/doctor/challenge-parser.js';

interface Row {
  status: number;
  error?: string;
  description: string;
}
const ROWS: readonly { code: AuthErrorCode; row: Row }[] = Object.entries(ERRORS).map(([code, row]) => ({
  code: code as AuthErrorCode,
  row,
}));
const REALM = "orders API (v1), it's ~ours";

/** The parameters of the only challenge. The parser is tested with vectors. */
function parametersOf(challenges: readonly string[]): Record<string, string> {
  expect(challenges).toHaveLength(1);
  const parsed = parseChallenges(challenges[0] ?? '');
  expect(parsed?.map(({ scheme }) => scheme)).toEqual(['bearer']);
  return parsed?.[0]?.parameters ?? {};
}

describe.each(ROWS)('The challenge for $code', ({ code, row }) => {
  it.each([undefined, REALM])('has the error of the table, and the realm first: %p', (realm) => {
    const detail = { claim: 'leak', issuer: 'leak', kid: 'leak', expected: ['leak'], reason: 'leak', error: 'leak' };
    const stepUp = code === 'AUTHENTICATION_INSUFFICIENT' ? {} : { acrValues: 'leak', maxAgeSeconds: 5 };
    const error = new AuthError(code, { ...detail, ...stepUp }, { cause: new Error('leak'), retryAfterSeconds: 1 });
    const challenges = challengesFor(error, { realm });
    if (row.status === 503) {
      expect(challenges).toEqual([]);
      return;
    }
    expect(challenges[0]).toMatch(/^[\x20-\x7e]+$/);
    expect(Object.entries(parametersOf(challenges))).toEqual([
      ...(realm === undefined ? [] : [['realm', realm]]),
      ...(row.error === undefined
        ? []
        : [
            ['error', row.error],
            ['error_description', row.description],
          ]),
    ]);
  });

  it('names a scope only for insufficient_scope', () => {
    if (row.status === 503) return;
    const { scope } = parametersOf(challengesFor(new AuthError(code, { scope: 'read:orders write' }), {}));
    expect(scope).toBe(row.error === 'insufficient_scope' ? 'read:orders write' : undefined);
  });
});

describe('The challenge', () => {
  it('is written as in RFC 6750 §3 and RFC 9470 §3', () => {
    expect(challengesFor(new AuthError('TOKEN_MISSING'), { realm: 'orders' })).toEqual(['Bearer realm="orders"']);
    expect(challengesFor(new AuthError('TOKEN_EXPIRED'), { realm: 'example' })).toEqual([
      'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
    ]);
    expect(challengesFor(new AuthError('SCOPE_INSUFFICIENT', { scope: 'read write' }), {})).toEqual([
      'Bearer error="insufficient_scope", error_description="The access token lacks a required scope", scope="read write"',
    ]);
    const stepUp = { acrValues: 'urn:example:mfa phr', maxAgeSeconds: 5 };
    expect(challengesFor(new AuthError('AUTHENTICATION_INSUFFICIENT', stepUp), { realm: 'orders' })).toEqual([
      'Bearer realm="orders", error="insufficient_user_authentication", ' +
        'error_description="A stronger or more recent authentication is required", acr_values="urn:example:mfa phr", max_age="5"',
    ]);
  });

  it.each([
    [401, ['Bearer']],
    [503, []],
  ])('of another installed version has a code that is unknown here, and status %d: %j', (status, expected) => {
    const foreign = { [AUTH_ERROR]: true, code: 'FROM_THE_FUTURE', status, detail: {}, message: 'unknown' };
    expect(challengesFor(foreign as unknown as AuthError, {})).toEqual(expected);
  });

  it.each(['a', "a b c !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~", 'https://api.example.com/.default'])(
    'can name the scope %j',
    (scope) => {
      expect(parametersOf(challengesFor(new AuthError('SCOPE_INSUFFICIENT', { scope }), {})).scope).toBe(scope);
    },
  );

  it.each([
    'read" , error="none',
    'read", Basic realm="phishing',
    'read\\',
    'read\r\nSet-Cookie: a=b',
    'read\n',
    'read\0',
    'read\twrite',
    'read\u007f',
    'lésen',
    'read\u2028write',
    'read\ud800',
    'read  write',
    ' read',
    'read ',
    '',
    ['read'],
    1,
    { toString: () => 'read' },
    new String('read'),
    null,
  ])('omits the scope %j', (scope) => {
    const challenges = challengesFor(new AuthError('SCOPE_INSUFFICIENT', { scope }), {});
    expect(challenges).toEqual(challengesFor(new AuthError('SCOPE_INSUFFICIENT'), {}));
  });

  it.each([
    [{ acrValues: 'mfa' }, { acr_values: 'mfa' }],
    [{ maxAgeSeconds: 0 }, { max_age: '0' }],
    [{ maxAgeSeconds: 59.9 }, { max_age: '59' }],
    [{ maxAgeSeconds: 1e-7 }, { max_age: '0' }],
    [{ maxAgeSeconds: 1e21 }, { max_age: '31622400' }],
    [{ maxAgeSeconds: '60' }, {}],
    [{ acrValues: ['mfa'] }, {}],
    [{ acrValues: '' }, {}],
    [{ acrValues: 'mfa" , error="none' }, {}],
    [{ acrValues: 'mfa\r\nSet-Cookie: a=b' }, {}],
    [{ scope: 'read' }, {}],
  ])('of a step-up with %j has the parameters %j', (detail, expected) => {
    const challenges = challengesFor(new AuthError('AUTHENTICATION_INSUFFICIENT', detail), {});
    const { error, error_description: _description, ...parameters } = parametersOf(challenges);
    expect([error, parameters]).toEqual(['insufficient_user_authentication', expected]);
  });

  const anyText = fc.oneof(unicodeText(), fc.string({ unit: 'grapheme-ascii' }));

  it('parses into the scope that it was given, or names none, whatever the scope is', () => {
    fc.assert(
      fc.property(anyText, (scope) => {
        const parameters = parametersOf(
          challengesFor(new AuthError('SCOPE_INSUFFICIENT', { scope }), { realm: REALM }),
        );
        expect([undefined, scope]).toContain(parameters.scope);
        const { error, description } = ERRORS.SCOPE_INSUFFICIENT;
        const { scope: _scope, ...others } = parameters;
        expect(others).toEqual({ realm: REALM, error, error_description: description });
      }),
    );
  });

  it('parses into the step-up that it was given, or names none, whatever it is', () => {
    fc.assert(
      fc.property(anyText, fc.double(), (acrValues, maxAgeSeconds) => {
        const error = new AuthError('AUTHENTICATION_INSUFFICIENT', { acrValues, maxAgeSeconds });
        const { acr_values: acr, ...others } = parametersOf(challengesFor(error, { realm: REALM }));
        expect([undefined, acrValues]).toContain(acr);
        const isSeconds = maxAgeSeconds >= 0 && maxAgeSeconds < Infinity;
        expect(Object.keys(others)).toEqual(['realm', 'error', 'error_description', ...(isSeconds ? ['max_age'] : [])]);
      }),
    );
  });
});
