import { describe, expect, it, jest } from '@jest/globals';
import { ConfigurationError } from '../../../src/model/errors.js';
import type { IssuerOptions, ModuleExtras, ResourceServerOptions } from '../../../src/options/options.js';
import type { ResolvedIssuer } from '../../../src/options/resolve-issuer.js';
import { resolveOptions, type ResolvedIssuerResolver } from '../../../src/options/resolve-options.js';
import { newKey } from '../../support/local-issuer.js';
import { FileKeyStore } from '../../../src/store/file-key-store.js';
import { pathsOf, problemsOf } from '../../support/catching.js';

const ISSUER = 'https://issuer.example.com/';
const OTHER_ISSUER = 'https://other.example.com/';
const AUDIENCE = 'https://api.example.com';
const BASE = { issuer: ISSUER, audience: AUDIENCE };

// Options as they come out of a configuration: the types say nothing about them.
const resolve = (options: unknown, extras?: unknown) =>
  resolveOptions(options as ResourceServerOptions, extras as ModuleExtras | undefined);

function listed(options: unknown): readonly ResolvedIssuer[] {
  const { issuers } = resolve(options);
  if (typeof issuers === 'function') throw new Error('is a resolver');
  return issuers;
}

function resolver(options: unknown): ResolvedIssuerResolver {
  const { issuers } = resolve(options);
  if (typeof issuers !== 'function') throw new Error('is a list');
  return issuers;
}

async function rejectedPaths(resolution: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await resolution.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigurationError)) throw new Error('no ConfigurationError', { cause: error });
  return error.problems.map(({ path }) => path);
}

describe('Options of the module as a whole', () => {
  it('have defaults', () => {
    expect(resolve(BASE)).toMatchObject({
      user: undefined,
      realm: undefined,
      fetch: undefined,
      warmUp: 'off',
      keyStore: undefined,
      tokenCache: { maxEntries: 10_000, maxAgeSeconds: 300 },
      clock: expect.any(Function),
      insecureAllowHttp: false,
      tokenFrom: [{ from: 'bearer-header' }],
      require: [],
      connections: { renewalGraceSeconds: 0 },
    });
  });

  it('are taken as they are given', () => {
    const options = {
      user: () => ({ name: 'alice' }),
      realm: 'orders API (v1)',
      fetch: globalThis.fetch,
      warmUp: 'required',
      keyStore: new FileKeyStore('keys'),
      tokenCache: { maxEntries: 5, maxAgeSeconds: 6 },
      clock: () => 0,
      insecureAllowHttp: true,
    };
    const resolved = resolve({ ...BASE, ...options });
    for (const [name, value] of Object.entries(options)) {
      expect([name, resolved[name as keyof typeof options]]).toEqual([name, value]);
    }
  });

  it('that are undefined have their defaults', () => {
    const names = ['user', 'realm', 'fetch', 'clock', 'warmUp', 'keyStore', 'tokenCache', 'tokenFrom', 'require'];
    names.push('connections');
    const unset = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(resolve({ ...BASE, ...unset, insecureAllowHttp: undefined })).toEqual(resolve(BASE));
  });

  it.each([
    ['user', [null, 'alice', 1, {}, true]],
    ['fetch', [null, 'fetch', 1, {}, true]],
    ['tokenCache', [null, true, 1, 'on', []]],
    ['connections', [null, true, 1, 'on', []]],
    ['warmUp', [null, true, 'on', 'Required', 1, {}]],
    ['keyStore', [null, 'keys', 1, {}, true, { load: () => undefined }, { save: () => undefined, load: 1 }]],
    ['clock', [null, 0, 'now', {}, new Date(0)]],
    ['insecureAllowHttp', [null, 'true', 'false', 0, 1, {}]],
    ['realm', [null, 1, true, {}, ['a']]],
    ['realm', ['', 'a"b', 'a\\b', 'a\nb', 'a\r\nX-Injected: 1', 'a\tb', 'a\0b', 'über', 'a\u007f', '\u2028']],
  ])('refuse %s of another kind: %j', (name, values) => {
    for (const value of values) {
      expect([value, pathsOf(() => resolve({ ...BASE, [name]: value }))]).toEqual([value, [name]]);
    }
  });

  it.each(['audiance', 'jwksUri', 'ignoreExpiration', 'secretOrKey', 'Issuer', 'cacheTtl', ''])(
    'refuse the unknown name %j, with its path',
    (name) => {
      const [problem, ...others] = problemsOf(() => resolve({ ...BASE, [name]: true }));
      expect(others).toEqual([]);
      expect(problem).toMatchObject({
        path: name,
        message: expect.stringMatching(/^is not an option; there are issuer/),
      });
    },
  );

  it('refuse an unknown name even where its value is undefined: a check that was believed in', () => {
    expect(pathsOf(() => resolve({ ...BASE, audiences: undefined }))).toEqual(['audiences']);
  });

  it.each([[undefined], [null], ['https://issuer.example.com/'], [1], [true], [[]], [[BASE]], [() => BASE]])(
    'refuse %p in place of an object',
    (options) => {
      expect(problemsOf(() => resolve(options))[0]).toEqual({ path: '', message: 'must be an object' });
      expect(() => resolve(options)).toThrow('  - options: must be an object');
    },
  );

  it('refuse what belongs beside `useFactory`: guard and isGlobal', () => {
    const problems = problemsOf(() => resolve({ ...BASE, guard: 'manual', isGlobal: true }));
    expect(problems.map(({ path }) => path)).toEqual(['guard', 'isGlobal']);
    expect(problems[0]?.message).toContain('useFactory');
  });

  it.each([
    [{ guard: 'off' }, ['guard']],
    [{ guard: '' }, ['guard']],
    [{ guard: null }, ['guard']],
    [{ guard: false }, ['guard']],
    [{ isGlobal: 'yes' }, ['isGlobal']],
    [{ isGlobal: null }, ['isGlobal']],
    [{ guard: Map }, ['guard']],
    [{ guard: 1, isGlobal: 1 }, ['guard', 'isGlobal']],
    [{}, []],
    [{ guard: undefined, isGlobal: undefined }, []],
    [{ guard: 'global', isGlobal: true }, []],
    [{ guard: 'manual', isGlobal: false }, []],
  ])('with %j beside them have problems at %j', (extras, paths) => {
    expect(pathsOf(() => resolve(BASE, extras))).toEqual(paths);
  });
});

