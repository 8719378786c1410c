import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AuthError, type AuthErrorCode, ERRORS } from '../../../src/model/errors.js';
import { challengeFor } from '../../../src/token/challenge.js';
import { unicodeText } from '../../support/unicode-text.js';
import { parseChallenges } from '../../support/challenge-parser.js';

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

/** The one challenge of a header, parsed by a parser that is checked against vectors of its own. */
function parametersOf(header: string | undefined): Record<string, string> {
  const challenges = parseChallenges(header ?? '');
  expect(challenges).toHaveLength(1);
  expect(challenges?.[0]?.scheme).toBe('bearer');
  return challenges?.[0]?.parameters ?? {};
}

describe.each(ROWS)('The challenge for $code', ({ code, row }) => {
  const isOurFault = row.status === 503;

  it('parses into what the table says', () => {
    const header = challengeFor(new AuthError(code), undefined);
    if (isOurFault) {
      expect(header).toBeUndefined();
      return;
    }
    const { error, description } = row;
    expect(parametersOf(header)).toEqual(error === undefined ? {} : { error, error_description: description });
  });

  it('names the realm, first, where there is one', () => {
    const header = challengeFor(new AuthError(code), REALM);
    if (isOurFault) {
      expect(header).toBeUndefined();
      return;
    }
    const { error, description } = row;
    expect(Object.entries(parametersOf(header))).toEqual([
      ['realm', REALM],
      ...(error === undefined
        ? []
        : [
            ['error', error],
            ['error_description', description],
          ]),
    ]);
  });

  it(row.error === 'insufficient_scope' ? 'names the scope that is needed' : 'names no scope', () => {
    const header = challengeFor(new AuthError(code, { scope: 'read:orders write:orders' }), REALM);
    if (isOurFault) {
      expect(header).toBeUndefined();
      return;
    }
    const { scope } = parametersOf(header);
    expect(scope).toBe(row.error === 'insufficient_scope' ? 'read:orders write:orders' : undefined);
  });

  it('says nothing of the detail', () => {
    const detail = { claim: 'leak', issuer: 'leak', kid: 'leak', expected: ['leak'], reason: 'leak', error: 'leak' };
    const error = new AuthError(code, detail, { cause: new Error('leak'), retryAfterSeconds: 1 });
    expect(challengeFor(error, REALM) ?? '').not.toContain('leak');
  });

  it('is one line of printable ASCII', () => {
    expect(challengeFor(new AuthError(code, { scope: 'a' }), REALM) ?? '').toMatch(/^[\x20-\x7e]*$/);
  });
});

describe('The challenge', () => {
  it('is bare when no token was sent: then the caller may just not have known (RFC 6750 §3.1)', () => {
    expect(challengeFor(new AuthError('TOKEN_MISSING'), undefined)).toBe('Bearer');
    expect(challengeFor(new AuthError('TOKEN_MISSING'), 'orders')).toBe('Bearer realm="orders"');
  });

  it('is written as in RFC 6750 §3', () => {
    expect(challengeFor(new AuthError('TOKEN_EXPIRED'), 'example')).toBe(
      'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
    );
    expect(challengeFor(new AuthError('SCOPE_INSUFFICIENT', { scope: 'read write' }), undefined)).toBe(
      'Bearer error="insufficient_scope", error_description="The access token lacks a required scope", scope="read write"',
    );
  });

  it.each([
    ['a', 'a'],
    ['read:orders', 'read:orders'],
    ["a b c !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~", "a b c !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"],
    ['https://api.example.com/.default', 'https://api.example.com/.default'],
  ])('may name the scope %j', (scope, expected) => {
    expect(parametersOf(challengeFor(new AuthError('SCOPE_INSUFFICIENT', { scope }), undefined)).scope).toBe(expected);
  });

  it.each([
    ['a quotation mark', 'read" , error="none'],
    ['a second challenge', 'read", Basic realm="phishing'],
    ['a backslash', 'read\\'],
    ['a line break', 'read\r\nSet-Cookie: a=b'],
    ['a line feed at the end', 'read\n'],
    ['a carriage return', 'read\rwrite'],
    ['a null character', 'read\0'],
    ['a tab', 'read\twrite'],
    ['DEL', 'read\u007f'],
    ['a letter beyond ASCII', 'lésen'],
    ['a line separator', 'read\u2028write'],
    ['a lone surrogate', 'read\ud800'],
    ['two spaces', 'read  write'],
    ['a space first', ' read'],
    ['a space last', 'read '],
    ['nothing', ''],
    ['one space', ' '],
    ['a list', ['read']],
    ['a number', 1],
    ['an object that reads as a string', { toString: () => 'read' }],
    ['a String object', new String('read')],
    ['null', null],
  ])('names no scope with %s in it', (_what, scope) => {
    const challenge = challengeFor(new AuthError('SCOPE_INSUFFICIENT', { scope }), undefined);
    expect(challenge).toBe(challengeFor(new AuthError('SCOPE_INSUFFICIENT'), undefined));
  });

  it('parses into the scope it was given, or names none, whatever the scope is', () => {
    const anyText = fc.oneof(unicodeText(), fc.string({ unit: 'grapheme-ascii' }));
    fc.assert(
      fc.property(anyText, (scope) => {
        const header = challengeFor(new AuthError('SCOPE_INSUFFICIENT', { scope }), REALM);
        const parameters = parametersOf(header);
        expect([undefined, scope]).toContain(parameters.scope);
        const { scope: _scope, ...others } = parameters;
        expect(others).toEqual({
          realm: REALM,
          error: 'insufficient_scope',
          error_description: ERRORS.SCOPE_INSUFFICIENT.description,
        });
      }),
    );
  });
});

