import { describe, expect, it } from '@jest/globals';
import type { VerifiedAccessToken } from '../../../src/model/access-token.js';
import type { ModuleExtras, ResourceServerOptions } from '../../../src/options/options.js';
import type { ResolvedIssuer } from '../../../src/options/resolve-issuer.js';
import { OPTION_NAMES, resolveOptions } from '../../../src/options/resolve-options.js';
import { NO_RESOURCES } from '../../../src/options/resolve-resources.js';
import { fromEnv, google } from '../../../src/presets.js';
import { FileKeyStore } from '../../../src/store/file-key-store.js';
import { pathsOf, problemsOf } from '../../support/catching.js';
import { newKey } from '../../support/local-issuer.js';
import { polluted } from '../../support/polluted.js';

const BASE = { issuer: 'https://issuer.example.com/', audience: 'https://api.example.com' };

// Options from a configuration: the types do not apply.
const resolve = (options: unknown, extras?: unknown) =>
  resolveOptions(options as ResourceServerOptions, extras as ModuleExtras | undefined);

describe('A polluted prototype', () => {
  const KEY = newKey('p-256').jwk;
  const keys = { from: 'discovery' };
  const [issuer, audience] = [BASE.issuer, BASE.audience];
  /** Options in which groups and lists are present but set nothing. */
  const GIVEN: readonly object[] = [
    BASE,
    {
      ...BASE,
      keys,
      claimPaths: {},
      tokenCache: {},
      connections: {},
      require: { scopes: ['a'], acr: { values: ['b'] } },
    },
    { issuers: [{ ...BASE, keys: { from: 'jwks', uri: 'https://issuer.example.com/jwks' } }] },
    {
      ...BASE,
      keys: { from: 'static', jwks: { keys: [KEY] } },
      tokenFrom: [{ from: 'cookie', name: 'a', origins: [] }],
    },
    // Problems, which must stay problems.
    {},
    { ...BASE, issuer: undefined },
    { ...BASE, audience: undefined },
    { ...BASE, keys: {} },
    { ...BASE, keys: { from: 'jwks' } },
    { ...BASE, keys: { from: 'static' } },
    { ...BASE, keys: { from: 'static', jwks: {} } },
    { ...BASE, keys: { from: 'static', jwks: { keys: [{}] } } },
    { ...BASE, tokenFrom: [{ from: 'cookie', name: 'a' }, { from: 'query' }, {}] },
    { ...BASE, require: {} },
    { ...BASE, require: { acr: {} } },
    { issuers: [{}] },
  ];
  const POLLUTIONS: Readonly<Record<string, unknown>> = {
    ...{
      issuer,
      audience: 'evil',
      audienceClaim: 'azp',
      issuerAliases: ['evil'],
      idTokens: 'accept',
      padding: 'accept',
      headers: {},
      pem: 'x',
      split: ',',
      keys: { from: 'static', jwks: { keys: [KEY] } },
    },
    ...{
      issuers: [BASE],
      algorithms: ['ES256'],
      tokenTypes: ['evil'],
      clockToleranceSeconds: 300,
      requiredClaims: ['a'],
    },
    ...{ maxTokenAgeSeconds: 1, validate: () => true, claimPaths: { roles: ['evil'] }, reportOnly: ['audience'] },
    ...{ publicUrl: 'https://evil.example.com', resource: { identifier: 'https://evil.example.com' } },
    ...{ resources: { '/evil': {} }, identifier: 'https://evil.example.com', signedMetadata: () => 'evil' },
    ...{ documentation: 'https://evil.example.com', authorizationServers: ['https://evil.example.com'] },
    ...{ exclusiveAudience: true, scopeImplications: { a: ['evil'] } },
    ...{ user: () => 'admin', realm: 'evil', tokenFrom: [{ from: 'query', name: 'a' }], require: { roles: ['a'] } },
    ...{ connections: { renewalGraceSeconds: 9 }, explainRefusals: true, openTelemetry: true, fetch: () => undefined },
    ...{ clock: () => 0, warmUp: 'required', keyStore: { load: () => 0, save: () => 0 }, tokenCache: false },
    ...{ insecureAllowHttp: true, guard: 'manual', strategy: Map, isGlobal: false },
    // Members of nested objects, and of the tables of this package.
    ...{
      from: 'static',
      uri: 'https://evil.example.com',
      jwksOrigins: ['https://evil.example.com'],
      jwks: { keys: [KEY] },
    },
    ...{ refreshSeconds: 1, maxStaleSeconds: 1, unknownKidCooldownSeconds: 1, timeoutMs: 1, maxBytes: 1024 },
    ...{
      fallback: { keys: [KEY] },
      renewalGraceSeconds: 1,
      maxEntries: 1,
      maxAgeSeconds: 1,
      scopes: ['a'],
      roles: ['a'],
    },
    ...{
      permissions: ['a'],
      anyScope: ['a'],
      anyRole: ['a'],
      anyPermission: ['a'],
      acr: { values: ['a'] },
      values: ['a'],
    },
    ...{
      policy: () => true,
      name: 'a',
      origins: ['https://evil.example.com'],
      keysOf: 'a',
      default: 'evil',
      merge: true,
    },
    ...{
      kty: 'EC',
      crv: 'P-256',
      x: KEY.x,
      y: KEY.y,
      kid: 'evil',
      use: 'enc',
      key_ops: [],
      alg: 'RS256',
      d: 'x',
      k: 'x',
    },
  };
  const results = () =>
    GIVEN.map((options) => {
      const problems = problemsOf(() => resolve(options));
      return problems.length > 0 ? problems : resolve(options);
    });

  it('covers every option', () => {
    expect(OPTION_NAMES.filter((name) => !Object.hasOwn(POLLUTIONS, name))).toEqual([]);
  });

  it.each(Object.keys(POLLUTIONS))('sets no option: `%s`', async (name) => {
    const expected = results();
    expect(await polluted({ [name]: POLLUTIONS[name] }, results)).toEqual(expected);
  });

  it('sets no option of a preset, and no environment variable', async () => {
    const missing = () => problemsOf(() => google({ audience: 'api' })).map(({ path }) => path);
    expect(await polluted({ insecureAllowAnyone: true, emails: ['a@example.com'] }, missing)).toEqual([
      'google().emails',
    ]);
    const unset = () => pathsOf(() => fromEnv({ AUTH_ISSUER: issuer }));
    expect(await polluted({ AUTH_AUDIENCE: 'evil' }, unset)).toEqual(['AUTH_AUDIENCE']);
  });

  it('does not hide what an options class, its base class and getters set', async () => {
    class Base {
      readonly audience = audience;
      get clockToleranceSeconds() {
        return this.audience.length;
      }
    }
    class Options extends Base {
      get issuer() {
        return issuer;
      }
      validate() {
        return false;
      }
    }
    const pollution = { issuer: 'https://evil.example.com', clockToleranceSeconds: 300, validate: () => true };
    const { issuers } = await polluted(pollution, () => resolve(new Options()));
    expect(issuers).toMatchObject([{ issuer, audience: [audience], clockToleranceSeconds: audience.length }]);
    const [own] = issuers as readonly ResolvedIssuer[];
    expect(await own?.validate?.({} as VerifiedAccessToken)).toBe(false);
  });
});