describe('The option claimPaths', () => {
  const rolesOf = (path: unknown) => resolve({ ...BASE, claimPaths: { roles: [path] } }).issuers;

  it.each<[string, readonly string[]]>([
    ['roles', ['roles']],
    ['realm_access.roles', ['realm_access', 'roles']],
    ['cognito:groups', ['cognito:groups']],
    ['https://example.com/roles', ['https://example.com/roles']],
    ['https://example.com/app["roles"]', ['https://example.com/app', 'roles']],
    ['resource_access["my.client"].roles', ['resource_access', 'my.client', 'roles']],
    ["resource_access['my.client'].roles", ['resource_access', 'my.client', 'roles']],
    ['["https://example.com/app"].roles', ['https://example.com/app', 'roles']],
    ['a["b"]["c.d"]', ['a', 'b', 'c.d']],
  ])('takes %s for a path', (path, names) => {
    expect(rolesOf(path)).toMatchObject([{ claimPaths: { roles: [names] } }]);
  });

  it('takes the names of the members of an object', () => {
    expect(rolesOf({ keysOf: 'urn:zitadel:iam:org:project:roles' })).toMatchObject([
      { claimPaths: { roles: [{ keysOf: ['urn:zitadel:iam:org:project:roles'] }] } },
    ]);
    expect(rolesOf({ keysOf: ['a', 'b.c'] })).toMatchObject([{ claimPaths: { roles: [{ keysOf: ['a', 'b.c'] }] } }]);
  });

  it.each([
    [{}],
    [{ keysOf: '' }],
    [{ keysOf: [] }],
    [{ keysOf: 'a', of: 'b' }],
    [{ keysOf: { keysOf: 'a' } }],
    [[]],
    [['']],
  ])('does not take %j', (path) => {
    expect(pathsOf(() => rolesOf(path))).toEqual(['claimPaths.roles[0]']);
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a[b]',
    'a["b',
    'a["b"',
    'a["b\']',
    'a[""]',
    'a["b"]c',
    'a.["b"]',
    'a"b"',
    '[]',
  ])('does not take %s, which would grant nothing without a word', (path) => {
    expect(pathsOf(() => rolesOf(path))).toEqual(['claimPaths.roles[0]']);
  });
});