it('is bare for a code that another copy of this package knows, and this one does not', () => {
  const foreign = Object.assign(new AuthError('TOKEN_EXPIRED'), { code: 'FROM_THE_FUTURE' });
  expect(challengeFor(foreign, undefined)).toBe('Bearer');
});

describe('The challenge of a step-up (RFC 9470 §3)', () => {
  const challengeOf = (detail: Record<string, unknown>, realm?: string) =>
    challengeFor(new AuthError('AUTHENTICATION_INSUFFICIENT', detail), realm);

  it('is written as in RFC 9470 §3', () => {
    expect(challengeOf({ acrValues: 'urn:example:mfa phr', maxAgeSeconds: 5 }, 'orders')).toBe(
      'Bearer realm="orders", error="insufficient_user_authentication", ' +
        'error_description="A stronger or more recent authentication is required", acr_values="urn:example:mfa phr", max_age="5"',
    );
  });

  it.each([
    [{ acrValues: 'mfa' }, { acr_values: 'mfa' }],
    [{ maxAgeSeconds: 0 }, { max_age: '0' }],
    [{ maxAgeSeconds: 59.9 }, { max_age: '59' }],
    [{ acrValues: undefined, maxAgeSeconds: undefined }, {}],
    [{ maxAgeSeconds: '60' }, {}],
    [{ acrValues: ['mfa'] }, {}],
    [{ acrValues: '' }, {}],
    [{ acrValues: 'mfa" , error="none' }, {}],
    [{ acrValues: 'mfa\r\nSet-Cookie: a=b' }, {}],
    [{ acrValues: 'mfa  phr' }, {}],
    [{ scope: 'read' }, {}],
  ])('for %j names %j', (detail, expected) => {
    const { error, error_description: _description, ...parameters } = parametersOf(challengeOf(detail));
    expect(error).toBe('insufficient_user_authentication');
    expect(parameters).toEqual(expected);
  });

  it('is no part of any other refusal', () => {
    const detail = { acrValues: 'mfa', maxAgeSeconds: 5 };
    for (const { code, row } of ROWS) {
      if (row.status === 503 || code === 'AUTHENTICATION_INSUFFICIENT') continue;
      expect(challengeFor(new AuthError(code, detail), undefined)).toBe(challengeFor(new AuthError(code), undefined));
    }
  });

  it('parses into the values it was given, or names none, whatever they are', () => {
    fc.assert(
      fc.property(unicodeText(), fc.double(), (acrValues, maxAgeSeconds) => {
        const parameters = parametersOf(challengeOf({ acrValues, maxAgeSeconds }, REALM));
        expect([undefined, acrValues]).toContain(parameters.acr_values);
        const isSeconds = maxAgeSeconds >= 0 && maxAgeSeconds < Infinity;
        expect(Object.keys(parameters).filter((name) => name !== 'acr_values')).toEqual([
          'realm',
          'error',
          'error_description',
          ...(isSeconds ? ['max_age'] : []),
        ]);
      }),
    );
  });
});
