import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { type IssuerKeyHealth, type IssuerOptions, KeyHealth, type KeyStore, Public } from '../../src/index.js';
import { call, PLATFORMS, closeApps } from '../support/app.js';
import { fault, FaultyIssuer, KEYS } from '../support/faulty-issuer.js';
import { Clock, type GuardedApp, lastingToken, POLICY, startGuarded } from '../support/guarded-app.js';
import { until } from '../support/until.js';
import { newKey, AUDIENCE } from '../support/local-issuer.js';

const first = newKey('p-256', { kid: 'first' });
const published = { keys: [first.jwk as never] };
let issuer: FaultyIssuer;
let good: string;

beforeEach(async () => {
  issuer = await FaultyIssuer.start([first]);
  good = lastingToken(issuer, first);
});

afterEach(async () => {
  await closeApps();
  await issuer.stop();
});

const hasFailed = (app: GuardedApp) => until(() => (app.health()[0]?.failures ?? 0) > 0);

describe('KeyHealth', () => {
  const NO_FAILURES = { failures: 0, lastErrorCode: undefined };
  const UNAVAILABLE = { state: 'unavailable', source: undefined, ageSeconds: undefined };

  it('is unavailable before the first token and fresh after it, and causes no request', async () => {
    const app = await startGuarded(issuer.url);
    expect(app.health()).toMatchObject([{ issuer: issuer.url, ...UNAVAILABLE, ...NO_FAILURES }]);
    expect(issuer.requests).toEqual([]);
    await app.outcome(good);
    app.clock.pass(17);
    expect(app.health()).toMatchObject([
      { issuer: issuer.url, state: 'fresh', source: 'issuer', ageSeconds: 17, ...NO_FAILURES },
    ]);
    expect(issuer.fetches).toBe(1);
  });

  it('is stale after refreshSeconds, and unavailable after maxStaleSeconds', async () => {
    const app = await startGuarded(issuer.url);
    await app.outcome(good);
    app.clock.pass(599.5);
    expect(app.health()).toMatchObject([{ state: 'fresh', ageSeconds: 599.5 }]);
    app.clock.pass(0.5);
    expect(app.health()).toMatchObject([{ state: 'stale', source: 'issuer', ageSeconds: 600, ...NO_FAILURES }]);
    app.clock.pass(2_999);
    expect(app.health()).toMatchObject([{ state: 'stale', source: 'issuer', ageSeconds: 3_599 }]);
    app.clock.pass(1);
    expect(app.health()).toMatchObject([{ issuer: issuer.url, ...UNAVAILABLE, ...NO_FAILURES }]);
  });

  it('counts failures, and has a stable code for the last one', async () => {
    const app = await startGuarded(issuer.url);
    issuer.fail(fault('answers 500'), KEYS);
    await app.outcome(good);
    expect(app.health()).toMatchObject([{ issuer: issuer.url, ...UNAVAILABLE, failures: 1, lastErrorCode: 'STATUS' }]);
    issuer.fail(fault('sends {}'), KEYS);
    app.clock.pass(1);
    await app.outcome(good);
    expect(app.health()).toMatchObject([{ failures: 2, lastErrorCode: 'KEYS_UNUSABLE' }]);
    issuer.recover();
    app.clock.pass(2);
    await app.outcome(good);
    expect(app.health()).toMatchObject([{ state: 'fresh', ...NO_FAILURES }]);
  });

  it('names the source of keys that the issuer did not send: store, fallback, static', async () => {
    const clock = new Clock();
    issuer.failEverywhere(fault('answers 500'));
    const keyStore: KeyStore = {
      load: (name) =>
        Promise.resolve(
          name === issuer.url
            ? { fetchedAtMs: clock.read() - 5_000, origin: `discovery ${name}`, jwks: published }
            : undefined,
        ),
      save: () => Promise.resolve(),
    };
    const issuers: IssuerOptions[] = [
      { issuer: issuer.url, audience: AUDIENCE },
      { issuer: `${issuer.url}/other`, audience: AUDIENCE, keys: { from: 'discovery', fallback: published } },
      { issuer: 'https://pinned.example.com', audience: AUDIENCE, keys: { from: 'static', jwks: published } },
    ];
    const app = await startGuarded(issuers, { clock, options: { keyStore, warmUp: 'required' } });
    const byName = (a: IssuerKeyHealth, b: IssuerKeyHealth) => a.issuer.localeCompare(b.issuer);
    expect([...app.health()].sort(byName)).toMatchObject([
      { issuer: issuer.url, state: 'fresh', source: 'store', ageSeconds: 5, failures: 1, lastErrorCode: 'STATUS' },
      {
        issuer: `${issuer.url}/other`,
        state: 'stale',
        source: 'fallback',
        ageSeconds: undefined,
        failures: 1,
        lastErrorCode: 'STATUS',
      },
      { issuer: 'https://pinned.example.com', state: 'fresh', source: 'static', ageSeconds: undefined, ...NO_FAILURES },
    ]);
  });

  it('contains the tenants of a resolver after their first token', async () => {
    const tenants = ['one', 'two', 'three'].map((tenant) => `${issuer.url}/${tenant}`);
    const resolver = (name: string): IssuerOptions | undefined =>
      tenants.includes(name)
        ? { issuer: name, audience: AUDIENCE, keys: { from: 'jwks', uri: `${name}/jwks`, ...POLICY } }
        : undefined;
    issuer.json('/one/jwks', () => published);
    const app = await startGuarded(resolver);
    expect(app.health()).toMatchObject([]);
    expect(await app.outcome(lastingToken(issuer, first, { iss: tenants[0] }))).toBe('200');
    expect(await app.outcome(lastingToken(issuer, first, { iss: tenants[1] }))).toBe('503 KEYS_UNAVAILABLE');
    expect(await app.outcome(lastingToken(issuer, first, { iss: 'https://stranger.example.com' }))).toMatch(/^401/);
    expect(app.health()).toMatchObject([
      { issuer: tenants[0], state: 'fresh', source: 'issuer', ...NO_FAILURES },
      { issuer: tenants[1], ...UNAVAILABLE, failures: 1, lastErrorCode: 'STATUS' },
    ]);
  });
});