describe('The option audienceClaim', () => {
  it('names the claim that is compared with `audience`; by default `aud`', () => {
    expect(resolve(BASE).issuers).toMatchObject([{ audienceClaim: 'aud' }]);
    expect(resolve({ ...BASE, audienceClaim: 'client_id' }).issuers).toMatchObject([{ audienceClaim: 'client_id' }]);
  });

  it.each([[''], [1], [null], [[]], ['iss'], ['sub'], ['exp'], ['jti']])('must not be %j', (audienceClaim) => {
    expect(pathsOf(() => resolve({ ...BASE, audienceClaim }))).toEqual(['audienceClaim']);
  });

  it('belongs into each of `issuers`', () => {
    expect(pathsOf(() => resolve({ issuers: [BASE], audienceClaim: 'client_id' }))).toEqual(['audienceClaim']);
  });
});

describe('The option tokenCache', () => {
  const cache = (tokenCache: unknown) => resolve({ ...BASE, tokenCache }).tokenCache;

  it('may be set in part, and switched off', () => {
    expect(cache({})).toEqual({ maxEntries: 10_000, maxAgeSeconds: 300 });
    expect(cache({ maxEntries: 1 })).toEqual({ maxEntries: 1, maxAgeSeconds: 300 });
    expect(cache({ maxAgeSeconds: 86_400 })).toEqual({ maxEntries: 10_000, maxAgeSeconds: 86_400 });
    expect(cache(false)).toBeUndefined();
    expect(Object.isFrozen(cache({}))).toBe(true);
  });

  it.each([
    [{ maxEntries: 0 }, 'tokenCache.maxEntries'],
    [{ maxEntries: 1.5 }, 'tokenCache.maxEntries'],
    [{ maxEntries: Infinity }, 'tokenCache.maxEntries'],
    [{ maxEntries: '10' }, 'tokenCache.maxEntries'],
    [{ maxAgeSeconds: 0 }, 'tokenCache.maxAgeSeconds'],
    [{ maxAgeSeconds: 86_401 }, 'tokenCache.maxAgeSeconds'],
    [{ ttl: 1 }, 'tokenCache.ttl'],
  ])('must not be %j', (tokenCache, path) => {
    expect(pathsOf(() => cache(tokenCache))).toEqual([path]);
  });
});

describe('The option connections', () => {
  const graceOf = (connections: unknown) => resolve({ ...BASE, connections }).connections;

  it('may give a time of grace', () => {
    expect(graceOf({})).toEqual({ renewalGraceSeconds: 0 });
    expect(graceOf({ renewalGraceSeconds: 0.5 })).toEqual({ renewalGraceSeconds: 0.5 });
    expect(graceOf({ renewalGraceSeconds: 86_400 })).toEqual({ renewalGraceSeconds: 86_400 });
    expect(Object.isFrozen(graceOf({}))).toBe(true);
  });

  it.each([
    [{ renewalGraceSeconds: -1 }, 'connections.renewalGraceSeconds'],
    [{ renewalGraceSeconds: 86_401 }, 'connections.renewalGraceSeconds'],
    [{ renewalGraceSeconds: NaN }, 'connections.renewalGraceSeconds'],
    [{ renewalGraceSeconds: '5' }, 'connections.renewalGraceSeconds'],
    [{ grace: 5 }, 'connections.grace'],
  ])('must not be %j', (connections, path) => {
    expect(pathsOf(() => graceOf(connections))).toEqual([path]);
  });
});

