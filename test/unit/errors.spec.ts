import { describe, expect, it } from '@jest/globals';
import { AUTH_ERROR, AuthError, type AuthErrorCode, ConfigurationError, ERRORS } from '../../src/model/errors.js';

const CODES = Object.keys(ERRORS) as AuthErrorCode[];

const STATUSES: Record<AuthErrorCode, number> = {
  TOKEN_MISSING: 401,
  TOKEN_MALFORMED: 401,
  TOKEN_MULTIPLE: 400,
  TOKEN_TOO_LARGE: 400,
  MESSAGES_TOO_MANY: 400,
  MCP_REQUEST_INVALID: 400,
  SCHEME_UNSUPPORTED: 401,
  ALGORITHM_NOT_ALLOWED: 401,
  TYPE_NOT_ALLOWED: 401,
  HEADER_CRITICAL: 401,
  KEY_UNKNOWN: 401,
  KEY_UNSUITABLE: 401,
  SIGNATURE_INVALID: 401,
  ISSUER_UNTRUSTED: 401,
  AUDIENCE_MISMATCH: 401,
  TOKEN_EXPIRED: 401,
  TOKEN_NOT_YET_VALID: 401,
  TOKEN_TOO_OLD: 401,
  CLAIM_MISSING: 401,
  CLAIM_INVALID: 401,
  USER_REFUSED: 401,
  BINDING_UNPROVEN: 401,
  AUTHENTICATION_INSUFFICIENT: 401,
  SCOPE_INSUFFICIENT: 403,
  ROLE_INSUFFICIENT: 403,
  PERMISSION_INSUFFICIENT: 403,
  AUTHORIZATION_DETAILS_INSUFFICIENT: 403,
  POLICY_DENIED: 403,
  ORIGIN_UNTRUSTED: 403,
  KEYS_UNAVAILABLE: 503,
};

