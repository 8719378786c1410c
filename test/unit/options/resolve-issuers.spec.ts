import { describe, expect, it, jest } from '@jest/globals';
import { ConfigurationError } from '../../../src/model/errors.js';
import type { IssuerOptions, ResourceServerOptions } from '../../../src/options/options.js';
import type { ResolvedIssuer } from '../../../src/options/resolve-issuer.js';
import { resolveOptions, type ResolvedIssuerResolver } from '../../../src/options/resolve-options.js';
import { pathsOf } from '../../support/catching.js';

const ISSUER = 'https://issuer.example.com/';
const OTHER_ISSUER = 'https://other.example.com/';
const AUDIENCE = 'https://api.example.com';
const BASE = { issuer: ISSUER, audience: AUDIENCE };

const resolve = (options: unknown) => resolveOptions(options as ResourceServerOptions);
const listed = (options: unknown) => resolve(options).issuers as readonly ResolvedIssuer[];
const resolver = (options: unknown) => resolve(options).issuers as ResolvedIssuerResolver;

async function rejectedPaths(resolution: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await resolution.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigurationError)) throw new Error('no ConfigurationError', { cause: error });
  return error.problems.map(({ path }) => path);
}

describe('A list of issuers', () => {
  it('resolves the options of each issuer', () => {
    const other = { issuer: OTHER_ISSUER, audience: ['a', 'b'], algorithms: ['ES256'] };
    const [first, second, ...others] = listed({ issuers: [{ ...BASE, clockToleranceSeconds: 1 }, other] });
    expect(others).toEqual([]);
    expect(first).toMatchObject({ issuer: ISSUER, audience: [AUDIENCE], clockToleranceSeconds: 1 });
    expect(first?.algorithms.size).toBe(11);
    expect(second).toMatchObject({ ...other, algorithms: new Set(['ES256']), clockToleranceSeconds: 5 });
  });

  const SHARED = {
    algorithms: ['ES256'],
    tokenTypes: ['at+jwt'],
    clockToleranceSeconds: 0,
    requiredClaims: ['sub'],
    maxTokenAgeSeconds: 60,
    validate: () => true,
    claimPaths: { scopes: ['permissions'] },
    reportOnly: ['audience'],
  };

  it('uses the checks beside it as defaults of each issuer', () => {
    const other = { issuer: OTHER_ISSUER, audience: 'b', algorithms: ['RS256'], claimPaths: { roles: ['groups'] } };
    const [first, second] = listed({ ...SHARED, issuers: [BASE, { ...other, reportOnly: ['senderConstraint'] }] });
    const shared = {
      clockToleranceSeconds: 0,
      requiredClaims: ['sub'],
      maxTokenAgeSeconds: 60,
      validate: SHARED.validate,
    };
    expect(first).toMatchObject({
      ...shared,
      algorithms: new Set(['ES256']),
      tokenTypes: new Set(['at+jwt']),
      claimPaths: { scopes: [['permissions']] },
      reportOnly: new Set(['audience']),
    });
    expect(second).toMatchObject({
      ...shared,
      algorithms: new Set(['RS256']),
      claimPaths: { scopes: [['scope'], ['scp']], roles: [['groups']] },
      reportOnly: new Set(['senderConstraint']),
    });
  });

  it.each(Object.keys(SHARED))('keeps the default if %s of an issuer is undefined', (name) => {
    expect(listed({ ...SHARED, issuers: [{ ...BASE, [name]: undefined }] })).toEqual(
      listed({ ...SHARED, issuers: [BASE] }),
    );
  });

  it('reports a problem of the defaults once', () => {
    const issuers = [BASE, { ...BASE, issuer: OTHER_ISSUER }];
    const wrong = { algorithms: ['HS256'], maxTokenAgeSeconds: 0, reportOnly: ['expiry'] };
    const paths = ['algorithms[0]', 'maxTokenAgeSeconds', 'reportOnly[0]'];
    expect(pathsOf(() => resolve({ issuers, ...wrong }))).toEqual(paths);
    expect(pathsOf(() => resolve({ issuers: () => BASE, ...wrong }))).toEqual(paths);
  });

  it.each([
    ['issuer', ISSUER],
    ['audience', AUDIENCE],
    ['audienceClaim', 'client_id'],
    ['keys', { from: 'discovery' }],
  ])('excludes %s beside it', (name, value) => {
    expect(pathsOf(() => resolve({ issuers: [BASE], [name]: value }))).toEqual([name]);
    expect(pathsOf(() => resolve({ issuers: () => BASE, [name]: value }))).toEqual([name]);
  });

  it.each([[null], [[]], [{}], [''], [ISSUER], [1], [true], [BASE]])('must not be %j', (issuers) => {
    expect(pathsOf(() => resolve({ issuers }))).toEqual(['issuers']);
  });

  it('must not be undefined without an issuer', () => {
    expect(pathsOf(() => resolve({ issuers: undefined }))).toEqual(['issuers']);
    expect(pathsOf(() => resolve({ ...BASE, issuers: undefined }))).toEqual([]);
  });

  it.each([[null], ['https://issuer.example.com/'], [1], [[]], [undefined]])('must not contain %j', (issuer) => {
    expect(pathsOf(() => resolve({ issuers: [BASE, issuer] }))[0]).toBe('issuers[1]');
    const holes = Object.assign(new Array<unknown>(2), { 0: BASE });
    expect(pathsOf(() => resolve({ issuers: holes }))[0]).toBe('issuers[1]');
  });

  it('must contain each issuer once; a trailing slash makes another issuer', () => {
    const slashless = { ...BASE, issuer: ISSUER.slice(0, -1) };
    const issuers = [BASE, slashless, { ...BASE, audience: 'other' }, BASE];
    expect(pathsOf(() => resolve({ issuers }))).toEqual(['issuers[2].issuer', 'issuers[3].issuer']);
  });

  it.each(['realm', 'user', 'fetch', 'clock', 'insecureAllowHttp', 'issuers', 'audiance'])(
    'must not contain the option %s',
    (name) => {
      expect(pathsOf(() => resolve({ issuers: [{ ...BASE, [name]: true }] }))).toEqual([`issuers[0].${name}`]);
    },
  );
});

