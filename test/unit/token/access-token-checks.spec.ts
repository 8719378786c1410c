import { describe, expect, it } from '@jest/globals';
import type { AuthErrorCode, IssuerOptions, VerifiedAccessToken } from '../../../src/index.js';
import { ALGORITHM_NAMES } from '../../../src/keys/algorithms.js';
import { AuthError } from '../../../src/model/errors.js';
import {
  claimsWith,
  ISSUER,
  KEY,
  type Members,
  NOW,
  outcome,
  staticVerifier,
  tokenWith,
} from '../../support/static-verifier.js';
import { clientOf } from '../../../src/token/claims.js';
import { expiresAtSeconds } from '../../../src/token/verified-access-token.js';
import { signToken, AUDIENCE } from '../../support/local-issuer.js';
import { polluted } from '../../support/polluted.js';
import { outcomeOf } from '../../support/verifier.js';

type Options = Partial<IssuerOptions>;

/** One object for each value, with this member. */
const each = (member: string, values: readonly unknown[]): Members[] => values.map((value) => ({ [member]: value }));
const textOf = (cases: readonly Members[]) => cases.map((members) => JSON.stringify(members)).join(' ');

/** Adds a test: a token with each of these claims is accepted. */
function accepts(claims: readonly Members[], options: Options = {}): void {
  it(`accepts ${textOf(claims)} with ${JSON.stringify(options)}`, async () => {
    for (const members of claims) expect([members, await outcome(members, options)]).toEqual([members, 'accepted']);
  });
}

/** Adds a test: a token with each of these claims is rejected, and the error has these facts. */
function rejects(code: AuthErrorCode, claims: readonly Members[], options: Options = {}, detail: Members = {}): void {
  it(`rejects ${textOf(claims)} with ${JSON.stringify(options)} (${code})`, async () => {
    for (const members of claims) {
      const error: unknown = await staticVerifier(options)
        .verify(tokenWith(members))
        .catch((caught: unknown) => caught);
      expect([members, error]).toEqual([
        members,
        expect.objectContaining({ code, detail: expect.objectContaining(detail) }),
      ]);
    }
  });
}

const headerOutcome = (header: Members, options: Options = {}) => outcome({}, options, header);

