import { describe, expect, it } from '@jest/globals';
import { ALGORITHM_NAMES } from '../../../src/keys/algorithms.js';
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
  audience: [AUDIENCE],
  audienceClaim: 'aud',
  keys: {
    from: 'discovery',
    uri: undefined,
    refreshSeconds: 600,
    maxStaleSeconds: 86_400,
    unknownKidCooldownSeconds: 30,
    maxBytes: 524_288,
    fallback: undefined,
    jwksOrigins: undefined,
    timeoutMs: 5_000,
  },
  algorithms: new Set([
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
    'Ed25519',
  ]),
  tokenTypes: new Set(['at+jwt', 'jwt', undefined]),
  clockToleranceSeconds: 5,
  requiredClaims: [],
  maxTokenAgeSeconds: undefined,
  providerCheck: undefined,
  validate: undefined,
  claimPaths: { scopes: [['scope'], ['scp']], roles: [['roles']], permissions: [['permissions']] },
  reportOnly: undefined,
};

describe('Options of an issuer', () => {
  it('have defaults, all but issuer and audience', () => {
    expect(resolve({})).toStrictEqual(DEFAULTS);
  });

  it.each([
    'keys',
    'algorithms',
    'tokenTypes',
    'clockToleranceSeconds',
    'requiredClaims',
    'maxTokenAgeSeconds',
    'validate',
    'claimPaths',
    'reportOnly',
  ])('take %s: undefined for the default', (name) => {
    expect(resolve({ [name]: undefined })).toStrictEqual(DEFAULTS);
  });

  const DAYS_366 = 366 * 86_400;
  it.each<[string, readonly unknown[]]>([
    ['issuer', [undefined, null, '', ' ', '\t\n', 0, 1, true, [], {}, [ISSUER], /issuer/, () => ISSUER]],
    ['audience', [undefined, null, '', ' ', 0, 1, true, {}, /api/, () => AUDIENCE, [], new Set([AUDIENCE])]],
    ['algorithms', [null, 'RS256', '', 0, true, {}, [], new Set(['RS256']), () => ['RS256']]],
    ['tokenTypes', [null, 'at+jwt', '', 0, true, {}, [], new Set(['at+jwt'])]],
    ['clockToleranceSeconds', [null, '5', '', true, [], {}, [5], -1, -0.001, 300.001, 301, NaN, Infinity, 5n]],
    ['requiredClaims', [null, 'sub', '', 0, true, {}, new Set(['sub'])]],
    ['maxTokenAgeSeconds', [null, '60', '', true, [], {}, -1, 0, 0.5, DAYS_366 + 1, NaN, Infinity, 60n]],
    ['validate', [null, 'sub', 0, true, {}, [], false]],
    ['claimPaths', [null, 'roles', '', 0, true, [], ['roles']]],
    ['reportOnly', [null, 'audience', '', 0, true, {}, new Set(['audience'])]],
  ])('refuse %s of another kind or out of range', (name, values) => {
    for (const value of values) {
      expect([value, pathsOf(() => resolve({ [name]: value }))]).toEqual([value, [name]]);
    }
  });

  it.each<[string, readonly unknown[], string]>([
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
  ])('refuse %s: %j at %s', (name, value, path) => {
    expect(pathsOf(() => resolve({ [name]: value }))).toEqual([path]);
  });
});

describe('The option audience', () => {
  it('is one string or several', () => {
    expect(resolve({ audience: 'a' }).audience).toEqual(['a']);
    expect(resolve({ audience: ['a', 'b'] }).audience).toEqual(['a', 'b']);
  });

  it('is kept as it is written: it is compared exactly', () => {
    expect(resolve({ audience: 'A / a/' }).audience).toEqual(['A / a/']);
  });

  it.each([
    ' api',
    'api\n',
    '<your API>',
    'undefined',
    'null',
    'https://undefined',
    'https://undefined/',
    'https://null:1/x',
  ])('is not what an unset or badly read variable makes of it, %j', (audience) => {
    expect(pathsOf(() => resolve({ audience }))).toEqual(['audience']);
    expect(pathsOf(() => resolve({ audience: ['api', audience] }))).toEqual(['audience[1]']);
  });
});

