import { describe, expect, it } from '@jest/globals';
import { ALGORITHM_NAMES, isAvailable } from '../../../src/keys/algorithms.js';
import { normalizeTokenType, type ResolvedIssuer } from '../../../src/options/resolve-issuer.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { pathsOf, problemsOf } from '../../support/catching.js';

const ISSUER = 'https://issuer.example.com/';
const AUDIENCE = 'https://api.example.com';
const BASE = { issuer: ISSUER, audience: AUDIENCE };

function resolve(options: Record<string, unknown>): ResolvedIssuer {
  const { issuers } = resolveOptions({ ...BASE, ...options });
  const [issuer] = issuers as readonly ResolvedIssuer[];
  if (issuer === undefined) throw new Error('no issuer');
  return issuer;
}

const DEFAULTS = {
  issuer: ISSUER,
  names: [ISSUER],
  audience: [AUDIENCE],
  exclusiveAudience: false,
  audienceClaim: 'aud',
  keys: {
    from: 'discovery',
    uri: undefined,
    refreshSeconds: 600,
    maxStaleSeconds: 86_400,
    unknownKidCooldownSeconds: 30,
    maxBytes: 524_288,
    fallback: undefined,
    headers: undefined,
    jwksOrigins: undefined,
    timeoutMs: 5_000,
  },
  algorithms: new Set('RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')),
  tokenTypes: new Set(['at+jwt', 'jwt', undefined]),
  idTokens: 'reject',
  padding: 'reject',
  clockToleranceSeconds: 5,
  requiredClaims: [],
  maxTokenAgeSeconds: undefined,
  providerCheck: undefined,
  validate: undefined,
  claimPaths: { scopes: [['scope'], ['scp']], roles: [['roles']], permissions: [['permissions']] },
  scopeImplications: new Map(),
  reportOnly: new Set(),
};

describe('The options of an issuer', () => {
  it('have defaults, also if they are undefined', () => {
    expect(resolve({})).toStrictEqual(DEFAULTS);
    const names = Object.keys(DEFAULTS).filter(
      (name) => !['issuer', 'names', 'audience', 'providerCheck'].includes(name),
    );
    for (const name of names) expect(resolve({ [name]: undefined })).toStrictEqual(DEFAULTS);
  });

  const DAYS_366 = 366 * 86_400;
  it.each<[string, readonly unknown[]]>([
    ['issuer', [undefined, '', ' ', '\t\n', 0, 1, true, [], {}, [ISSUER], /issuer/, () => ISSUER]],
    ['audience', [undefined, '', ' ', 0, 1, true, {}, /api/, () => AUDIENCE, [], new Set([AUDIENCE])]],
    ['issuerAliases', [null, 'accounts.google.com', '', 0, true, {}]],
    ['padding', [null, '', true]],
    ['idTokens', [null, '', 'Accept', true, {}, []]],
    ['algorithms', [null, 'RS256', '', 0, true, {}, [], new Set(['RS256']), () => ['RS256']]],
    ['tokenTypes', [null, 'at+jwt', '', 0, true, {}, [], new Set(['at+jwt'])]],
    ['clockToleranceSeconds', [null, '5', '', true, [], {}, [5], -1, -0.001, 300.001, 301, NaN, Infinity, 5n]],
    ['requiredClaims', [null, 'sub', '', 0, true, {}, new Set(['sub'])]],
    ['maxTokenAgeSeconds', [null, '60', '', true, [], {}, -1, 0, 0.5, DAYS_366 + 1, NaN, Infinity, 60n]],
    ['validate', [null, 'sub', 0, true, {}, [], false]],
    ['exclusiveAudience', [null, 'true', 1]],
    ['scopeImplications', [null, 'read', 0, true, [], ['read']]],
    ['claimPaths', [null, 'roles', '', 0, true, [], ['roles']]],
    ['reportOnly', [null, 'audience', '', 0, true, {}, new Set(['audience'])]],
  ])('reject %s: %j', (name, values) => {
    for (const value of values) {
      expect([value, pathsOf(() => resolve({ [name]: value }))]).toEqual([value, [name]]);
    }
  });

  it.each<[string, unknown, string]>([
    ['audience', [AUDIENCE, ''], 'audience[1]'],
    ['audience', [' ', AUDIENCE], 'audience[0]'],
    ['audience', [AUDIENCE, undefined], 'audience[1]'],
    ['audience', [null], 'audience[0]'],
    ['audience', [AUDIENCE, 'b', ['c']], 'audience[2]'],
    ['audience', [/api/], 'audience[0]'],
    ['requiredClaims', ['sub', ''], 'requiredClaims[1]'],
    ['requiredClaims', [undefined], 'requiredClaims[0]'],
    ['requiredClaims', [1], 'requiredClaims[0]'],
    ['tokenTypes', ['at+jwt', ''], 'tokenTypes[1]'],
    ['tokenTypes', [null], 'tokenTypes[0]'],
    ['tokenTypes', [/jwt/], 'tokenTypes[0]'],
    ['algorithms', ['RS256', undefined], 'algorithms[1]'],
    ['algorithms', [null], 'algorithms[0]'],
    ['algorithms', [['RS256']], 'algorithms[0]'],
    ['algorithms', [{ toString: () => 'RS256' }], 'algorithms[0]'],
    ['scopeImplications', { admin: 'read' }, 'scopeImplications.admin'],
    ['scopeImplications', { admin: ['read', 7] }, 'scopeImplications.admin[1]'],
    ['scopeImplications', { 'a b': ['read'] }, 'scopeImplications'],
    ['scopeImplications', { admin: ['read list'] }, 'scopeImplications.admin'],
  ])('reject %s: %j (%s)', (name, value, path) => {
    expect(pathsOf(() => resolve({ [name]: value }))).toEqual([path]);
  });
});

