import { describe, expect, it } from '@jest/globals';
import { ALGORITHM_NAMES } from '../../../src/keys/algorithms.js';
import type { ResolvedIssuer } from '../../../src/options/resolve-issuer.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import {
  checkAge,
  checkAlgorithmAllowed,
  checkAudience,
  checkExpiration,
  checkIsAccessToken,
  checkNoCriticalExtension,
  checkNotBefore,
  checkRequiredClaims,
  checkSenderConstraint,
  checkTokenType,
  namedAlgorithm,
  namedKey,
} from '../../../src/token/checks.js';
import { codeOf, refusalOf } from '../../support/catching.js';

const ISSUER = 'https://issuer.example.com/';
const NOW = 1_700_000_000;

function issuerWith(options: Record<string, unknown> = {}): ResolvedIssuer {
  const { issuers } = resolveOptions({ issuer: ISSUER, audience: 'api', ...options });
  const [issuer] = issuers as readonly ResolvedIssuer[];
  if (issuer === undefined) throw new Error('no issuer');
  return issuer;
}

describe('A critical extension', () => {
  it.each([[['b64']], [[]], [null], [false], [0], [''], [undefined], [{}], ['exp']])(
    'is refused, also as %j (HEADER_CRITICAL)',
    (crit) => {
      expect(codeOf(() => checkNoCriticalExtension({ alg: 'RS256', crit }))).toBe('HEADER_CRITICAL');
    },
  );

  it('is not there in a header without `crit`', () => {
    expect(codeOf(() => checkNoCriticalExtension({ alg: 'RS256', b64: false, critical: ['b64'] }))).toBeUndefined();
  });
});

describe('The algorithm that a token names', () => {
  it.each([...ALGORITHM_NAMES])('may be %s', (alg) => {
    expect(namedAlgorithm({ alg })).toBe(alg);
  });

  it.each([['none'], ['None'], ['HS256'], ['HS384'], ['HS512'], ['rs256'], ['toString'], [''], [null], [['RS256']]])(
    'is refused as %j (ALGORITHM_NOT_ALLOWED)',
    (alg) => {
      const error = refusalOf(() => namedAlgorithm({ alg }));
      expect(error).toMatchObject({ code: 'ALGORITHM_NOT_ALLOWED', detail: { expected: ALGORITHM_NAMES } });
    },
  );

  it('is refused when there is none (ALGORITHM_NOT_ALLOWED)', () => {
    expect(codeOf(() => namedAlgorithm({}))).toBe('ALGORITHM_NOT_ALLOWED');
  });

  it('is one of those that the issuer may use, or refused with those (ALGORITHM_NOT_ALLOWED)', () => {
    const issuer = issuerWith({ algorithms: ['PS256', 'ES256'] });
    for (const name of ALGORITHM_NAMES) {
      const expected = name === 'PS256' || name === 'ES256' ? undefined : 'ALGORITHM_NOT_ALLOWED';
      expect([name, codeOf(() => checkAlgorithmAllowed(name, issuer))]).toStrictEqual([name, expected]);
    }
    expect(refusalOf(() => checkAlgorithmAllowed('RS256', issuer)).detail).toEqual({
      issuer: ISSUER,
      expected: ['PS256', 'ES256'],
    });
  });
});

describe('The key that a token names', () => {
  it.each(['a', '', ' ', '__proto__', 'é'])('is read as it is: %j', (kid) => {
    expect(namedKey({ kid })).toBe(kid);
  });

  it('may be left out', () => {
    expect(namedKey({})).toBeUndefined();
  });

  it.each([[null], [0], [1], [false], [true], [[]], [['a']], [{}]])('is refused as %j (TOKEN_MALFORMED)', (kid) => {
    expect(codeOf(() => namedKey({ kid }))).toBe('TOKEN_MALFORMED');
  });
});