describe('ERRORS', () => {
  it('has every code with the status that users rely on', () => {
    expect(Object.fromEntries(CODES.map((code) => [code, ERRORS[code].status]))).toEqual(STATUSES);
  });

  it.each(CODES)('%s has an `error` of the RFCs, and a description in the characters of RFC 6750 §3', (code) => {
    const { status, description, error }: { status: number; description: string; error?: string } = ERRORS[code];
    expect(description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    // RFC 6750 §3.1: no error if no bearer token was sent. For ORIGIN_UNTRUSTED another token would not help.
    const isBare = ['TOKEN_MISSING', 'SCHEME_UNSUPPORTED', 'ORIGIN_UNTRUSTED', 'KEYS_UNAVAILABLE'].includes(code);
    const byStatus: Record<number, string> = {
      400: 'invalid_request',
      401: 'invalid_token',
      403: 'insufficient_scope',
    };
    const stepUp = code === 'AUTHENTICATION_INSUFFICIENT' ? 'insufficient_user_authentication' : undefined;
    expect(error).toBe(isBare ? undefined : (stepUp ?? byStatus[status]));
  });
});

describe('AuthError', () => {
  it.each(CODES)('%s has status, message and retryAfterSeconds of its row', (code) => {
    const { status, description } = ERRORS[code];
    for (const options of [undefined, { cause: 'x' }]) {
      const error = new AuthError(code, {}, options);
      const retryAfterSeconds = status === 503 ? 5 : undefined;
      expect(error).toMatchObject({ code, status, message: description, retryAfterSeconds });
    }
  });

  it('is an Error with a name and a stack, and no detail or cause by default', () => {
    const error = new AuthError('TOKEN_MISSING');
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('AuthError');
    expect(error.stack).toContain('errors.spec');
    expect([error.detail, 'cause' in error]).toEqual([{}, false]);
  });

  it('has its detail and cause as given, but not in the message', () => {
    const cause = new Error('secret');
    const error = new AuthError('CLAIM_INVALID', { claim: 'secret' }, { cause });
    expect([error.detail, error.cause]).toEqual([{ claim: 'secret' }, cause]);
    expect(`${error.message} ${String(error)}`).not.toContain('secret');
  });

  it.each([
    [0, 0],
    [1, 1],
    [120, 120],
    [1.2, 2],
    [1e-7, 1],
    [31_622_400, 31_622_400],
    [1e10, 31_622_400],
    [1e21, 31_622_400],
    [Number.MAX_VALUE, 31_622_400],
    [-1, 5],
    [NaN, 5],
    [Infinity, 5],
    ['60\r\nSet-Cookie: a=b' as never, 5],
    [10n as never, 5],
  ])(
    'has whole seconds in retryAfterSeconds, as RFC 9110 §10.2.3 requires, and a year at most: %s: %d',
    (given, seconds) => {
      expect(new AuthError('KEYS_UNAVAILABLE', {}, { retryAfterSeconds: given }).retryAfterSeconds).toBe(seconds);
    },
  );

  it('has fields that cannot be changed, but can be marked by a logger, and a subclass can have more fields', () => {
    const detail = { claim: 'sub' };
    const error = new AuthError('CLAIM_INVALID', detail);
    expect([Object.isFrozen(error.detail), Object.isFrozen(detail)]).toEqual([true, false]);
    for (const field of ['code', 'status', 'detail', 'retryAfterSeconds'])
      expect([field, Reflect.set(error, field, 'changed'), Reflect.deleteProperty(error, field)]).toEqual([
        field,
        false,
        false,
      ]);
    expect(Reflect.set(error, Symbol('circular-ref-tag'), true)).toBe(true);
    class Locked extends AuthError {
      readonly since = 1;
    }
    expect(new Locked('USER_REFUSED')).toMatchObject({ code: 'USER_REFUSED', since: 1 });
  });

  it('is recognized by instanceof, also a subclass and an error of another installed copy', () => {
    class TooYoung extends AuthError {}
    class Other extends AuthError {}
    const error = new TooYoung('POLICY_DENIED');
    expect([error instanceof AuthError, error instanceof TooYoung, error instanceof Other]).toEqual([
      true,
      true,
      false,
    ]);
    const foreign = Object.assign(new Error('of another copy'), { [AUTH_ERROR]: true });
    expect([foreign instanceof AuthError, foreign instanceof TooYoung]).toEqual([true, false]);
    expect(new AuthError('POLICY_DENIED')).not.toBeInstanceOf(TooYoung);
    expect(AUTH_ERROR).toBe(Symbol.for('nestjs-resource-server.AuthError'));
  });

  it.each([undefined, null, 'TOKEN_MISSING', 401, {}, new Error('x'), { name: 'AuthError', code: 'TOKEN_MISSING' }])(
    'is not %p',
    (value) => {
      expect((value as unknown) instanceof AuthError).toBe(false);
    },
  );
});

describe('ConfigurationError', () => {
  const problems = [
    { path: 'issuer', message: 'is missing' },
    { path: 'issuers[1].audience', message: 'must be a list' },
    { path: '', message: 'must be an object' },
  ];
  const lines = ['  - issuer: is missing', '  - issuers[1].audience: must be a list', '  - options: must be an object'];

  it('lists every problem with its path in the message, under a summary', () => {
    expect(new ConfigurationError(problems).message).toBe(['AuthModule cannot start:', ...lines].join('\n'));
    expect(new ConfigurationError(problems, 'The tenant cannot be used').message).toBe(
      ['The tenant cannot be used:', ...lines].join('\n'),
    );
  });

  it('has the problems, which are not enumerable, because Node would print them twice', () => {
    const error = new ConfigurationError(problems);
    expect([error.name, error.problems, error instanceof AuthError]).toEqual(['ConfigurationError', problems, false]);
    expect(Object.keys(error)).not.toContain('problems');
  });
});