describe('The option audience', () => {
  it('is a string or a list, and is kept exactly', () => {
    expect(resolve({ audience: 'A / a/' }).audience).toEqual(['A / a/']);
    expect(resolve({ audience: ['a', 'b'] }).audience).toEqual(['a', 'b']);
  });
});

describe('The option issuer', () => {
  const VALID = `
    https://issuer.example.com https://issuer.example.com/ https://issuer.example.com:8443/realms/a http://localhost:3000
    http://127.0.0.1:3000/realms/a http://127.1.2.3 http://[::1]:3000`;
  it.each(VALID.trim().split(/\s+/))('may be %s, and is kept exactly', (issuer) => {
    expect(resolve({ issuer }).issuer).toBe(issuer);
  });

  const INVALID = `
    http://issuer.example.com http://localhost.example.com http://127.0.0.1.example.com http://10.0.0.1
    http://[::2] http://0.0.0.0 https://user@issuer.example.com https://:password@issuer.example.com
    https://issuer.example.com/?tenant=a https://issuer.example.com/#a ftp://issuer.example.com file:///etc/passwd
    data:application/json,{} javascript:0 issuer.example.com accounts.google.com
    //issuer.example.com https:// urn:example:issuer`;
  it.each(INVALID.trim().split(/\s+/))('must not be %s if keys are discovered', (issuer) => {
    expect(pathsOf(() => resolve({ issuer }))).toEqual(['issuer']);
  });

  it.each(['accounts.google.com', 'urn:example:issuer', 'http://issuer.example.com', 'https://issuer.example.com/?a'])(
    'may be %s if keys have an address of their own',
    (issuer) => {
      const uri = 'https://keys.example.com/jwks';
      expect(resolve({ issuer, keys: { from: 'jwks', uri } }).issuer).toBe(issuer);
      expect(resolve({ issuer, keys: { from: 'discovery', uri } }).issuer).toBe(issuer);
    },
  );

  it('may be an http address with insecureAllowHttp', () => {
    const issuer = 'http://issuer.example.com';
    expect(resolve({ issuer, insecureAllowHttp: true }).issuer).toBe(issuer);
    expect(pathsOf(() => resolve({ issuer, insecureAllowHttp: false }))).toEqual(['issuer']);
    expect(pathsOf(() => resolve({ issuer, insecureAllowHttp: 'true' }))).toEqual(['insecureAllowHttp', 'issuer']);
  });

  it.each(['ftp://issuer.example.com', 'http://user@issuer.example.com', 'http://issuer.example.com/#a'])(
    'must not be %s, also with insecureAllowHttp',
    (issuer) => {
      expect(pathsOf(() => resolve({ issuer, insecureAllowHttp: true }))).toEqual(['issuer']);
    },
  );
});