describe('The type in the header', () => {
  const typed = (typ: unknown, options?: Record<string, unknown>) =>
    codeOf(() => checkTokenType(typ === undefined ? {} : { typ }, issuerWith(options)));

  it.each([['at+jwt'], ['AT+JWT'], ['application/at+jwt'], ['Application/AT+JWT'], ['JWT'], ['jwt'], [undefined]])(
    'may be %j by default',
    (typ) => {
      expect(typed(typ)).toBeUndefined();
    },
  );

  it.each([
    ['logout+jwt'],
    ['dpop+jwt'],
    ['id+jwt'],
    ['secevent+jwt'],
    ['at'],
    ['at+jwt '],
    ['text/at+jwt'],
    ['undefined'],
    [''],
    [null],
    [0],
    [false],
    [['at+jwt']],
    [{}],
  ])('is refused as %j by default (TYPE_NOT_ALLOWED)', (typ) => {
    expect(typed(typ)).toBe('TYPE_NOT_ALLOWED');
  });

  it.each([['JWT'], [undefined], ['jwt']])(
    'is refused as %j where only at+jwt is allowed (TYPE_NOT_ALLOWED)',
    (typ) => {
      expect(typed(typ, { tokenTypes: ['at+jwt'] })).toBe('TYPE_NOT_ALLOWED');
      expect(typed('application/at+jwt', { tokenTypes: ['at+jwt'] })).toBeUndefined();
    },
  );

  it('is told with those that are allowed when it is refused', () => {
    const error = refusalOf(() => checkTokenType({ typ: 'JWT' }, issuerWith({ tokenTypes: ['at+jwt', undefined] })));
    expect(error.detail).toStrictEqual({ member: 'typ', expected: ['at+jwt', undefined] });
  });
});

describe('A token of the issuer that is no access token', () => {
  const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout';

  it.each(['at_hash', 'c_hash', 's_hash'])('is refused for its %s, as an ID token (TYPE_NOT_ALLOWED)', (claim) => {
    for (const value of ['x', '', null, 0, false, undefined, []]) {
      const error = refusalOf(() => checkIsAccessToken({ sub: 'alice', [claim]: value }));
      expect(error).toMatchObject({ code: 'TYPE_NOT_ALLOWED', detail: { claim } });
    }
  });

  it.each([['id'], ['refresh'], ['Access'], ['access '], [''], [null], [false], [0], [['access']], [{}]])(
    'is refused for its token_use %j (TYPE_NOT_ALLOWED)',
    (use) => {
      const error = refusalOf(() => checkIsAccessToken({ token_use: use }));
      expect(error).toMatchObject({ code: 'TYPE_NOT_ALLOWED', detail: { claim: 'token_use', expected: 'access' } });
    },
  );

  it.each(['ID', 'Refresh', 'Offline', 'Logout'])('is refused for its claim typ %s (TYPE_NOT_ALLOWED)', (typ) => {
    const error = refusalOf(() => checkIsAccessToken({ typ }));
    expect(error).toMatchObject({ code: 'TYPE_NOT_ALLOWED', detail: { claim: 'typ' } });
  });

  it.each([[{}], [null], [0], [false]])('is refused for its logout event %j (TYPE_NOT_ALLOWED)', (event) => {
    const error = refusalOf(() => checkIsAccessToken({ events: { other: {}, [LOGOUT]: event } }));
    expect(error).toMatchObject({ code: 'TYPE_NOT_ALLOWED', detail: { claim: 'events' } });
  });

  it.each([
    [{}],
    [{ token_use: 'access' }],
    [{ token_use: undefined }],
    [{ typ: 'Bearer' }],
    [{ typ: 'id' }],
    [{ typ: null }],
    [{ nonce: 'n', auth_time: 1, sid: 's', acr: '1', azp: 'a' }],
    [{ hash: 'x', at_hashes: 'x' }],
    [{ events: {} }],
    [{ events: { 'https://example.com/event': {} } }],
    [{ events: null }],
    [{ events: LOGOUT }],
    [{ events: [LOGOUT] }],
    [{ events: 1 }],
  ])('is none of these: %j', (claims) => {
    expect(codeOf(() => checkIsAccessToken(claims))).toBeUndefined();
  });
});

describe('The end of a token', () => {
  const outcome = (exp: number, tolerance: number, now = NOW) =>
    codeOf(() => checkExpiration({ exp }, issuerWith({ clockToleranceSeconds: tolerance }), now)) ?? 'accepted';

  it.each([
    [NOW + 60, 0, 'accepted'],
    [NOW + 1, 0, 'accepted'],
    [NOW + 0.001, 0, 'accepted'],
    [NOW, 0, 'TOKEN_EXPIRED'],
    [NOW - 1, 0, 'TOKEN_EXPIRED'],
    [NOW - 29, 30, 'accepted'],
    [NOW - 29.999, 30, 'accepted'],
    [NOW - 30, 30, 'TOKEN_EXPIRED'],
    [NOW - 31, 30, 'TOKEN_EXPIRED'],
    [0, 0, 'TOKEN_EXPIRED'],
  ])('at %d with a tolerance of %d s: %s', (exp, tolerance, expected) => {
    expect(outcome(exp, tolerance)).toBe(expected);
  });

  it.each([NaN, Infinity])('is past by a clock that says %d (TOKEN_EXPIRED)', (now) => {
    expect(outcome(NOW + 60, 300, now)).toBe('TOKEN_EXPIRED');
  });

  it('is required (CLAIM_MISSING), and a time (CLAIM_INVALID)', () => {
    expect(codeOf(() => checkExpiration({}, issuerWith(), NOW))).toBe('CLAIM_MISSING');
    expect(codeOf(() => checkExpiration({ exp: String(NOW + 60) }, issuerWith(), NOW))).toBe('CLAIM_INVALID');
  });
});