describe('The option issuer', () => {
  it.each([
    'https://issuer.example.com',
    'https://issuer.example.com/',
    'https://issuer.example.com:8443/realms/a',
    'http://localhost:3000',
    'http://127.0.0.1:3000/realms/a',
    'http://127.1.2.3',
    'http://[::1]:3000',
  ])('may be %s, and is kept exactly', (issuer) => {
    expect(resolve({ issuer }).issuer).toBe(issuer);
  });

  it.each([
    'http://issuer.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1',
    'http://[::2]',
    'http://0.0.0.0',
    'https://user@issuer.example.com',
    'https://:password@issuer.example.com',
    'https://issuer.example.com/?tenant=a',
    'https://issuer.example.com/#a',
    'ftp://issuer.example.com',
    'file:///etc/passwd',
    'data:application/json,{}',
    'javascript:0',
    'issuer.example.com',
    'accounts.google.com',
    '//issuer.example.com',
    'https://',
    'urn:example:issuer',
  ])('must not be %s where keys are discovered from it', (issuer) => {
    const [problem, ...others] = problemsOf(() => resolve({ issuer }));
    expect(others).toEqual([]);
    expect(problem?.path).toBe('issuer');
    expect(problem?.message).toMatch(/https address/);
  });

  it.each(['accounts.google.com', 'urn:example:issuer', 'http://issuer.example.com', 'https://issuer.example.com/?a'])(
    'may be %s where keys come from elsewhere',
    (issuer) => {
      const uri = 'https://keys.example.com/jwks';
      expect(resolve({ issuer, keys: { from: 'jwks', uri } }).issuer).toBe(issuer);
      expect(resolve({ issuer, keys: { from: 'discovery', uri } }).issuer).toBe(issuer);
    },
  );

  it('may be an http address where insecureAllowHttp is true', () => {
    const issuer = 'http://issuer.example.com';
    expect(resolve({ issuer, insecureAllowHttp: true }).issuer).toBe(issuer);
    expect(pathsOf(() => resolve({ issuer, insecureAllowHttp: false }))).toEqual(['issuer']);
    expect(pathsOf(() => resolve({ issuer, insecureAllowHttp: 'true' }))).toEqual(['insecureAllowHttp', 'issuer']);
  });

  it.each(['ftp://issuer.example.com', 'http://user@issuer.example.com', 'http://issuer.example.com/#a'])(
    'must not be %s even under insecureAllowHttp',
    (issuer) => {
      expect(pathsOf(() => resolve({ issuer, insecureAllowHttp: true }))).toEqual(['issuer']);
    },
  );
});