describe('The option algorithms', () => {
  it.each(ALGORITHM_NAMES.filter(isAvailable).map((name) => [name]))('may be %s', (name) => {
    expect(resolve({ algorithms: [name] }).algorithms).toEqual(new Set([name]));
  });

  it('must not be an algorithm that this version of Node does not have', () => {
    const missing = ALGORITHM_NAMES.filter((name) => !isAvailable(name));
    for (const name of missing)
      expect(problemsOf(() => resolve({ algorithms: [name] }))).toEqual([
        { path: 'algorithms[0]', message: `is "${name}". It needs Node 24.6 or later, with OpenSSL 3.5.` },
      ]);
  });

  it.each(['none', 'None', 'NONE', 'nOnE', 'HS256', 'HS384', 'HS512', 'hs256', 'Hs512', 'HS1'])(
    'must not be %s, with which clients could sign tokens',
    (name) => {
      const problems = problemsOf(() => resolve({ algorithms: ['RS256', name] }));
      expect(problems).toMatchObject([{ path: 'algorithms[1]', message: expect.stringContaining('is not possible') }]);
    },
  );

  it.each('rs256|RS256 |RS1|RSA-OAEP|ES256k|ML-DSA|dir||*|toString|__proto__|constructor'.split('|'))(
    'must not be %j',
    (name) => {
      expect(pathsOf(() => resolve({ algorithms: [name] }))).toEqual(['algorithms[0]']);
    },
  );
});

describe('Tokens without a name or an audience', () => {
  const keys = { from: 'jwks', uri: 'https://keys.example.com/jwks' };

  it('need an explicit null, and keys that are not found by discovery', () => {
    expect(resolve({ issuer: null, keys })).toMatchObject({ issuer: keys.uri, names: [] });
    expect(resolve({ audience: null })).toMatchObject({ audience: null });
    expect(pathsOf(() => resolve({ issuer: null }))).toEqual(['issuer']);
    expect(pathsOf(() => resolve({ issuer: null, keys, issuerAliases: ['a'] }))).toEqual(['issuerAliases']);
    expect(pathsOf(() => resolve({ issuer: null, keys, requiredClaims: ['iss'] }))).toEqual(['requiredClaims']);
    const secret = { from: 'jwks', uri: `${keys.uri}?key=s3cret` };
    expect(resolve({ issuer: null, keys: secret }).issuer).toBe(keys.uri);
    expect(pathsOf(() => resolve({ audience: null, audienceClaim: 'azp' }))).toEqual(['audienceClaim']);
  });

  it('can be those of one entry only, and no name can be listed twice', () => {
    const entry = (issuer: unknown, more: object = {}) => ({ issuer, audience: AUDIENCE, keys, ...more });
    const resolveAll = (...issuers: readonly object[]) => pathsOf(() => resolveOptions({ issuers } as never));
    expect(resolveAll(entry(null), entry(ISSUER))).toEqual([]);
    expect(resolveAll(entry(null), entry(null))).toEqual(['issuers[1].issuer']);
    expect(resolveAll(entry(ISSUER), entry('other', { issuerAliases: [ISSUER] }))).toEqual(['issuers[1].issuer']);
  });
});