describe('Problems of the options', () => {
  const options = {
    issuers: [
      { issuer: '', audience: undefined, algorithms: ['none', 'RS256', 'HS512'], tokenTypes: [''], realm: 'x' },
      {
        issuer: 'http://issuer.example.com',
        audience: ['ok', ''],
        keys: { from: 'discovery', url: 'x', timeoutMs: '5' },
        claimPaths: { scope: [], roles: ['a', []] },
      },
      {
        issuer: ISSUER,
        audience: AUDIENCE,
        keys: { from: 'static', jwks: { keys: [{ kty: 'RSA', d: 'x' }] }, uri: 'x' },
      },
      { issuer: ISSUER, audience: AUDIENCE, keys: { from: 'jwks' } },
      'https://issuer.example.com',
    ],
    issuer: ISSUER,
    audience: AUDIENCE,
    clockToleranceSeconds: -1,
    requiredClaims: ['sub', ''],
    realm: '"',
    user: 'alice',
    unknown: 1,
  };
  const paths = [
    'unknown',
    'guard',
    'issuer',
    'audience',
    'clockToleranceSeconds',
    'requiredClaims[1]',
    'issuers[0].realm',
    'issuers[0].issuer',
    'issuers[0].audience',
    'issuers[0].algorithms[0]',
    'issuers[0].algorithms[2]',
    'issuers[0].tokenTypes[0]',
    'issuers[1].audience[1]',
    'issuers[1].keys.url',
    'issuers[1].issuer',
    'issuers[1].keys.timeoutMs',
    'issuers[1].claimPaths.scope',
    'issuers[1].claimPaths.roles[1]',
    'issuers[2].keys.uri',
    'issuers[2].keys.jwks.keys[0]',
    'issuers[3].keys.uri',
    'issuers[4]',
    'issuers[4].issuer',
    'issuers[4].audience',
    'issuers[3].issuer',
    'user',
    'realm',
  ];

  it('are all told at once, each with its path', () => {
    expect([...pathsOf(() => resolve(options, { guard: 'off' }))].sort()).toEqual([...paths].sort());
  });

  it('all stand in the message of the one error, a line each', () => {
    const { message } = new ConfigurationError(problemsOf(() => resolve(options, { guard: 'off' })));
    expect(() => resolve(options, { guard: 'off' })).toThrow(message);
    const lines = message.split('\n').slice(1);
    expect(lines).toHaveLength(paths.length);
    for (const path of paths) expect(lines.some((line) => line.startsWith(`  - ${path}: `))).toBe(true);
  });

  it('cannot be changed by who catches them', () => {
    expect(Object.isFrozen(problemsOf(() => resolve({})))).toBe(true);
  });

  it('of options that an environment variable left empty are a missing issuer and a missing audience', () => {
    for (const unset of [undefined, '', null]) {
      const problems = problemsOf(() => resolve({ issuer: unset, audience: unset }));
      expect(problems.map(({ path }) => path)).toEqual(['issuer', 'audience']);
      for (const { message } of problems) expect(message).toMatch(/^is missing: /);
    }
  });
});

