import { describe, expect, it } from '@jest/globals';
import { AuthError, type IssuerOptions, type VerifiedAccessToken } from '../../../src/index.js';
import { ALGORITHM_NAMES } from '../../../src/keys/algorithms.js';
import { claimsWith, KEY, NOW, outcome, staticVerifier, tokenWith } from '../../support/static-verifier.js';
import { outcomeOf } from '../../support/verifier.js';

/** What the error of a rejected token contains. */
async function refusal(claims: Record<string, unknown>, options: Partial<IssuerOptions> = {}, header = {}) {
  const error: unknown = await staticVerifier(options)
    .verify(tokenWith(claims, header))
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(AuthError);
  return error as AuthError;
}

describe('critical-extensions', () => {
  it.each([[['b64']], [[]], [null], [false], [0], [''], [{}], ['exp']])(
    'rejects a header with `crit`: %j (HEADER_CRITICAL)',
    async (crit) => {
      expect(await outcome({}, {}, { crit })).toBe('HEADER_CRITICAL');
    },
  );

  it('accepts other members that look like extensions', async () => {
    expect(await outcome({}, {}, { b64: false, critical: ['b64'] })).toBe('accepted');
  });
});

describe('algorithm', () => {
  const unsigned = (header: object) =>
    `${[header, claimsWith()].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
  const called: string[] = [];
  const verifier = staticVerifier({
    issuer: undefined,
    audience: undefined,
    keys: undefined,
    issuers: (issuer: string) => {
      called.push(issuer);
      return undefined;
    },
  } as never);

  it.each(['none', 'None', 'HS256', 'HS384', 'HS512', 'rs256', 'RS1', 'toString', '', null, ['RS256'], undefined])(
    'rejects %j before the `issuers` function is called (ALGORITHM_NOT_ALLOWED)',
    async (alg) => {
      expect(await outcomeOf(verifier.verify(unsigned({ alg })))).toBe('ALGORITHM_NOT_ALLOWED');
      expect(await outcomeOf(verifier.verify(unsigned({ alg: 'RS256', crit: [] })))).toBe('HEADER_CRITICAL');
      expect(called).toEqual([]);
    },
  );

  it.each(ALGORITHM_NAMES)('accepts %s, so that the issuer is looked up', async (alg) => {
    expect(await outcomeOf(verifier.verify(unsigned({ alg })))).toBe('ISSUER_UNTRUSTED');
  });
});

describe('algorithm-allowed', () => {
  it('rejects an algorithm that the issuer must not use (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await outcome({}, { algorithms: ['PS256', 'ES256'] })).toBe('accepted');
    expect(await refusal({}, { algorithms: ['PS256', 'ES384'] })).toMatchObject({
      code: 'ALGORITHM_NOT_ALLOWED',
      detail: { expected: ['PS256', 'ES384'] },
    });
  });
});

describe('type', () => {
  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+JWT', 'JWT', 'jwt', undefined])(
    'accepts %j by default',
    async (typ) => {
      expect(await outcome({}, {}, { typ })).toBe('accepted');
    },
  );

  it.each([
    'logout+jwt',
    'dpop+jwt',
    'id+jwt',
    'at',
    'at+jwt ',
    'text/at+jwt',
    'undefined',
    '',
    null,
    0,
    ['at+jwt'],
    {},
  ])('rejects %j by default (TYPE_NOT_ALLOWED)', async (typ) => {
    expect(await outcome({}, {}, { typ })).toBe('TYPE_NOT_ALLOWED');
  });

  it.each(['JWT', undefined, 'jwt'])("rejects %j with tokenTypes: ['at+jwt'] (TYPE_NOT_ALLOWED)", async (typ) => {
    const strict = { tokenTypes: ['at+jwt'] };
    expect(await outcome({}, strict, { typ: 'application/at+jwt' })).toBe('accepted');
    expect(await refusal({}, strict, { typ })).toMatchObject({
      code: 'TYPE_NOT_ALLOWED',
      detail: { member: 'typ', expected: ['at+jwt'] },
    });
  });
});

describe('expiration', () => {
  it.each([
    [NOW + 1, 0, 'accepted'],
    [NOW + 0.5, 0, 'accepted'],
    [NOW, 0, 'TOKEN_EXPIRED'],
    [NOW - 29.999, 30, 'accepted'],
    [NOW - 30, 30, 'TOKEN_EXPIRED'],
    [NOW - 4, undefined, 'accepted'],
    [NOW - 5, undefined, 'TOKEN_EXPIRED'],
    [0, 0, 'TOKEN_EXPIRED'],
    [undefined, 0, 'CLAIM_MISSING'],
  ])('decides about `exp` %p with a tolerance of %p seconds: %s', async (exp, clockToleranceSeconds, expected) => {
    expect(await outcome({ exp }, { clockToleranceSeconds })).toBe(expected);
  });

  it.each([NaN, undefined, 'now', {}, Infinity])('rejects if the clock returns %p (TOKEN_EXPIRED)', async (now) => {
    const verifier = staticVerifier({ clock: () => now as number });
    expect(await outcomeOf(verifier.verify(tokenWith({ exp: 250_000_000_000 })))).toBe('TOKEN_EXPIRED');
  });
});

describe.each(['exp', 'nbf', 'iat'])('The time %s', (claim) => {
  it.each<unknown>([
    null,
    '',
    '1700000000',
    '2099-01-01T00:00:00Z',
    -1,
    -1e-9,
    true,
    [NOW],
    {},
    NOW * 1000,
    253_402_300_799.5,
  ])('must be seconds since 1970, not %j (CLAIM_INVALID)', async (value) => {
    expect(await refusal({ [claim]: value })).toMatchObject({
      code: 'CLAIM_INVALID',
      detail: { claim, expected: 'seconds since 1970' },
    });
  });
});

describe('access-token', () => {
  const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout';

  it.each<[string, Record<string, unknown>]>([
    ...['at_hash', 'c_hash', 's_hash'].flatMap((claim) =>
      ['x', '', null, 0].map((value) => [claim, { [claim]: value }] as [string, Record<string, unknown>]),
    ),
    ...['id', 'refresh', 'Access', '', null, false, ['access']].map(
      (use) => ['token_use', { token_use: use }] as [string, Record<string, unknown>],
    ),
    ...['ID', 'Refresh', 'Offline', 'Logout'].map((typ) => ['typ', { typ }] as [string, Record<string, unknown>]),
    ['events', { events: { other: {}, [LOGOUT]: {} } }],
    ['events', { events: { [LOGOUT]: null } }],
  ])('rejects an ID, refresh or logout token by its claim %s: %j (TYPE_NOT_ALLOWED)', async (claim, claims) => {
    expect(await refusal(claims)).toMatchObject({ code: 'TYPE_NOT_ALLOWED', detail: { claim } });
  });

  it.each([
    { token_use: 'access' },
    { typ: 'Bearer' },
    { typ: 'id' },
    { typ: null },
    { nonce: 'n', auth_time: 1, sid: 's', acr: '1', azp: 'a' },
    { hash: 'x', at_hashes: 'x' },
    { events: {} },
    { events: null },
    { events: [LOGOUT] },
    { events: LOGOUT },
  ])('accepts the claims %j', async (claims) => {
    expect(await outcome(claims)).toBe('accepted');
  });
});

describe('claim-types', () => {
  it.each(['sub', 'jti', 'client_id', 'azp'])('rejects a %s that is no string (CLAIM_INVALID)', async (claim) => {
    for (const value of [7, null, {}, ['x'], true])
      expect(await refusal({ [claim]: value })).toMatchObject({ code: 'CLAIM_INVALID', detail: { claim } });
    for (const value of ['x', '']) expect(await outcome({ [claim]: value })).toBe('accepted');
  });

  it.each<unknown>([42, null, true, {}, { 0: 'read', length: 1 }, [{}], ['read', null], [['read']]])(
    'rejects the scope %j (CLAIM_INVALID)',
    async (scope) => {
      expect(await refusal({ scope })).toMatchObject({ code: 'CLAIM_INVALID', detail: { claim: 'scope' } });
    },
  );

  it.each(['read write', '', ['read', 'write'], [], undefined])('accepts the scope %j', async (scope) => {
    expect(await outcome({ scope })).toBe('accepted');
  });
});

describe('audience', () => {
  const audience = ['https://api.example.com', 'api'];

  it.each(['api', 'https://api.example.com', ['api'], ['other', 'https://api.example.com']])(
    'accepts %j',
    async (aud) => {
      expect(await outcome({ aud }, { audience })).toBe('accepted');
    },
  );

  it.each([
    'other',
    '',
    'API',
    'api ',
    'an api',
    'https://api.example.com/',
    'https://api.example.com api',
    [],
    ['a', 'p', 'i'],
  ])('rejects %j (AUDIENCE_MISMATCH)', async (aud) => {
    expect(await refusal({ aud }, { audience })).toMatchObject({
      code: 'AUDIENCE_MISMATCH',
      detail: { claim: 'aud', expected: audience },
    });
  });

  it.each<[unknown, string]>([
    [undefined, 'CLAIM_MISSING'],
    [null, 'CLAIM_INVALID'],
    [{ 0: 'api' }, 'CLAIM_INVALID'],
    [['api', 1], 'CLAIM_INVALID'],
    [[['api']], 'CLAIM_INVALID'],
  ])('rejects %j, which is no audience (%s)', async (aud, code) => {
    expect(await refusal({ aud }, { audience })).toMatchObject({ code, detail: { claim: 'aud' } });
  });

  it.each([
    [{ client_id: 'ours' }, 'accepted'],
    [{ client_id: 'theirs', aud: 'ours' }, 'AUDIENCE_MISMATCH'],
    [{ aud: 'ours' }, 'CLAIM_MISSING'],
  ])('compares the claim of `audienceClaim` instead of `aud`: %j: %s', async (claims, expected) => {
    expect(await outcome(claims, { audience: 'ours', audienceClaim: 'client_id' })).toBe(expected);
  });
});

describe.each(['nbf', 'iat'])('not-before, by %s', (claim) => {
  it.each([
    [NOW, 0, 'accepted'],
    [NOW + 0.001, 0, 'TOKEN_NOT_YET_VALID'],
    [NOW + 30, 30, 'accepted'],
    [NOW + 30.001, 30, 'TOKEN_NOT_YET_VALID'],
    [undefined, 0, 'accepted'],
  ])('decides about %p with a tolerance of %d seconds: %s', async (time, clockToleranceSeconds, expected) => {
    expect(await outcome({ [claim]: time }, { clockToleranceSeconds })).toBe(expected);
  });
});

describe('age', () => {
  it.each([
    [NOW - 600, 0, 'accepted'],
    [NOW - 600.001, 0, 'TOKEN_TOO_OLD'],
    [NOW - 630, 30, 'accepted'],
    [NOW - 630.001, 30, 'TOKEN_TOO_OLD'],
    [undefined, 0, 'CLAIM_MISSING'],
  ])('decides about `iat` %p with a tolerance of %d seconds: %s', async (iat, clockToleranceSeconds, expected) => {
    expect(await outcome({ iat }, { maxTokenAgeSeconds: 600, clockToleranceSeconds })).toBe(expected);
  });

  it('has no limit by default', async () => {
    expect(await outcome({ iat: 0 })).toBe('accepted');
  });
});

describe('required-claims', () => {
  it.each([
    [{ tenant: 'acme' }, 'accepted'],
    [{ tenant: '' }, 'accepted'],
    [{ tenant: 0 }, 'accepted'],
    [{ tenant: null }, 'CLAIM_MISSING'],
    [{}, 'CLAIM_MISSING'],
  ])('decides about %j: %s', async (claims, expected) => {
    expect(await outcome(claims, { requiredClaims: ['tenant'] })).toBe(expected);
  });

  it.each(['toString', 'hasOwnProperty', '__proto__', 'constructor'])(
    'ignores inherited members such as %s (CLAIM_MISSING)',
    async (claim) => {
      expect(await refusal({}, { requiredClaims: [claim] })).toMatchObject({
        code: 'CLAIM_MISSING',
        detail: { claim },
      });
    },
  );
});

describe('sender-constraint', () => {
  it.each<unknown>([{ jkt: 'x' }, { 'x5t#S256': 'x' }, {}, null, false, 0, '', []])(
    'rejects a token with `cnf`, whatever it contains: %j (BINDING_UNPROVEN)',
    async (cnf) => {
      expect(await refusal({ cnf })).toMatchObject({ code: 'BINDING_UNPROVEN', detail: { claim: 'cnf' } });
    },
  );
});

describe('validate', () => {
  it('accepts the token only if the option returns true, directly or in a promise (CLAIM_INVALID)', async () => {
    for (const verdict of [true, false, undefined, null, 0, 1, '', 'true', NaN, {}, [], new Boolean(true)])
      for (const answer of [verdict, Promise.resolve(verdict)]) {
        const validate = (() => answer) as never;
        expect([verdict, await outcome({}, { validate })]).toEqual([
          verdict,
          verdict === true ? 'accepted' : 'CLAIM_INVALID',
        ]);
      }
  });

  it.each([
    ['an AuthError', new AuthError('POLICY_DENIED', { scope: 'orders' })],
    ['another error', new TypeError('a mistake')],
  ])('rethrows %s unchanged', async (_what, error) => {
    const fail = () => {
      throw error;
    };
    for (const validate of [fail, () => Promise.reject(error)])
      await expect(staticVerifier({ validate }).verify(tokenWith())).rejects.toBe(error);
  });

  it('receives the verified token after every other check', async () => {
    const calls: VerifiedAccessToken[] = [];
    const validate = (token: VerifiedAccessToken) => calls.push(token) > 0;
    const verifier = staticVerifier({ validate, requiredClaims: ['tenant'] });
    expect(await outcomeOf(verifier.verify(tokenWith()))).toBe('CLAIM_MISSING');
    expect(calls).toEqual([]);
    expect([await verifier.verify(tokenWith({ tenant: 'acme' }))]).toEqual(calls);
    expect(calls).toMatchObject([{ claims: claimsWith({ tenant: 'acme' }), header: { alg: 'ES256', kid: KEY.kid } }]);
  });
});