describe('The options of the module', () => {
  const DEFAULTS = {
    resources: NO_RESOURCES,
    user: undefined,
    realm: undefined,
    fetch: undefined,
    warmUp: 'off',
    keyStore: undefined,
    tokenCache: { maxEntries: 10_000, maxAgeSeconds: 300 },
    clock: expect.any(Function),
    explainRefusals: false,
    openTelemetry: false,
    insecureAllowHttp: false,
    tokenFrom: [{ from: 'bearer-header' }],
    require: [],
    connections: { renewalGraceSeconds: 0 },
  };

  it('have defaults, also if they are undefined', () => {
    const { issuers: _issuers, ...options } = resolve(BASE);
    expect(options).toStrictEqual(DEFAULTS);
    const unset = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, undefined]));
    expect(resolve({ ...BASE, ...unset })).toEqual(resolve(BASE));
  });

  it('are kept', () => {
    const options = {
      user: () => ({ name: 'alice' }),
      realm: 'orders API (v1)',
      fetch: globalThis.fetch,
      warmUp: 'required',
      keyStore: new FileKeyStore('keys'),
      tokenCache: { maxEntries: 5, maxAgeSeconds: 6 },
      connections: { renewalGraceSeconds: 0.5 },
      clock: () => 0,
      explainRefusals: true,
      openTelemetry: true,
      insecureAllowHttp: true,
    };
    expect(resolve({ ...BASE, ...options })).toMatchObject(options);
  });

  it.each([
    ['user', [null, 'alice', 1, {}, true]],
    ['fetch', [null, 'fetch', 1, {}, true]],
    ['tokenCache', [null, true, 1, 'on', []]],
    ['connections', [null, true, 1, 'on', []]],
    ['warmUp', [null, true, 'on', 'Required', 1, {}]],
    ['keyStore', [null, 'keys', 1, {}, true, { load: () => undefined }, { save: () => undefined, load: 1 }]],
    ['clock', [null, 0, 'now', {}, new Date(0)]],
    ['explainRefusals', [null, 'true', 1, {}]],
    ['openTelemetry', [null, 'true', 1, {}]],
    ['insecureAllowHttp', [null, 'true', 'false', 0, 1, {}]],
    ['realm', [null, 1, true, {}, ['a']]],
    ['realm', ['', 'a"b', 'a\\b', 'a\nb', 'a\r\nX-Injected: 1', 'a\tb', 'a\0b', 'über', 'a\u007f', '\u2028']],
  ])('reject %s: %j', (name, values) => {
    for (const value of values)
      expect([value, pathsOf(() => resolve({ ...BASE, [name]: value }))]).toEqual([value, [name]]);
  });

  it.each([[undefined], [null], ['https://issuer.example.com/'], [1], [true], [[]], [[BASE]], [() => BASE]])(
    'must be an object, not %p',
    (options) => {
      expect(problemsOf(() => resolve(options))[0]).toMatchObject({
        path: '',
        message: expect.stringContaining('Set it to an object.'),
      });
    },
  );

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
  ])('with %j beside useFactory have the problems %j', (extras, paths) => {
    expect(pathsOf(() => resolve(BASE, extras))).toEqual(paths);
  });
});