describe.each(['nbf', 'iat'])('The beginning of a token, %s', (claim) => {
  const outcome = (time: unknown, tolerance = 0, now = NOW) =>
    codeOf(() => checkNotBefore({ [claim]: time }, issuerWith({ clockToleranceSeconds: tolerance }), now)) ??
    'accepted';

  it.each([
    [NOW - 60, 0, 'accepted'],
    [NOW - 1, 0, 'accepted'],
    [NOW, 0, 'accepted'],
    [NOW + 0.001, 0, 'TOKEN_NOT_YET_VALID'],
    [NOW + 1, 0, 'TOKEN_NOT_YET_VALID'],
    [NOW + 29, 30, 'accepted'],
    [NOW + 30, 30, 'accepted'],
    [NOW + 30.001, 30, 'TOKEN_NOT_YET_VALID'],
    [NOW + 31, 30, 'TOKEN_NOT_YET_VALID'],
  ])('at %d with a tolerance of %d s: %s', (time, tolerance, expected) => {
    expect(outcome(time, tolerance)).toBe(expected);
  });

  it('is told when it is refused', () => {
    const error = refusalOf(() => checkNotBefore({ nbf: NOW, iat: NOW, [claim]: NOW + 60 }, issuerWith(), NOW));
    expect(error).toMatchObject({ code: 'TOKEN_NOT_YET_VALID', detail: { claim } });
  });

  it('has not come by a clock that says NaN (TOKEN_NOT_YET_VALID)', () => {
    expect(outcome(NOW - 60, 300, NaN)).toBe('TOKEN_NOT_YET_VALID');
  });

  it('may be missing, and is a time otherwise (CLAIM_INVALID)', () => {
    expect(outcome(undefined)).toBe('accepted');
    for (const value of [null, '0', -1, true]) expect(outcome(value)).toBe('CLAIM_INVALID');
  });
});

describe('The age of a token', () => {
  const outcome = (iat: unknown, options: Record<string, unknown>, now = NOW) =>
    codeOf(() => checkAge({ iat }, issuerWith(options), now)) ?? 'accepted';

  it.each([
    [NOW, 0, 'accepted'],
    [NOW - 599, 0, 'accepted'],
    [NOW - 600, 0, 'accepted'],
    [NOW - 600.001, 0, 'TOKEN_TOO_OLD'],
    [NOW - 601, 0, 'TOKEN_TOO_OLD'],
    [NOW - 629, 30, 'accepted'],
    [NOW - 630, 30, 'accepted'],
    [NOW - 630.001, 30, 'TOKEN_TOO_OLD'],
    [NOW - 631, 30, 'TOKEN_TOO_OLD'],
    [NOW + 60, 0, 'accepted'],
  ])('issued at %d, of 600 s with a tolerance of %d s: %s', (iat, clockToleranceSeconds, expected) => {
    expect(outcome(iat, { maxTokenAgeSeconds: 600, clockToleranceSeconds })).toBe(expected);
  });

  it('is too great by a clock that says NaN (TOKEN_TOO_OLD)', () => {
    expect(outcome(NOW, { maxTokenAgeSeconds: 600 }, NaN)).toBe('TOKEN_TOO_OLD');
  });

  it('needs iat (CLAIM_MISSING), which is a time (CLAIM_INVALID)', () => {
    expect(outcome(undefined, { maxTokenAgeSeconds: 600 })).toBe('CLAIM_MISSING');
    expect(outcome('600', { maxTokenAgeSeconds: 600 })).toBe('CLAIM_INVALID');
  });

  it('has no limit, and needs no iat, where none is set', () => {
    expect(outcome(0, {})).toBe('accepted');
    expect(outcome(undefined, {})).toBe('accepted');
  });

  it('is told with its limit when it is refused', () => {
    const error = refusalOf(() => checkAge({ iat: 0 }, issuerWith({ maxTokenAgeSeconds: 600 }), NOW));
    expect(error.detail).toEqual({ claim: 'iat', maxTokenAgeSeconds: 600 });
  });
});