describe('A function of issuers', () => {
  it.each([[undefined], [null], [false]])('that returns %p does not trust the issuer', async (answer) => {
    await expect(resolver({ issuers: () => answer })(ISSUER)).resolves.toBeUndefined();
    await expect(resolver({ issuers: () => Promise.resolve(answer) })(ISSUER)).resolves.toBeUndefined();
  });

  it('is not called at start, and then once for each request, with the issuer', async () => {
    const issuers = jest.fn((issuer: string) => ({ issuer, audience: AUDIENCE }));
    const find = resolver({ issuers });
    expect(issuers).not.toHaveBeenCalled();
    for (const issuer of [ISSUER, OTHER_ISSUER, ISSUER]) await find(issuer);
    expect(issuers.mock.calls).toEqual([[ISSUER], [OTHER_ISSUER], [ISSUER]]);
  });

  it('returns the same options as a list, with the same defaults', async () => {
    const answers: Record<string, IssuerOptions> = {
      [ISSUER]: { ...BASE, algorithms: undefined },
      [OTHER_ISSUER]: { ...BASE, issuer: OTHER_ISSUER, algorithms: ['RS256'], clockToleranceSeconds: 7 },
    };
    const shared = { algorithms: ['ES256'], clockToleranceSeconds: 0 };
    const expected = listed({ ...shared, issuers: Object.values(answers) });
    const find = resolver({ ...shared, issuers: (issuer: string) => answers[issuer] });
    const findLater = resolver({ ...shared, issuers: (issuer: string) => Promise.resolve(answers[issuer]) });
    for (const [index, issuer] of [ISSUER, OTHER_ISSUER].entries()) {
      expect(await find(issuer)).toEqual(expected[index]);
      expect(await findLater(issuer)).toEqual(expected[index]);
    }
  });

  it('has the same object read once, and a new object again', async () => {
    let options = { ...BASE, audience: [AUDIENCE] };
    const find = resolver({ issuers: () => options });
    const first = await find(ISSUER);
    options.audience.push('another');
    expect(await find(ISSUER)).toBe(first);
    expect(first?.audience).toEqual([AUDIENCE]);
    options = { ...options };
    await expect(find(ISSUER)).resolves.toMatchObject({ audience: [AUDIENCE, 'another'] });
  });

  it('must not return the options of another issuer', async () => {
    const find = resolver({ issuers: () => BASE });
    await expect(rejectedPaths(find(OTHER_ISSUER))).resolves.toEqual(['issuers().issuer']);
    // Also not an object that was valid for its own issuer before.
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
  ])('must not return %j', async (answer, paths) => {
    const find = resolver({ issuers: () => answer });
    for (let call = 0; call < 2; call += 1) await expect(rejectedPaths(find(ISSUER))).resolves.toEqual(paths);
  });

  it('that throws has its error rethrown', async () => {
    const failure = new Error('database down');
    await expect(resolver({ issuers: () => Promise.reject(failure) })(ISSUER)).rejects.toBe(failure);
  });

  it('may return http addresses only with insecureAllowHttp', async () => {
    const issuer = 'http://issuer.example.com';
    const issuers = () => ({ issuer, audience: AUDIENCE });
    await expect(rejectedPaths(resolver({ issuers })(issuer))).resolves.toEqual(['issuers().issuer']);
    await expect(resolver({ issuers, insecureAllowHttp: true })(issuer)).resolves.toMatchObject({ issuer });
  });
});

