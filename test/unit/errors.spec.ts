import { describe, expect, it } from '@jest/globals';
import { AUTH_ERROR, AuthError, type AuthErrorCode, ConfigurationError, ERRORS } from '../../src/model/errors.js';

const CODES = Object.keys(ERRORS) as AuthErrorCode[];

const EXPECTED_STATUS: Record<AuthErrorCode, number> = {
  TOKEN_MISSING: 401,
  TOKEN_MALFORMED: 401,
  TOKEN_MULTIPLE: 400,
  TOKEN_TOO_LARGE: 400,
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
  PROOF_INVALID: 401,
  PROOF_REPLAYED: 401,
  NONCE_REQUIRED: 401,
  TOKEN_REVOKED: 401,
  TOKEN_INACTIVE: 401,
  AUTHENTICATION_INSUFFICIENT: 401,
  SCOPE_INSUFFICIENT: 403,
  ROLE_INSUFFICIENT: 403,
  PERMISSION_INSUFFICIENT: 403,
  AUTHORIZATION_DETAILS_INSUFFICIENT: 403,
  POLICY_DENIED: 403,
  ORIGIN_UNTRUSTED: 403,
  KEYS_UNAVAILABLE: 503,
  INTROSPECTION_UNAVAILABLE: 503,
  STORE_UNAVAILABLE: 503,
};