@Public()
@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly keys: KeyHealth,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.keys.isHealthy()]);
  }

  @Get('named')
  @HealthCheck()
  checkNamed() {
    return this.health.check([() => this.keys.isHealthy('auth-keys')]);
  }
}

describe.each(PLATFORMS)('KeyHealth in @nestjs/terminus on %s', (platform) => {
  const start = (other?: string) => {
    const keys = { from: 'discovery', ...POLICY } as const;
    const names = other === undefined ? [issuer.url] : [issuer.url, other];
    const issuers = names.map((name) => ({ issuer: name, audience: AUDIENCE, keys }));
    const imports = [TerminusModule.forRoot({ logger: false })];
    return startGuarded(issuers, { platform, imports, controllers: [HealthController] });
  };
  const check = (app: GuardedApp, path = 'health') => call(`${app.url}/${path}`);

  it('responds with 200 and up while there are keys, fresh or stale, and with 503 and down when they expire', async () => {
    const app = await start();
    await app.outcome(good);
    const up = await check(app);
    expect([up.status, up.body.status]).toEqual([200, 'ok']);
    expect(up.body.info).toMatchObject({
      keys: {
        status: 'up',
        issuers: { [issuer.url]: { state: 'fresh', source: 'issuer', ageSeconds: 0, failures: 0 } },
      },
    });

    issuer.failEverywhere(fault('answers 500'));
    app.clock.pass(600);
    await app.outcome(good);
    await hasFailed(app);
    const stale = await check(app);
    expect(stale.status).toBe(200);
    expect(stale.body.info).toMatchObject({
      keys: { status: 'up', issuers: { [issuer.url]: { state: 'stale', lastErrorCode: 'STATUS' } } },
    });

    app.clock.pass(3_000);
    const down = await check(app);
    expect([down.status, down.body.status, down.body.info]).toEqual([503, 'error', {}]);
    expect(down.body.error).toMatchObject({
      keys: { status: 'down', issuers: { [issuer.url]: { state: 'unavailable', lastErrorCode: 'STATUS' } } },
    });

    issuer.recover();
    app.clock.pass(60);
    await app.outcome(good);
    expect((await check(app)).status).toBe(200);
  });

  it('responds with 200 before the first token: otherwise a readiness check would block it', async () => {
    const app = await start();
    const answer = await check(app);
    expect(answer.status).toBe(200);
    expect(answer.body.info).toMatchObject({
      keys: { status: 'up', issuers: { [issuer.url]: { state: 'unavailable' } } },
    });
    expect(issuer.requests).toEqual([]);
  });

  it('responds with 503 if the keys of one of several issuers are unavailable, and names it', async () => {
    const other = await FaultyIssuer.start();
    other.failEverywhere(fault('answers 500'));
    const app = await start(other.url);
    await app.outcome(good);
    await app.outcome(lastingToken(other, first));
    const answer = await check(app);
    expect(answer.status).toBe(503);
    expect(answer.body.error).toMatchObject({
      keys: { status: 'down', issuers: { [issuer.url]: { state: 'fresh' }, [other.url]: { state: 'unavailable' } } },
    });
    await other.stop();
  });

  it('ignores the unavailable keys of a tenant: anyone can send a token that names a tenant', async () => {
    issuer.failEverywhere(fault('answers 500'));
    const keys = { from: 'discovery', ...POLICY } as const;
    const app = await startGuarded([], {
      platform,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      options: { issuers: (name) => ({ issuer: name, audience: AUDIENCE, keys }) },
    });
    await app.outcome(good);
    const answer = await check(app);
    expect(answer.status).toBe(200);
    expect(answer.body.info).toMatchObject({
      keys: { status: 'up', issuers: { [issuer.url]: { state: 'unavailable', isConfigured: false } } },
    });
  });

  it('has the key that is passed', async () => {
    const app = await start();
    await app.outcome(good);
    expect((await check(app, 'health/named')).body.info).toMatchObject({ 'auth-keys': { status: 'up' } });
  });
});