describe('A list of issuers', () => {
  it('gives each its own options, frozen', () => {
    const [first, second, ...others] = listed({
      issuers: [
        { ...BASE, clockToleranceSeconds: 1 },
        { issuer: OTHER_ISSUER, audience: ['a', 'b'], algorithms: ['ES256'] },
      ],
    });
    expect(others).toEqual([]);
    expect(first).toMatchObject({ issuer: ISSUER, audience: [AUDIENCE], clockToleranceSeconds: 1 });
    expect(second).toMatchObject({ issuer: OTHER_ISSUER, audience: ['a', 'b'], clockToleranceSeconds: 5 });
    expect(first?.algorithms.size).toBe(11);
    expect(second?.algorithms).toEqual(new Set(['ES256']));
    expect(Object.isFrozen(first) && Object.isFrozen(second)).toBe(true);
  });

  it('takes what stands beside it as defaults, which an issuer may override', () => {
    const validate = () => true;
    const [first, second] = listed({
      issuers: [
        BASE,
        { issuer: OTHER_ISSUER, audience: 'b', algorithms: ['RS256'], claimPaths: { roles: ['groups'] } },
      ],
      algorithms: ['ES256'],
      tokenTypes: ['at+jwt'],
      clockToleranceSeconds: 0,
      requiredClaims: ['sub'],
      maxTokenAgeSeconds: 60,
      validate,
      claimPaths: { scopes: ['permissions'] },
    });
    const shared = {
      tokenTypes: new Set(['at+jwt']),
      clockToleranceSeconds: 0,
      requiredClaims: ['sub'],
      maxTokenAgeSeconds: 60,
      validate,
    };
    expect(first).toMatchObject({
      ...shared,
      algorithms: new Set(['ES256']),
      claimPaths: { scopes: [['permissions']] },
    });
    expect(second).toMatchObject({
      ...shared,
      algorithms: new Set(['RS256']),
      claimPaths: { scopes: [['scope'], ['scp']], roles: [['groups']] },
    });
  });

  it.each([
    'algorithms',
    'tokenTypes',
    'clockToleranceSeconds',
    'requiredClaims',
    'maxTokenAgeSeconds',
    'validate',
    'claimPaths',
  ])('keeps the default where an issuer has %s: undefined', (name) => {
    const shared = {
      algorithms: ['ES256'],
      tokenTypes: ['at+jwt'],
      clockToleranceSeconds: 0,
      requiredClaims: ['sub'],
      maxTokenAgeSeconds: 60,
      validate: () => true,
      claimPaths: { roles: ['groups'] },
    };
    const [unset] = listed({ ...shared, issuers: [{ ...BASE, [name]: undefined }] });
    const [absent] = listed({ ...shared, issuers: [BASE] });
    expect(unset).toEqual(absent);
    expect(unset?.[name as keyof ResolvedIssuer]).not.toEqual(listed(BASE)[0]?.[name as keyof ResolvedIssuer]);
  });

  it('may have checks that only report for all of them, or for one', () => {
    const issuers = [BASE, { ...BASE, issuer: OTHER_ISSUER, reportOnly: ['senderConstraint'] }];
    const [first, second] = listed({ issuers, reportOnly: ['audience'], requiredClaims: ['sub'] });
    expect(first?.reportOnly?.checks).toEqual(new Set(['audience']));
    expect(first?.reportOnly?.strict.issuer).toBe(ISSUER);
    expect(second?.reportOnly?.checks).toEqual(new Set(['senderConstraint']));
    expect(second?.reportOnly?.strict).toMatchObject({ issuer: OTHER_ISSUER, requiredClaims: ['sub'] });
    expect(pathsOf(() => resolve({ issuers, reportOnly: ['expiry'] }))).toEqual(['reportOnly[0]']);
  });

  it('does not share one frozen object among issuers', () => {
    const [first, second] = listed({ issuers: [BASE, { ...BASE, issuer: OTHER_ISSUER }], algorithms: ['ES256'] });
    expect(first?.algorithms).not.toBe(second?.algorithms);
  });

  it('with a wrong default says so once, not once an issuer', () => {
    const issuers = [BASE, { ...BASE, issuer: OTHER_ISSUER }];
    expect(pathsOf(() => resolve({ issuers, algorithms: ['HS256'], maxTokenAgeSeconds: 0 }))).toEqual([
      'algorithms[0]',
      'maxTokenAgeSeconds',
    ]);
  });

  it.each([
    ['issuer', ISSUER],
    ['audience', AUDIENCE],
    ['keys', { from: 'discovery' }],
  ])('does not go together with %s', (name, value) => {
    expect(pathsOf(() => resolve({ issuers: [BASE], [name]: value }))).toEqual([name]);
    expect(pathsOf(() => resolve({ issuers: () => BASE, [name]: value }))).toEqual([name]);
  });

  it.each([[null], [[]], [{}], [''], [ISSUER], [1], [true], [BASE]])(
    'must be a list or a function, not %j',
    (issuers) => {
      expect(pathsOf(() => resolve({ issuers }))).toEqual(['issuers']);
    },
  );

  it('must not be undefined where there is no issuer', () => {
    expect(pathsOf(() => resolve({ issuers: undefined }))).toEqual(['issuers']);
    expect(pathsOf(() => resolve({ ...BASE, issuers: undefined }))).toEqual([]);
  });

  it.each([[null], ['https://issuer.example.com/'], [1], [[]], [undefined]])('must hold objects, not %j', (issuer) => {
    expect(pathsOf(() => resolve({ issuers: [BASE, issuer] }))[0]).toBe('issuers[1]');
  });

  it('must name each issuer once', () => {
    const issuers = [BASE, { ...BASE, issuer: OTHER_ISSUER }, { ...BASE, audience: 'other' }, BASE];
    expect(pathsOf(() => resolve({ issuers }))).toEqual(['issuers[2].issuer', 'issuers[3].issuer']);
  });

  it('may name issuers that differ by the slash at the end only: they are two', () => {
    expect(listed({ issuers: [BASE, { ...BASE, issuer: ISSUER.slice(0, -1) }] })).toHaveLength(2);
  });

  it.each(['realm', 'user', 'fetch', 'clock', 'insecureAllowHttp', 'issuers', 'audiance'])(
    'must not hold the option %s, which is not one of an issuer',
    (name) => {
      expect(pathsOf(() => resolve({ issuers: [{ ...BASE, [name]: true }] }))).toEqual([`issuers[0].${name}`]);
    },
  );
});