describe('A polluted prototype', () => {
  /** Values that would change a decision or a result. */
  const claims = {
    ...{ iss: 'https://evil.example.com', aud: AUDIENCE, exp: NOW + 60, nbf: NOW + 99, iat: NOW, sub: 'admin', jti: 7 },
    ...{ client_id: 7, azp: 7, appid: 'evil', cid: 'evil', scope: 'admin', scp: 'admin', roles: ['admin'] },
    ...{
      permissions: ['admin'],
      cnf: {},
      at_hash: 'x',
      c_hash: 'x',
      s_hash: 'x',
      token_use: 'id',
      typ: 'ID',
      nonce: 'n',
    },
    ...{ events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, tenant: 'evil' },
    ...{ acr: 'mfa', auth_time: NOW, authorization_details: [{ type: 'payment' }] },
  };
  const header = { crit: ['exp'], kid: 'evil', alg: 'ES256' };
  const CAUSES: readonly Members[] = Object.entries({ ...claims, ...header }).map(([name, value]) => ({
    [name]: value,
  }));

  it.each([...CAUSES, { typ: 'dpop+jwt' }])('with %j changes nothing of a valid token', async (members) => {
    const decide = async () => {
      const verifier = staticVerifier({ requiredClaims: ['exp'] });
      // Without `typ` and `kid`, which are optional.
      const token = signToken({ alg: 'ES256' }, claimsWith(), KEY.privateKey);
      const verified = await verifier.verify(token);
      const { issuer, scopes, roles, permissions } = verified;
      const read = Object.fromEntries(Object.keys(claims).map((name) => [name, verified.claims[name]]));
      const times = [expiresAtSeconds(verified), clientOf(verified.claims)];
      return { issuer, scopes, roles, permissions, read, times, rows: await verifier.explain(token) };
    };
    const expected = await decide();
    expect(await polluted(members, decide)).toEqual(expected);
  });

  it.each<[keyof typeof claims, Partial<IssuerOptions>]>([
    ['aud', {}],
    ['exp', {}],
    ['iat', { maxTokenAgeSeconds: 60 }],
    ['tenant', { requiredClaims: ['tenant'] }],
    ['azp', { audienceClaim: 'azp' }],
  ])('supplies no claim %j (CLAIM_MISSING)', async (claim, options) => {
    const missing = () => outcome({ [claim]: undefined }, options);
    expect(await polluted({ [claim]: claims[claim] }, missing)).toBe('CLAIM_MISSING');
  });

  it('supplies no issuer (CLAIM_MISSING) and no algorithm (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await polluted({ iss: ISSUER }, () => outcome({ iss: undefined }))).toBe('CLAIM_MISSING');
    const [, ...rest] = tokenWith().split('.');
    const token = [Buffer.from('{}').toString('base64url'), ...rest].join('.');
    expect(await polluted({ alg: 'ES256' }, () => outcomeOf(staticVerifier().verify(token)))).toBe(
      'ALGORITHM_NOT_ALLOWED',
    );
  });

  it('supplies no claim to `validate`, at any depth', async () => {
    const validate = ({ claims: { admin, realm_access: realm } }: VerifiedAccessToken) =>
      admin === true || (realm as Members).admin === true;
    const token = () => outcome({ realm_access: { roles: [] } }, { validate });
    expect(await polluted({ admin: true }, token)).toBe('CLAIM_INVALID');
  });

  it('makes no check report only, and adds no audience', async () => {
    const reportOnly = ['audience'] as const;
    const expired = () => outcome({ exp: NOW - 60 }, { reportOnly });
    expect(await polluted({ reportOnly: 'audience' }, expired)).toBe('TOKEN_EXPIRED');
    expect(await polluted({ audience: ['other'] }, () => outcome({ aud: 'other' }))).toBe('AUDIENCE_MISMATCH');
  });

  it('leaves claims usable as other objects are', async () => {
    const { claims: found } = await staticVerifier().verify(tokenWith({ toString: 'text', realm: { a: 1 } }));
    expect(found.realm).toStrictEqual({ a: 1 });
    expect([Object.hasOwn(found, 'exp'), Object.entries(found).at(-2)?.[1], String(found.realm)]).toEqual([
      true,
      'text',
      '[object Object]',
    ]);
    // eslint-disable-next-line no-prototype-builtins -- what an application may do
    expect((found.realm as object).hasOwnProperty('a')).toBe(true);
  });
});

describe('critical-extensions', () => {
  it.each([[['b64']], [[]], [null], [false], [0], [''], [{}], ['exp']])(
    'rejects a header with `crit`: %j (HEADER_CRITICAL)',
    async (crit) => {
      expect(await headerOutcome({ crit })).toBe('HEADER_CRITICAL');
      expect(await headerOutcome({ b64: false, critical: ['b64'] })).toBe('accepted');
    },
  );
});