describe('The audience of a token', () => {
  const issuer = issuerWith({ audience: ['https://api.example.com', 'api'] });

  it.each([
    ['api'],
    ['https://api.example.com'],
    [['api']],
    [['other', 'https://api.example.com']],
    [['api', 'https://api.example.com']],
  ])('has us in it: %j', (aud) => {
    expect(codeOf(() => checkAudience({ aud }, issuer))).toBeUndefined();
  });

  it.each([
    ['other'],
    [''],
    ['API'],
    ['api '],
    ['api2'],
    ['an api'],
    ['https://api.example.com/'],
    ['https://api.example.com/api'],
    ['https://api.example.com api'],
    [[]],
    [['other', 'another']],
    [['a', 'p', 'i']],
  ])('has not: %j (AUDIENCE_MISMATCH)', (aud) => {
    const error = refusalOf(() => checkAudience({ aud }, issuer));
    expect(error).toMatchObject({
      code: 'AUDIENCE_MISMATCH',
      detail: { claim: 'aud', expected: ['https://api.example.com', 'api'] },
    });
  });

  it.each([
    [{ client_id: 'ours' }, undefined],
    [{ client_id: ['theirs', 'ours'] }, undefined],
    [{ client_id: 'theirs', aud: 'ours' }, 'AUDIENCE_MISMATCH'],
    [{ aud: 'ours' }, 'CLAIM_MISSING'],
    [{ client_id: { 0: 'ours' } }, 'CLAIM_INVALID'],
  ])('is that of another claim where it is told so: %j', (claims, code) => {
    const byClient = issuerWith({ audience: 'ours', audienceClaim: 'client_id' });
    const check = () => {
      checkAudience(claims, byClient);
    };
    expect(codeOf(check)).toBe(code);
    if (code !== undefined) expect(refusalOf(check)).toMatchObject({ detail: { claim: 'client_id' } });
  });

  it('is required (CLAIM_MISSING), and text (CLAIM_INVALID)', () => {
    expect(codeOf(() => checkAudience({}, issuer))).toBe('CLAIM_MISSING');
    expect(codeOf(() => checkAudience({ aud: ['api', 1] }, issuer))).toBe('CLAIM_INVALID');
  });
});

describe('A required claim', () => {
  const issuer = issuerWith({ requiredClaims: ['tenant', 'sub'] });

  it.each(['acme', '', 0, false, [], {}])('is there as %j', (tenant) => {
    expect(codeOf(() => checkRequiredClaims({ sub: 'alice', tenant }, issuer))).toBeUndefined();
  });

  it.each([
    [{ sub: 'alice' }, 'tenant'],
    [{ sub: 'alice', tenant: null }, 'tenant'],
    [{ tenant: 'acme' }, 'sub'],
  ])('is missing in %j: %s (CLAIM_MISSING)', (claims, claim) => {
    const error = refusalOf(() => checkRequiredClaims(claims, issuer));
    expect(error).toMatchObject({ code: 'CLAIM_MISSING', detail: { claim } });
  });

  it.each(['toString', 'hasOwnProperty', '__proto__', 'constructor'])(
    'is not found in what every object inherits: %s (CLAIM_MISSING)',
    (claim) => {
      expect(codeOf(() => checkRequiredClaims({}, issuerWith({ requiredClaims: [claim] })))).toBe('CLAIM_MISSING');
    },
  );
});

describe('A token that is bound to a key', () => {
  it.each([[{ jkt: 'x' }], [{ 'x5t#S256': 'x' }], [{}], [null], [false], [0], [''], [[]], [undefined]])(
    'is refused, whatever its cnf is: %j (BINDING_UNPROVEN)',
    (cnf) => {
      const error = refusalOf(() => checkSenderConstraint({ cnf }, issuerWith({})));
      expect(error).toMatchObject({ code: 'BINDING_UNPROVEN', detail: { claim: 'cnf' } });
    },
  );

  it('is not one without cnf', () => {
    expect(codeOf(() => checkSenderConstraint({ sub: 'alice', cnfs: {} }, issuerWith({})))).toBeUndefined();
  });
});