describe('A resolver of issuers', () => {
  it.each([[undefined], [null], [false]])('that returns %p trusts the issuer not', async (answer) => {
    await expect(resolver({ issuers: () => answer })(ISSUER)).resolves.toBeUndefined();
    await expect(resolver({ issuers: () => Promise.resolve(answer) })(ISSUER)).resolves.toBeUndefined();
  });

  it('is not asked at start, and then once for each question, with the issuer', async () => {
    const issuers = jest.fn((issuer: string) => ({ issuer, audience: AUDIENCE }));
    const find = resolver({ issuers });
    expect(issuers).not.toHaveBeenCalled();
    await find(ISSUER);
    await find(OTHER_ISSUER);
    await find(ISSUER);
    expect(issuers.mock.calls).toEqual([[ISSUER], [OTHER_ISSUER], [ISSUER]]);
  });

  it('gives what the same options in a list would, sync or async', async () => {
    const [expected] = listed({ issuers: [BASE] });
    await expect(resolver({ issuers: () => BASE })(ISSUER)).resolves.toEqual(expected);
    await expect(resolver({ issuers: () => Promise.resolve(BASE) })(ISSUER)).resolves.toEqual(expected);
  });

  it('takes what stands beside it as defaults, which an answer may override and undefined does not erase', async () => {
    const answers: Record<string, IssuerOptions> = {
      [ISSUER]: { ...BASE, algorithms: undefined },
      [OTHER_ISSUER]: { ...BASE, issuer: OTHER_ISSUER, algorithms: ['RS256'], clockToleranceSeconds: 7 },
    };
    const find = resolver({
      issuers: (issuer: string) => answers[issuer],
      algorithms: ['ES256'],
      clockToleranceSeconds: 0,
    });
    await expect(find(ISSUER)).resolves.toMatchObject({ algorithms: new Set(['ES256']), clockToleranceSeconds: 0 });
    await expect(find(OTHER_ISSUER)).resolves.toMatchObject({
      algorithms: new Set(['RS256']),
      clockToleranceSeconds: 7,
    });
  });

  it('has its defaults checked at start', () => {
    expect(pathsOf(() => resolve({ issuers: () => BASE, algorithms: ['none'] }))).toEqual(['algorithms[0]']);
  });

  it('has the same object read once, whatever is done to it later', async () => {
    const options = { ...BASE, audience: [AUDIENCE] };
    const find = resolver({ issuers: () => options });
    const first = await find(ISSUER);
    options.audience.push('another');
    options.audience = ['yet another'];
    expect(await find(ISSUER)).toBe(first);
    expect(first?.audience).toEqual([AUDIENCE]);
    expect(Object.isFrozen(first)).toBe(true);
  });

  it('has a new object read anew', async () => {
    let audience = 'first';
    const find = resolver({ issuers: () => ({ issuer: ISSUER, audience }) });
    await expect(find(ISSUER)).resolves.toMatchObject({ audience: ['first'] });
    audience = 'second';
    await expect(find(ISSUER)).resolves.toMatchObject({ audience: ['second'] });
  });

  it('must not answer for another issuer than the one asked for', async () => {
    const find = resolver({ issuers: () => BASE });
    await expect(rejectedPaths(find(OTHER_ISSUER))).resolves.toEqual(['issuers().issuer']);
    // Also not with an object that was good for its own issuer before.
    await expect(find(ISSUER)).resolves.toMatchObject({ issuer: ISSUER });
    await expect(rejectedPaths(find(OTHER_ISSUER))).resolves.toEqual(['issuers().issuer']);
    await expect(rejectedPaths(find(ISSUER.slice(0, -1)))).resolves.toEqual(['issuers().issuer']);
  });

  it.each([
    [{ ...BASE, audience: '' }, ['issuers().audience']],
    [{ ...BASE, audience: undefined, algorithms: ['HS256'] }, ['issuers().audience', 'issuers().algorithms[0]']],
    [{ ...BASE, realm: 'x' }, ['issuers().realm']],
    [{ ...BASE, keys: { from: 'jwks', uri: 'http://issuer.example.com/jwks' } }, ['issuers().keys.uri']],
    [{ ...BASE, keys: { from: 'static', jwks: { keys: [] } } }, ['issuers().keys.jwks']],
    [true, ['issuers()', 'issuers().issuer', 'issuers().audience', 'issuers().issuer']],
    [[], ['issuers()', 'issuers().issuer', 'issuers().audience', 'issuers().issuer']],
    ['', ['issuers()', 'issuers().issuer', 'issuers().audience', 'issuers().issuer']],
  ])('must not answer with %j', async (answer, paths) => {
    const find = resolver({ issuers: () => answer });
    await expect(rejectedPaths(find(ISSUER))).resolves.toEqual(paths);
    // Not remembered either.
    await expect(rejectedPaths(find(ISSUER))).resolves.toEqual(paths);
  });

  it('that throws is not taken for one that does not trust the issuer', async () => {
    const failure = new Error('database down');
    const find = resolver({
      issuers: () => {
        throw failure;
      },
    });
    await expect(find(ISSUER)).rejects.toBe(failure);
  });

  it('may name http addresses only under insecureAllowHttp', async () => {
    const issuer = 'http://issuer.example.com';
    const issuers = () => ({ issuer, audience: AUDIENCE });
    await expect(rejectedPaths(resolver({ issuers })(issuer))).resolves.toEqual(['issuers().issuer']);
    await expect(resolver({ issuers, insecureAllowHttp: true })(issuer)).resolves.toMatchObject({ issuer });
  });
});