describe('The table of errors', () => {
  it('has every code with the status that users rely on', () => {
    const statuses = Object.fromEntries(CODES.map((code) => [code, ERRORS[code].status]));
    expect(statuses).toEqual(EXPECTED_STATUS);
  });

  const rows: readonly { code: AuthErrorCode; row: { error?: string; description: string } }[] = CODES.map((code) => ({
    code,
    row: ERRORS[code],
  }));

  describe.each(rows)('at $code', ({ code, row }) => {
    it('has a status that is 400, 401, 403 or 503', () => {
      expect([400, 401, 403, 503]).toContain(ERRORS[code].status);
    });

    it('has a description in the characters that RFC 6750 §3 allows', () => {
      expect(row.description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    });

    it('has an error of the RFCs, or none', () => {
      const { status } = ERRORS[code];
      const errors: Record<number, readonly (string | undefined)[]> = {
        400: ['invalid_request'],
        401: ['invalid_token', 'invalid_dpop_proof', 'use_dpop_nonce', 'insufficient_user_authentication', undefined],
        // ORIGIN_UNTRUSTED refuses the page that caused the request: another token would not help.
        403: ['insufficient_scope', ...(code === 'ORIGIN_UNTRUSTED' ? [undefined] : [])],
        503: [undefined],
      };
      expect(errors[status]).toContain(row.error);
    });
  });

  it('blames no token where the origin of a request is refused', () => {
    expect(ERRORS.ORIGIN_UNTRUSTED).not.toHaveProperty('error');
  });

  it('has no error in the challenge where no token of ours was sent (RFC 6750 §3.1)', () => {
    const bare = CODES.filter((code) => ERRORS[code].status === 401 && !('error' in ERRORS[code]));
    expect(bare.sort()).toEqual(['SCHEME_UNSUPPORTED', 'TOKEN_MISSING']);
  });
});

describe('AuthError', () => {
  it.each(CODES)('%s has the status and the text of its row', (code) => {
    const error = new AuthError(code);
    expect(error).toMatchObject({ code, status: ERRORS[code].status, message: ERRORS[code].description });
  });

  it('is an Error with a name, a stack and no detail unless given', () => {
    const error = new AuthError('TOKEN_MISSING');
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(AuthError);
    expect(error.name).toBe('AuthError');
    expect(error.stack).toContain('errors.spec');
    expect(error.detail).toEqual({});
    expect(error.retryAfterSeconds).toBeUndefined();
    expect('cause' in error).toBe(false);
  });

  it('keeps detail, cause and when to come back', () => {
    const cause = new Error('connection refused');
    const detail = { issuer: 'https://issuer.example.com' };
    const error = new AuthError('KEYS_UNAVAILABLE', detail, { cause, retryAfterSeconds: 7 });
    expect(error).toMatchObject({ detail, retryAfterSeconds: 7, status: 503 });
    expect(error.cause).toBe(cause);
  });

  it.each(CODES)('%s says when to come back if and only if it is not the fault of the caller', (code) => {
    expect(new AuthError(code).retryAfterSeconds).toBe(ERRORS[code].status === 503 ? 5 : undefined);
    expect(new AuthError(code, {}, { cause: 'x' }).retryAfterSeconds).toBe(ERRORS[code].status === 503 ? 5 : undefined);
  });

  it.each([0, 1, 120])('keeps %d as the seconds after which to come back', (retryAfterSeconds) => {
    for (const code of ['KEYS_UNAVAILABLE', 'STORE_UNAVAILABLE'] as const) {
      expect(new AuthError(code, {}, { retryAfterSeconds }).retryAfterSeconds).toBe(retryAfterSeconds);
    }
  });

  it('says nothing of its detail or cause in the message', () => {
    const error = new AuthError('CLAIM_INVALID', { claim: 'secret' }, { cause: new Error('secret') });
    expect(`${error.message} ${String(error)}`).not.toContain('secret');
  });

  it('is known by whoever throws a subclass of it', () => {
    class TooYoung extends AuthError {}
    class Other extends AuthError {}
    const error = new TooYoung('POLICY_DENIED');
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toBeInstanceOf(TooYoung);
    expect(error).not.toBeInstanceOf(Other);
  });

  it('is known by its brand: an error of another installed copy is one, a subclass is not guessed', () => {
    class Subclass extends AuthError {}
    const foreign = Object.assign(new Error('of another copy'), { [AUTH_ERROR]: true });
    expect(foreign).toBeInstanceOf(AuthError);
    expect(foreign).not.toBeInstanceOf(Subclass);
    expect(new AuthError('POLICY_DENIED')).not.toBeInstanceOf(Subclass);
    expect(AUTH_ERROR).toBe(Symbol.for('nestjs-resource-server.AuthError'));
  });

  it.each([
    [undefined],
    [null],
    ['TOKEN_MISSING'],
    [401],
    [{}],
    [new Error('x')],
    [{ name: 'AuthError', code: 'TOKEN_MISSING' }],
    [AuthError],
  ])('is not %p', (value) => {
    expect((value as unknown) instanceof AuthError).toBe(false);
  });
});

describe('ConfigurationError', () => {
  const problems = [
    { path: 'issuer', message: 'is missing' },
    { path: 'issuers[1].audience', message: 'must be a list' },
    { path: '', message: 'must be an object' },
  ];

  it('lists every problem in its message, each with its path', () => {
    expect(new ConfigurationError(problems).message.split('\n')).toEqual([
      'AuthModule cannot start:',
      '  - issuer: is missing',
      '  - issuers[1].audience: must be a list',
      '  - options: must be an object',
    ]);
  });

  it('has a summary of its own where it is not the start that failed', () => {
    expect(new ConfigurationError(problems, 'The tenant cannot be used').message.split('\n')).toEqual([
      'The tenant cannot be used:',
      '  - issuer: is missing',
      '  - issuers[1].audience: must be a list',
      '  - options: must be an object',
    ]);
  });

  it('is an Error that holds the problems, and no AuthError', () => {
    const error = new ConfigurationError(problems);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(AuthError);
    expect(error.name).toBe('ConfigurationError');
    // Where nobody catches it Node prints what can be enumerated, too.
    expect(Object.keys(error)).not.toContain('problems');
    expect(error.problems).toEqual(problems);
  });
});

describe('AuthError.retryAfterSeconds', () => {
  it.each([
    [1.2, 2],
    [0, 0],
    [-1, 5],
    [NaN, 5],
    [Infinity, 5],
  ])('is a number of whole seconds, as the header has it: %d is %d', (given, seconds) => {
    expect(new AuthError('STORE_UNAVAILABLE', {}, { retryAfterSeconds: given }).retryAfterSeconds).toBe(seconds);
  });
});