describe('algorithm', () => {
  const unsigned = (header: object) =>
    `${[header, claimsWith()].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
  const called: string[] = [];
  const issuers = (issuer: string) => {
    called.push(issuer);
    return undefined;
  };
  const verifier = staticVerifier({ issuer: undefined, audience: undefined, keys: undefined, issuers } as never);

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
  accepts([{}], { algorithms: ['PS256', 'ES256'] });
  rejects('ALGORITHM_NOT_ALLOWED', [{}], { algorithms: ['PS256', 'ES384'] }, { expected: ['PS256', 'ES384'] });
});

describe('type', () => {
  it('accepts at+jwt, JWT and no type by default, in any case', async () => {
    for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+JWT', 'JWT', 'jwt', undefined])
      expect([typ, await headerOutcome({ typ })]).toEqual([typ, 'accepted']);
  });

  it('rejects every other type by default (TYPE_NOT_ALLOWED)', async () => {
    const others = ['logout+jwt', 'dpop+jwt', 'id+jwt', 'at', 'at+jwt ', 'text/at+jwt', 'undefined', '', null, 0, {}];
    for (const typ of [...others, ['at+jwt']])
      expect([typ, await headerOutcome({ typ })]).toEqual([typ, 'TYPE_NOT_ALLOWED']);
  });

  it("rejects everything except at+jwt with tokenTypes: ['at+jwt'] (TYPE_NOT_ALLOWED)", async () => {
    const strict = { tokenTypes: ['at+jwt'] };
    expect(await headerOutcome({ typ: 'application/at+jwt' }, strict)).toBe('accepted');
    for (const typ of ['JWT', undefined, 'jwt']) expect(await headerOutcome({ typ }, strict)).toBe('TYPE_NOT_ALLOWED');
  });
});

describe('expiration', () => {
  accepts(each('exp', [NOW + 1, NOW + 0.5]), { clockToleranceSeconds: 0 });
  rejects('TOKEN_EXPIRED', each('exp', [NOW, 0]), { clockToleranceSeconds: 0 }, { claim: 'exp' });
  accepts([{ exp: NOW - 29.999 }], { clockToleranceSeconds: 30 });
  rejects('TOKEN_EXPIRED', [{ exp: NOW - 30 }], { clockToleranceSeconds: 30 });
  // The default is 5 seconds.
  accepts([{ exp: NOW - 4 }]);
  rejects('TOKEN_EXPIRED', [{ exp: NOW - 5 }]);
  rejects('CLAIM_MISSING', [{ exp: undefined }]);

  it.each([NaN, undefined, 'now', {}, Infinity])('rejects if the clock returns %p (TOKEN_EXPIRED)', async (now) => {
    const verifier = staticVerifier({ clock: () => now as number });
    expect(await outcomeOf(verifier.verify(tokenWith({ exp: 250_000_000_000 })))).toBe('TOKEN_EXPIRED');
  });
});

describe.each(['exp', 'nbf', 'iat'])('The time %s', (claim) => {
  const invalid = [
    null,
    '',
    String(NOW),
    '2099-01-01T00:00:00Z',
    -1,
    -1e-9,
    true,
    [NOW],
    {},
    NOW * 1000,
    253_402_300_799.5,
  ];
  rejects('CLAIM_INVALID', each(claim, invalid), {}, { claim, expected: 'seconds since 1970' });
});

describe('access-token', () => {
  const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout';
  for (const claim of ['at_hash', 'c_hash', 's_hash'])
    rejects('TYPE_NOT_ALLOWED', each(claim, ['x', '', null, 0]), {}, { claim });
  const uses = ['id', 'refresh', 'Access', '', null, false, ['access']];
  const cognito = { iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC' };
  const ofCognito = each('token_use', uses).map((claims) => ({ ...cognito, ...claims }));
  const detail = { claim: 'token_use', expected: 'access' };
  rejects('TYPE_NOT_ALLOWED', ofCognito, { issuerAliases: [cognito.iss] }, detail);
  accepts(each('token_use', uses));
  rejects('TYPE_NOT_ALLOWED', each('typ', ['ID', 'Refresh', 'Offline', 'Logout']), {}, { claim: 'typ' });
  const events = [{ other: {}, [LOGOUT]: {} }, { [LOGOUT]: null }];
  rejects('TYPE_NOT_ALLOWED', each('events', events), {}, { claim: 'events' });
  accepts([...each('at_hash', ['x']), { typ: 'ID' }, ...ofCognito], {
    idTokens: 'accept',
    issuerAliases: [cognito.iss],
  });
  rejects('TYPE_NOT_ALLOWED', each('typ', ['Refresh', 'Offline', 'Logout']), { idTokens: 'accept' }, { claim: 'typ' });
  accepts([{ token_use: 'access' }, ...each('typ', ['Bearer', 'id', null]), { hash: 'x', at_hashes: 'x' }]);
  accepts([
    { nonce: 'n', auth_time: 1, sid: 's', acr: '1', azp: 'a' },
    ...each('events', [{}, null, [LOGOUT], LOGOUT]),
  ]);
});

describe('claim-types', () => {
  for (const claim of ['sub', 'jti', 'client_id', 'azp']) {
    accepts(each(claim, ['x', '']));
    rejects('CLAIM_INVALID', each(claim, [7, null, {}, ['x'], true]), {}, { claim });
  }
  accepts(each('scope', ['read write', '', ['read', 'write'], [], undefined]));
  const scopes = [42, null, true, {}, { 0: 'read', length: 1 }, [{}], ['read', null], [['read']]];
  rejects('CLAIM_INVALID', each('scope', scopes), {}, { claim: 'scope' });
});

describe('audience', () => {
  const audience = ['https://api.example.com', 'api'];
  accepts(each('aud', ['api', 'https://api.example.com', ['api'], ['other', 'https://api.example.com']]), { audience });
  const others = ['other', '', 'API', 'api ', 'an api', 'https://api.example.com/', 'https://api.example.com api', []];
  const facts = { claim: 'aud', expected: audience };
  rejects('AUDIENCE_MISMATCH', each('aud', [...others, ['a', 'p', 'i']]), { audience }, facts);
  rejects('CLAIM_MISSING', [{ aud: undefined }], { audience }, { claim: 'aud' });
  rejects('CLAIM_INVALID', each('aud', [null, { 0: 'api' }, ['api', 1], [['api']]]), { audience }, { claim: 'aud' });

  const exclusive = { audience, exclusiveAudience: true };
  accepts(each('aud', ['api', ['api'], ['api', 'https://api.example.com']]), exclusive);
  const reason = 'another audience beside that of this API (exclusiveAudience)';
  rejects('AUDIENCE_MISMATCH', each('aud', [['api', 'other']]), exclusive, { ...facts, reason });

  const byClient = { audience: 'ours', audienceClaim: 'client_id' };
  accepts([{ client_id: 'ours' }], byClient);
  rejects('AUDIENCE_MISMATCH', [{ client_id: 'theirs', aud: 'ours' }], byClient, { claim: 'client_id' });
  rejects('CLAIM_MISSING', [{ aud: 'ours' }], byClient, { claim: 'client_id' });
});

describe.each(['nbf', 'iat'])('not-before, by %s', (claim) => {
  accepts(each(claim, [NOW, undefined]), { clockToleranceSeconds: 0 });
  rejects('TOKEN_NOT_YET_VALID', [{ [claim]: NOW + 0.001 }], { clockToleranceSeconds: 0 }, { claim });
  accepts([{ [claim]: NOW + 30 }], { clockToleranceSeconds: 30 });
  rejects('TOKEN_NOT_YET_VALID', [{ [claim]: NOW + 30.001 }], { clockToleranceSeconds: 30 });
});

describe('age', () => {
  const limit = { maxTokenAgeSeconds: 600, clockToleranceSeconds: 30 };
  accepts([{ iat: NOW - 630 }], limit);
  rejects('TOKEN_TOO_OLD', [{ iat: NOW - 630.001 }], limit, { claim: 'iat', maxTokenAgeSeconds: 600 });
  rejects('CLAIM_MISSING', [{ iat: undefined }], limit, { claim: 'iat' });
  accepts([{ iat: 0 }]);
});

describe('required-claims', () => {
  accepts(each('tenant', ['acme', '', 0]), { requiredClaims: ['tenant'] });
  rejects('CLAIM_MISSING', [{ tenant: null }, {}], { requiredClaims: ['tenant'] }, { claim: 'tenant' });
  for (const claim of ['toString', 'hasOwnProperty', '__proto__', 'constructor'])
    rejects('CLAIM_MISSING', [{}], { requiredClaims: [claim] }, { claim });
});

describe('sender-constraint', () => {
  const constraints = [{ jkt: 'x' }, { 'x5t#S256': 'x' }, {}, null, false, 0, '', []];
  rejects('BINDING_UNPROVEN', each('cnf', constraints), {}, { claim: 'cnf' });
});

describe('validate', () => {
  it('accepts the token only if the option returns true, directly or in a promise (CLAIM_INVALID)', async () => {
    for (const verdict of [true, false, undefined, null, 0, 1, '', 'true', NaN, {}, [], new Boolean(true)])
      for (const answer of [verdict, Promise.resolve(verdict)]) {
        const expected = verdict === true ? 'accepted' : 'CLAIM_INVALID';
        expect([verdict, await outcome({}, { validate: () => answer as boolean })]).toEqual([verdict, expected]);
      }
  });

  it.each([new AuthError('POLICY_DENIED', { scope: 'orders' }), new TypeError('a mistake')])(
    'rethrows %p unchanged',
    async (error) => {
      const fail = () => {
        throw error;
      };
      for (const validate of [fail, () => Promise.reject(error)])
        await expect(staticVerifier({ validate }).verify(tokenWith())).rejects.toBe(error);
    },
  );

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