describe('The option algorithms', () => {
  it.each(ALGORITHM_NAMES.map((name) => [name]))('may be %s', (name) => {
    expect(resolve({ algorithms: [name] }).algorithms).toEqual(new Set([name]));
  });

  it.each(['none', 'None', 'NONE', 'nOnE', 'HS256', 'HS384', 'HS512', 'hs256', 'Hs512', 'HS1'])(
    'must not be %s, since anyone could make a token then',
    (name) => {
      const problems = problemsOf(() => resolve({ algorithms: ['RS256', name] }));
      expect(problems).toEqual([
        {
          path: 'algorithms[1]',
          message: expect.stringContaining(`${name} is not possible: anyone could make a token`),
        },
      ]);
    },
  );

  it.each([
    'rs256',
    'RS256 ',
    'ES256K',
    'RS1',
    'RSA-OAEP',
    'Ed448',
    'dir',
    '',
    '*',
    'toString',
    '__proto__',
    'constructor',
  ])('must not be %j, which is in no row of the table', (name) => {
    expect(problemsOf(() => resolve({ algorithms: [name] }))).toEqual([
      { path: 'algorithms[0]', message: expect.stringMatching(/^must be one of RS256, /) },
    ]);
  });

  it('has every wrong one told', () => {
    expect(pathsOf(() => resolve({ algorithms: ['none', 'RS256', 'HS256', 'x'] }))).toEqual([
      'algorithms[0]',
      'algorithms[2]',
      'algorithms[3]',
    ]);
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
  ])('takes %j for %j', (tokenTypes, expected) => {
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

describe('The options of time', () => {
  it.each([0, 0.5, 5, 300])('clockToleranceSeconds may be %d', (clockToleranceSeconds) => {
    expect(resolve({ clockToleranceSeconds }).clockToleranceSeconds).toBe(clockToleranceSeconds);
  });

  it.each([1, 1.5, 3_600, 366 * 86_400])('maxTokenAgeSeconds may be %d', (maxTokenAgeSeconds) => {
    expect(resolve({ maxTokenAgeSeconds }).maxTokenAgeSeconds).toBe(maxTokenAgeSeconds);
  });
});

describe('The option requiredClaims', () => {
  it.each([[[]], [['sub']], [['sub', 'https://example.com/tenant']]])('may be %j', (requiredClaims) => {
    expect(resolve({ requiredClaims }).requiredClaims).toEqual(requiredClaims);
  });
});

describe('The option validate', () => {
  it('is kept as the function that it is', () => {
    const validate = () => true;
    expect(resolve({ validate }).validate).toBe(validate);
  });
});

describe('The option claimPaths', () => {
  it.each([
    ['roles', ['roles']],
    ['realm_access.roles', ['realm_access', 'roles']],
    ['a.b.c', ['a', 'b', 'c']],
    ['https://example.com/roles', ['https://example.com/roles']],
    [['https://example.com/roles'], ['https://example.com/roles']],
    [
      ['resource_access', 'my.client', 'roles'],
      ['resource_access', 'my.client', 'roles'],
    ],
    [['roles'], ['roles']],
    ['cognito:groups', ['cognito:groups']],
  ])('takes %j for the names %j', (path, names) => {
    for (const kind of ['scopes', 'roles', 'permissions'] as const) {
      expect(resolve({ claimPaths: { [kind]: [path] } }).claimPaths[kind]).toEqual([names]);
    }
  });

  it('replaces the default of the one that is given, and of no other', () => {
    expect(resolve({ claimPaths: { roles: ['groups', 'realm_access.roles'] } }).claimPaths).toEqual({
      scopes: [['scope'], ['scp']],
      roles: [['groups'], ['realm_access', 'roles']],
      permissions: [['permissions']],
    });
  });

  it('may be an empty list, so that nothing grants', () => {
    expect(resolve({ claimPaths: { scopes: [], roles: [], permissions: [] } }).claimPaths).toEqual({
      scopes: [],
      roles: [],
      permissions: [],
    });
  });

  it('takes undefined for the default', () => {
    expect(resolve({ claimPaths: { scopes: undefined } })).toStrictEqual(DEFAULTS);
  });

  it.each([null, 'roles', '', 0, true, {}, new Set(['roles'])])('must not have %p in place of a list', (list) => {
    for (const kind of ['scopes', 'roles', 'permissions']) {
      expect(pathsOf(() => resolve({ claimPaths: { [kind]: list } }))).toEqual([`claimPaths.${kind}`]);
    }
  });

  it.each([
    [''],
    ['.'],
    ['a..b'],
    ['.a'],
    ['a.'],
    [null],
    [undefined],
    [1],
    [true],
    [{}],
    [[]],
    [['']],
    [['a', '']],
    [['a', 1]],
  ])('must not hold the path %j', (path) => {
    for (const kind of ['scopes', 'roles', 'permissions']) {
      expect(pathsOf(() => resolve({ claimPaths: { [kind]: ['good', path] } }))).toEqual([`claimPaths.${kind}[1]`]);
    }
  });

  it.each(['scope', 'role', 'Roles', 'groups'])('must not have the unknown name %s', (name) => {
    expect(pathsOf(() => resolve({ claimPaths: { [name]: ['a'] } }))).toEqual([`claimPaths.${name}`]);
  });
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
  ])('is no list of names: %j', (options, path) => {
    expect(pathsOf(() => resolve(options))).toEqual([path]);
  });
});

describe('The option reportOnly', () => {
  const STRICT = { tokenTypes: ['at+jwt', 'x+jwt'], requiredClaims: ['sub'] };

  it.each(['exp', 'Audience', 'issuer', 'algorithms', 'signature', 'tokenType', 'validate', 'maxTokenAgeSeconds'])(
    'must not name %s, which always refuses',
    (name) => {
      const [problem, ...others] = problemsOf(() => resolve({ reportOnly: ['audience', name] }));
      expect(others).toEqual([]);
      expect(problem).toEqual({
        path: 'reportOnly[1]',
        message: 'must be one of audience, senderConstraint, requiredClaims, tokenTypes',
      });
    },
  );

  it('that names nothing is none', () => {
    expect(resolve({ reportOnly: [] })).toStrictEqual(DEFAULTS);
  });

  it('keeps beside what refuses nobody the issuer as it would be without it', () => {
    const { reportOnly, ...lenient } = resolve({ ...STRICT, reportOnly: ['audience', 'senderConstraint'] });
    expect(reportOnly?.checks).toEqual(new Set(['audience', 'senderConstraint']));
    expect(reportOnly?.strict).toStrictEqual(resolve(STRICT));
    expect({ ...lenient, reportOnly: undefined }).toStrictEqual(resolve(STRICT));
  });

  it('takes from tokenTypes only what is stricter than the default', () => {
    const { tokenTypes, requiredClaims } = resolve({ ...STRICT, reportOnly: ['tokenTypes'] });
    expect(tokenTypes).toEqual(new Set(['at+jwt', 'x+jwt', 'jwt', undefined]));
    expect(requiredClaims).toEqual(['sub']);
  });

  it('takes every name from requiredClaims, and nothing else', () => {
    const { tokenTypes, requiredClaims } = resolve({ ...STRICT, reportOnly: ['requiredClaims'] });
    expect(requiredClaims).toEqual([]);
    expect(tokenTypes).toEqual(new Set(['at+jwt', 'x+jwt']));
  });

  it('cannot be changed afterwards', () => {
    const issuer = resolve({ ...STRICT, reportOnly: ['tokenTypes'] });
    expect([issuer, issuer.reportOnly, issuer.reportOnly?.strict].every((part) => Object.isFrozen(part))).toBe(true);
  });
});