describe('Options that are an object of a class', () => {
  class Settings {
    audience = AUDIENCE;
    constructor(readonly issuer = ISSUER) {}
    get algorithms() {
      return ['ES256'];
    }
    get requiredClaims() {
      return ['tenant'];
    }
    get claimPaths() {
      return new (class {
        get roles() {
          return ['groups'];
        }
      })();
    }
    validate() {
      return false;
    }
  }
  class Heir extends Settings {}
  const checks = {
    issuer: ISSUER,
    audience: [AUDIENCE],
    algorithms: new Set(['ES256']),
    requiredClaims: ['tenant'],
    validate: Reflect.get(Settings.prototype, 'validate') as unknown,
    claimPaths: { scopes: [['scope'], ['scp']], roles: [['groups']] },
  };

  it.each([
    ['of its own', Settings],
    ['of its base', Heir],
  ])('keep the checks that are methods and getters %s', async (_what, Class) => {
    expect(listed(new Class())).toMatchObject([checks]);
    expect(listed({ issuers: [new Class()] })).toMatchObject([checks]);
    for (const issuers of [() => new Class(), () => Promise.resolve(new Class())]) {
      await expect(resolver({ issuers })(ISSUER)).resolves.toMatchObject(checks);
    }
  });

  it('keep them before the defaults that stand beside `issuers`', async () => {
    const { validate: _joined, ...replaced } = checks;
    const defaults = { algorithms: ['RS256'], validate: () => true, requiredClaims: [] };
    expect(listed({ ...defaults, issuers: [new Settings()] })).toMatchObject([replaced]);
    await expect(resolver({ ...defaults, issuers: () => new Settings() })(ISSUER)).resolves.toMatchObject(replaced);
  });

  it.each([
    [() => true, () => Promise.resolve(true), true],
    [() => undefined, () => true, false],
    [() => true, () => undefined, false],
    [() => false, () => true, false],
    [() => true, () => false, false],
    [() => Promise.resolve('yes'), () => true, false],
  ])('have both asked where `validate` stands there and beside `issuers` (%s, %s)', async (own, module, verdict) => {
    const issuer = { ...BASE, validate: own, requiredClaims: ['a', 'b'] };
    const beside = { validate: module, requiredClaims: ['b', 'c'] };
    for (const resolved of [
      listed({ ...beside, issuers: [issuer] })[0],
      await resolver({ ...beside, issuers: () => issuer })(ISSUER),
    ]) {
      expect(await resolved?.validate?.({} as never)).toBe(verdict);
      expect(resolved?.requiredClaims).toEqual(['a', 'b', 'c']);
    }
  });

  it('keep them as the defaults beside `issuers`', () => {
    class Defaults {
      issuers = [BASE, { ...BASE, issuer: OTHER_ISSUER, algorithms: ['RS256'] }];
      get algorithms() {
        return ['ES256'];
      }
      validate() {
        return false;
      }
    }
    const validate = Reflect.get(Defaults.prototype, 'validate') as unknown;
    expect(listed(new Defaults())).toMatchObject([
      { issuer: ISSUER, algorithms: new Set(['ES256']), validate },
      { issuer: OTHER_ISSUER, algorithms: new Set(['RS256']), validate },
    ]);
  });

  it('have their problems told like others', async () => {
    class Wrong extends Settings {
      override get algorithms() {
        return ['none'];
      }
    }
    expect(pathsOf(() => resolve(new Wrong()))).toEqual(['algorithms[0]']);
    expect(pathsOf(() => resolve({ issuers: [new Wrong()] }))).toEqual(['issuers[0].algorithms[0]']);
    const find = resolver({ issuers: () => new Wrong() });
    await expect(rejectedPaths(find(ISSUER))).resolves.toEqual(['issuers().algorithms[0]']);
  });
});