describe('The options tokenCache and connections', () => {
  it('have a default for each part, and tokenCache can be switched off', () => {
    expect(resolve({ ...BASE, tokenCache: { maxEntries: 1 }, connections: {} })).toMatchObject({
      tokenCache: { maxEntries: 1, maxAgeSeconds: 300 },
      connections: { renewalGraceSeconds: 0 },
    });
    expect(resolve({ ...BASE, tokenCache: false }).tokenCache).toBeUndefined();
  });

  it.each([
    [{ tokenCache: { maxEntries: 0 } }, 'tokenCache.maxEntries'],
    [{ tokenCache: { maxEntries: 1.5 } }, 'tokenCache.maxEntries'],
    [{ tokenCache: { maxEntries: Infinity } }, 'tokenCache.maxEntries'],
    [{ tokenCache: { maxEntries: '10' } }, 'tokenCache.maxEntries'],
    [{ tokenCache: { maxAgeSeconds: 0 } }, 'tokenCache.maxAgeSeconds'],
    [{ tokenCache: { maxAgeSeconds: 86_401 } }, 'tokenCache.maxAgeSeconds'],
    [{ tokenCache: { ttl: 1 } }, 'tokenCache.ttl'],
    [{ connections: { renewalGraceSeconds: -1 } }, 'connections.renewalGraceSeconds'],
    [{ connections: { renewalGraceSeconds: 86_401 } }, 'connections.renewalGraceSeconds'],
    [{ connections: { renewalGraceSeconds: NaN } }, 'connections.renewalGraceSeconds'],
    [{ connections: { renewalGraceSeconds: '5' } }, 'connections.renewalGraceSeconds'],
    [{ connections: { grace: 5 } }, 'connections.grace'],
  ])('reject %j', (options, path) => {
    expect(pathsOf(() => resolve({ ...BASE, ...options }))).toEqual([path]);
  });
});

describe('Resolved options', () => {
  const { jwk } = newKey('p-256');
  const options = () => ({
    issuer: BASE.issuer,
    audience: [BASE.audience],
    audienceClaim: 'aud',
    keys: { from: 'static' as const, jwks: { keys: [{ ...jwk }] } },
    algorithms: ['ES256'],
    tokenTypes: ['at+jwt'],
    requiredClaims: ['sub'],
    claimPaths: { scopes: ['scope'], roles: [['a', 'b']], permissions: ['permissions'] },
    realm: 'orders',
    tokenCache: {},
    connections: {},
  });

  it('are frozen with all their parts', () => {
    const resolved = resolve(options());
    const [issuer] = resolved.issuers as readonly ResolvedIssuer[];
    const paths = [
      issuer?.claimPaths,
      issuer?.claimPaths.scopes,
      issuer?.claimPaths.roles,
      issuer?.claimPaths.roles[0],
    ];
    const parts = [issuer, issuer?.audience, issuer?.keys, issuer?.requiredClaims, ...paths];
    for (const part of [resolved, resolved.issuers, resolved.tokenCache, resolved.connections, ...parts])
      expect(part !== undefined && Object.isFrozen(part)).toBe(true);
  });

  it('leave the given options as they are', () => {
    const given = options();
    resolve(given);
    const parts = [given, given.audience, given.keys, given.keys.jwks, given.keys.jwks.keys, given.keys.jwks.keys[0]];
    for (const part of [...parts, given.algorithms, given.claimPaths, given.claimPaths.roles[0]])
      expect(Object.isFrozen(part)).toBe(false);
  });

  it('do not change if the given options change', () => {
    const given = options();
    const listed = { issuers: [{ ...BASE, audience: [BASE.audience] }], algorithms: ['ES256'] };
    const resolved = [resolve(given), resolve(listed)];
    const expected = [resolve(options()), resolve(structuredClone(listed))];
    given.issuer = 'https://other.example.com/';
    given.audience.push('another');
    given.algorithms.push('RS256');
    given.tokenTypes.push('logout+jwt');
    given.requiredClaims.length = 0;
    given.claimPaths.roles[0]?.push('c');
    given.claimPaths.scopes.push('aud');
    given.keys.jwks.keys.push({ kty: 'RSA' });
    if (given.keys.jwks.keys[0] !== undefined) given.keys.jwks.keys[0].x = 'AA';
    given.realm = 'other';
    listed.issuers[0]?.audience.push('another');
    listed.issuers.push({ issuer: 'https://other.example.com/', audience: ['b'] });
    listed.algorithms.push('RS256');
    expect(resolved.map((each) => ({ ...each, clock: undefined }))).toEqual(
      expected.map((each) => ({ ...each, clock: undefined })),
    );
  });
});