describe('validate and requiredClaims', () => {
  it.each([
    [() => true, () => Promise.resolve(true), true],
    [() => undefined, () => true, false],
    [() => true, () => undefined, false],
    [() => false, () => true, false],
    [() => true, () => false, false],
    [() => Promise.resolve('yes'), () => true, false],
  ])('of an issuer and beside `issuers` both apply (%s, %s)', async (own, shared, verdict) => {
    const issuer = { ...BASE, validate: own, requiredClaims: ['a', 'b'] };
    const beside = { validate: shared, requiredClaims: ['b', 'c'] };
    const found = await resolver({ ...beside, issuers: () => issuer })(ISSUER);
    for (const resolved of [listed({ ...beside, issuers: [issuer] })[0], found]) {
      expect(await resolved?.validate?.({} as never)).toBe(verdict);
      expect(resolved?.requiredClaims).toEqual(['a', 'b', 'c']);
    }
  });
});

describe('An instance of a class', () => {
  class Settings {
    audience = AUDIENCE;
    issuer = ISSUER;
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

  it.each([Settings, Heir])('keeps the checks that are methods and getters: %p', async (Class) => {
    expect(listed(new Class())).toMatchObject([checks]);
    expect(listed({ issuers: [new Class()] })).toMatchObject([checks]);
    await expect(resolver({ issuers: () => new Class() })(ISSUER)).resolves.toMatchObject(checks);
  });

  it('keeps them against defaults, and as defaults', () => {
    const defaults = { algorithms: ['RS256'], requiredClaims: [] };
    expect(listed({ ...defaults, issuers: [new Settings()] })).toMatchObject([checks]);
    class Defaults extends Settings {
      issuers = [BASE, { ...BASE, issuer: OTHER_ISSUER, algorithms: ['RS256'] }];
      declare issuer: never;
      declare audience: never;
    }
    const { issuer: _issuer, audience: _audience, ...shared } = checks;
    const options = Object.assign(new Defaults(), { issuer: undefined, audience: undefined });
    expect(listed(options)).toMatchObject([shared, { ...shared, algorithms: new Set(['RS256']) }]);
  });

  it('has its problems reported', () => {
    class Wrong extends Settings {
      override get algorithms() {
        return ['none'];
      }
    }
    expect(pathsOf(() => resolve(new Wrong()))).toEqual(['algorithms[0]']);
    expect(pathsOf(() => resolve({ issuers: [new Wrong()] }))).toEqual(['issuers[0].algorithms[0]']);
  });
});