describe('Lists with holes', () => {
  it.each(['audience', 'requiredClaims'])('are no %s: each hole is told', (name) => {
    expect(pathsOf(() => resolve({ ...BASE, [name]: new Array(1) }))).toEqual([`${name}[0]`]);
    expect(pathsOf(() => resolve({ ...BASE, [name]: Object.assign(new Array(3), { 1: 'a' }) }))).toEqual([
      `${name}[0]`,
      `${name}[2]`,
    ]);
    expect(pathsOf(() => resolve({ issuers: [{ ...BASE, [name]: new Array(1) }] }))).toEqual([`issuers[0].${name}[0]`]);
  });

  it('are no list of issuers', () => {
    const issuers = Object.assign(new Array<unknown>(2), { 0: BASE });
    expect(pathsOf(() => resolve({ issuers }))).toEqual(['issuers[1]', 'issuers[1].issuer', 'issuers[1].audience']);
  });

  it('are no key set', () => {
    for (const keys of [new Array(1), Object.assign(new Array(2), { 0: newKey('ed25519').jwk })]) {
      expect(pathsOf(() => resolve({ ...BASE, keys: { from: 'static', jwks: { keys } } }))).toEqual(['keys.jwks']);
    }
  });
});

describe('Resolved options', () => {
  const { jwk } = newKey('p-256');
  const options = () => ({
    issuer: ISSUER,
    audience: [AUDIENCE],
    audienceClaim: 'aud',
    keys: { from: 'static' as const, jwks: { keys: [{ ...jwk }] } },
    algorithms: ['ES256'],
    tokenTypes: ['at+jwt'],
    requiredClaims: ['sub'],
    claimPaths: { scopes: ['scope'], roles: [['a', 'b']], permissions: ['permissions'] },
    realm: 'orders',
  });

  it('are frozen, and so is each issuer with what is in it', () => {
    const resolved = resolve(options());
    const [issuer] = resolved.issuers as readonly ResolvedIssuer[];
    const parts = [resolved, issuer, issuer?.audience, issuer?.keys, issuer?.requiredClaims, issuer?.claimPaths];
    const paths = [issuer?.claimPaths.scopes, issuer?.claimPaths.roles, issuer?.claimPaths.roles[0]];
    for (const part of [...parts, ...paths]) expect(part !== undefined && Object.isFrozen(part)).toBe(true);
    expect(Object.isFrozen(resolved.issuers)).toBe(true);
  });

  it('freeze nothing of the caller', () => {
    const given = options();
    resolve(given);
    const parts = [given, given.audience, given.keys, given.keys.jwks, given.keys.jwks.keys, given.keys.jwks.keys[0]];
    for (const part of [...parts, given.algorithms, given.claimPaths, given.claimPaths.roles[0]]) {
      expect(Object.isFrozen(part)).toBe(false);
    }
  });

  it('do not change when the caller changes what was given', () => {
    const given = options();
    const resolved = resolve(given);
    const expected = resolve(options());
    given.issuer = OTHER_ISSUER;
    given.audience.push('another');
    given.algorithms.push('RS256');
    given.tokenTypes.push('logout+jwt');
    given.requiredClaims.length = 0;
    given.claimPaths.roles[0]?.push('c');
    given.claimPaths.scopes.push('aud');
    given.keys.jwks.keys.push({ kty: 'RSA' });
    if (given.keys.jwks.keys[0] !== undefined) given.keys.jwks.keys[0].x = 'AA';
    given.realm = 'other';
    expect(resolved).toEqual(expected);
  });

  it('of a list do not change when the caller changes the list', () => {
    const issuers = [{ ...BASE, audience: [AUDIENCE] }];
    const algorithms = ['ES256'];
    const resolved = listed({ issuers, algorithms });
    issuers[0]?.audience.push('another');
    issuers.push({ ...BASE, issuer: OTHER_ISSUER, audience: ['b'] });
    algorithms.push('RS256');
    expect(resolved).toHaveLength(1);
    expect(resolved[0]).toMatchObject({ audience: [AUDIENCE], algorithms: new Set(['ES256']) });
    expect(Object.isFrozen(resolved)).toBe(true);
  });
});