describe('The option tokenTypes', () => {
  it.each([
    [['at+jwt'], ['at+jwt']],
    [['AT+JWT'], ['at+jwt']],
    [['application/at+jwt'], ['at+jwt']],
    [['Application/AT+jwt'], ['at+jwt']],
    [['at+jwt', 'application/at+jwt'], ['at+jwt']],
    [
      ['JWT', undefined],
      ['jwt', undefined],
    ],
    [[undefined], [undefined]],
    [['text/jwt'], ['text/jwt']],
  ])('reads %j as %j', (tokenTypes, expected) => {
    expect(resolve({ tokenTypes }).tokenTypes).toEqual(new Set(expected));
  });

  it.each([
    ['at+jwt', 'at+jwt'],
    ['APPLICATION/at+JWT', 'at+jwt'],
    ['application/', ''],
    ['application/application/at+jwt', 'application/at+jwt'],
    ['x-application/at+jwt', 'x-application/at+jwt'],
    ['', ''],
  ])('reads the type %j as %j', (type, expected) => {
    expect(normalizeTokenType(type)).toBe(expected);
  });
});

describe('Other checks', () => {
  const validate = () => true;

  it.each([
    ...[0, 0.5, 5, 300].map((clockToleranceSeconds) => ({ clockToleranceSeconds })),
    ...[1, 1.5, 3_600, 366 * 86_400].map((maxTokenAgeSeconds) => ({ maxTokenAgeSeconds })),
    ...[[], ['sub'], ['sub', 'https://example.com/tenant']].map((requiredClaims) => ({ requiredClaims })),
    { validate },
    { audienceClaim: 'client_id' },
  ])('may be %j', (options) => {
    expect(resolve(options)).toMatchObject(options);
  });

  it.each([[''], [1], [null], [[]], ['iss'], ['sub'], ['exp'], ['jti']])(
    'must not have the audienceClaim %j',
    (audienceClaim) => {
      expect(pathsOf(() => resolve({ audienceClaim }))).toEqual(['audienceClaim']);
    },
  );
});

describe('A list with holes', () => {
  const holes = new Array<string>(1);

  it.each([
    [{ algorithms: holes }, 'algorithms[0]'],
    [{ algorithms: ['RS256', ...holes] }, 'algorithms[1]'],
    [{ tokenTypes: holes }, 'tokenTypes'],
    [{ tokenTypes: Object.assign(new Array(2), { 0: 'at+jwt' }) }, 'tokenTypes'],
    [{ claimPaths: { scopes: holes } }, 'claimPaths.scopes[0]'],
    [{ claimPaths: { roles: [holes] } }, 'claimPaths.roles[0]'],
    [{ claimPaths: { permissions: holes } }, 'claimPaths.permissions[0]'],
    [{ audience: holes }, 'audience[0]'],
    [{ requiredClaims: ['sub', ...holes] }, 'requiredClaims[1]'],
    [{ keys: { from: 'static', jwks: { keys: holes } } }, 'keys.jwks'],
  ])('is rejected: %j (%s)', (options, path) => {
    expect(pathsOf(() => resolve(options))).toEqual([path]);
  });
});

describe('The option reportOnly', () => {
  it.each(['exp', 'Audience', 'issuer', 'algorithms', 'signature', 'tokenType', 'validate', 'maxTokenAgeSeconds'])(
    'must not contain %s, which always rejects',
    (name) => {
      expect(pathsOf(() => resolve({ reportOnly: ['audience', name] }))).toEqual(['reportOnly[1]']);
    },
  );

  it('is a set of checks, and changes no other option', () => {
    const strict = { tokenTypes: ['at+jwt', 'x+jwt'], requiredClaims: ['sub'] };
    for (const reportOnly of [[], ['audience', 'senderConstraint', 'tokenTypes', 'requiredClaims']])
      expect(resolve({ ...strict, reportOnly })).toStrictEqual({ ...resolve(strict), reportOnly: new Set(reportOnly) });
  });
});
