import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  All,
  Controller,
  Get,
  type INestApplication,
  type LoggerService,
  UseGuards,
  VersioningType,
} from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { type Meter, metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createHash } from 'node:crypto';
import {
  AccessTokenVerifier,
  type AdmissionEvent,
  AuthenticatedGateway,
  AuthError,
  AuthGuard,
  AuthMiddleware,
  AuthModule,
  type AuthOptions,
  type RefusalEvent,
  AuthEvents,
  routeReport,
} from '../../src/index.js';
import { bearer, call, closeApps, type Platform, PLATFORMS, startApp } from '../support/app.js';
import { AUDIENCE } from '../support/guarded-app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';
import type { Door, TransportDriver } from '../support/transports/doors.js';
import { graphqlQueryDriver, graphqlSubscriptionDriver } from '../support/transports/graphql.js';
import { grpcDriver, tcpDriver } from '../support/transports/microservices.js';
import { SOCKET_IO, socketDrivers } from '../support/transports/sockets.js';

const key = newKey();
const stranger = newKey('rsa', { kid: key.kid });
const issuer = LocalIssuer.forFile([key]);

afterEach(closeApps);

async function start(options: Partial<AuthOptions> = {}, platform: Platform = 'express', logger?: LoggerService) {
  const imports = [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE, ...options } as AuthOptions)];
  const { app, url } = await startApp(platform, { imports, controllers: [OrdersController] }, { logger });
  return { app, ask: (headers: Record<string, string> = {}) => call(`${url}/orders`, headers) };
}

const [SOCKET_IO_DOORS] = socketDrivers as [TransportDriver];

/** As a policy. */
const never = () => false;

const token = (claims: Record<string, unknown> = {}, by = key) => issuer.token(by, 'RS256', claims);

/** What is warned of when the application starts. */
class Warnings implements LoggerService {
  readonly texts: string[] = [];
  log = () => undefined;
  error = () => undefined;
  debug = () => undefined;
  warn = (message: unknown) => this.texts.push(String(message));
}

describe.each(PLATFORMS)('A refusal on %s', (platform) => {
  it('says nothing of why, unless it is told to', async () => {
    const { ask } = await start({}, platform);
    expect((await ask(bearer(token({ aud: 'other' })))).body).not.toHaveProperty('hint');
  });

  it.each<[string, () => Record<string, string>, string]>([
    ['no token', () => ({}), 'Send `Authorization: Bearer'],
    ['another audience', () => bearer(token({ aud: 'other' })), `Expected: ["${AUDIENCE}"]. Got: "other".`],
    [
      'another spelling of the issuer',
      () => bearer(token({ iss: `${issuer.url}/` })),
      'write it exactly as the token has it',
    ],
    ['a forged token', () => bearer(token({}, stranger)), 'signed by somebody else'],
    ['no JWT', () => bearer('opaque'), 'Opaque tokens'],
    ['a scheme that stands there twice', () => bearer(`Bearer ${token()}`), '`Bearer ` may stand there twice'],
    ['a word', () => bearer('undefined'), 'The client sent the word "undefined"'],
    ['a claim of another type', () => bearer(token({ sub: 5 })), 'It is about `sub`.'],
    ['a key that nobody knows', () => bearer(token({}, newKey())), 'Got the key id: "'],
    ['no scheme', () => ({ authorization: token() }), 'must begin with'],
  ])('says how to mend it where explainRefusals is on: %s', async (_what, headers, hint) => {
    const { ask } = await start({ explainRefusals: true }, platform);
    const { status, body } = await ask(headers());
    expect([400, 401]).toContain(status);
    expect(body.hint).toContain(hint);
    expect(body.hint).not.toContain('eyJ');
  });

  it('does not repeat all of what was sent', async () => {
    const { ask } = await start({ explainRefusals: true }, platform);
    const { body } = await ask(bearer(token({ aud: 'x'.repeat(4_000) })));
    expect((body.hint as string).length).toBeLessThan(1_000);
  });

  it('says so of what a route requires, too', async () => {
    const { ask } = await start({ explainRefusals: true, require: { scopes: ['api'] } }, platform);
    const { status, body } = await ask(bearer(token({ scope: 'read' })));
    expect([status, body.hint]).toEqual([403, expect.stringContaining('Expected: ["api"]. The token has: ["read"].')]);
  });

  it.each<[string, NonNullable<AuthOptions['require']>, string]>([
    ['roles', { roles: ['admin'] }, 'Expected: ["admin"]. The token has: ["clerk"].'],
    ['permissions', { permissions: ['all'] }, 'Expected: ["all"]. The token has: [].'],
    ['a login', { acr: { values: ['mfa'] } }, 'Expected: {"acr":"mfa"}. The token has: {"acr":"pwd"}.'],
    ['a policy', { policy: never }, 'The policy never of the application said no.'],
  ])('says what the token has of what is required: %s', async (_what, require, hint) => {
    const { ask } = await start({ explainRefusals: true, require }, platform);
    expect((await ask(bearer(token({ roles: ['clerk'], acr: 'pwd' })))).body.hint).toContain(hint);
  });
});

describe('A hint of the application itself', () => {
  it.each([true, false])('is told nobody; explainRefusals: %j', async (explainRefusals) => {
    const validate = () => {
      throw Object.assign(new AuthError('POLICY_DENIED'), { hint: 'row 5 of the table users' });
    };
    const { ask } = await start({ explainRefusals, validate });
    const { status, text } = await ask(bearer(token()));
    expect(status).toBe(403);
    expect(text).not.toContain('row 5');
    const queries = await graphqlQueryDriver('express').start(issuer, { explainRefusals, validate, clock: Date.now });
    expect(await queries.call('closed', token())).toBe('POLICY_DENIED');
    await queries.close();
  });
});

describe('What the application refuses with itself', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;

  it.each<[string, AuthError]>([
    ['frozen', Object.freeze(new AuthError('POLICY_DENIED'))],
    ['with a circle in its facts', new AuthError('POLICY_DENIED', { expected: circle })],
    ['with a bigint in its facts', new AuthError('POLICY_DENIED', { expected: 1n })],
  ])('is answered as it says: %s', async (_what, refusal) => {
    for (const explainRefusals of [false, true]) {
      let asked = 0;
      const validate = () => {
        asked += 1;
        throw refusal;
      };
      const { ask } = await start({ explainRefusals, validate });
      const { status, body } = await ask(bearer(token()));
      expect([status, body.code, asked]).toEqual([403, 'POLICY_DENIED', 1]);
      expect(typeof body.hint).toBe(explainRefusals ? 'string' : 'undefined');
    }
    expect(refusal.hint).toBeUndefined();
  });
});

describe('explainRefusals', () => {
  it('is warned of at start', async () => {
    const warnings = new Warnings();
    await start({ explainRefusals: true }, 'express', warnings);
    expect(warnings.texts).toContain(
      'explainRefusals is on: refusals tell callers what the options expect and what their token has',
    );
  });

  it('is not used in production, which is warned of', async () => {
    const warnings = new Warnings();
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = 'production';
    try {
      const { ask } = await start({ explainRefusals: true }, 'express', warnings);
      expect((await ask()).body).not.toHaveProperty('hint');
      expect(warnings.texts.filter((text) => text.includes('explainRefusals'))).toEqual([
        expect.stringContaining('not used'),
      ]);
    } finally {
      process.env.NODE_ENV = before;
    }
  });

  it('is heard on GraphQL and on sockets', async () => {
    const queries = await graphqlQueryDriver('express').start(issuer, { explainRefusals: true });
    const response = await fetch(`${await queries.app.getUrl()}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ closed }' }),
    });
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { hint: expect.stringContaining('Send') } }],
    });
    await queries.close();
    const sockets = await SOCKET_IO.start(issuer, { explainRefusals: true });
    const socket = sockets.open('guarded');
    expect(await socket.next('exception')).toMatchObject({ hint: expect.stringContaining('Send') });
    await sockets.close();
  });

  it('leaves the verifier to say it in full', async () => {
    const { app } = await start();
    const rows = await app.get(AccessTokenVerifier).explain(token({ aud: 'other' }));
    expect(rows.filter(({ passed }) => passed !== true).map(({ check }) => check)).toEqual(['audience']);
  });
});

describe('AuthEvents', () => {
  const observed = async (options: Partial<AuthOptions> = {}) => {
    const { app, ask } = await start(options);
    const events = app.get(AuthEvents);
    const refusals: RefusalEvent[] = [];
    const admissions: AdmissionEvent[] = [];
    const stops = [
      events.onRefusal((event) => refusals.push(event)),
      events.onAdmission((event) => admissions.push(event)),
    ];
    return {
      events,
      ask,
      refusals,
      admissions,
      stop: () =>
        stops.forEach((stop) => {
          stop();
        }),
    };
  };

  it('tell who was let in where, and nothing secret', async () => {
    const { ask, admissions, refusals } = await observed();
    const sent = token({ jti: 'the-jti', client_id: 'web', secret: 'of the claims' });
    await ask(bearer(sent));
    expect(admissions).toEqual([
      {
        handler: 'OrdersController.list',
        route: 'GET /orders',
        transport: 'http',
        issuer: issuer.url,
        clientId: 'web',
        jtiHash: createHash('sha256').update('the-jti').digest('base64url'),
        durationMs: expect.any(Number),
      },
    ]);
    expect(refusals).toEqual([]);
    expect(JSON.stringify(admissions)).not.toMatch(/the-jti|secret|eyJ/);
  });

  it.each<[string, () => Record<string, string>, Record<string, unknown>]>([
    ['no token', () => ({}), { code: 'TOKEN_MISSING', status: 401, issuer: undefined }],
    ['an expired token', () => bearer(token({ exp: 1 })), { code: 'TOKEN_EXPIRED', issuer: 'ours' }],
    [
      'a forged token',
      () => bearer(token({ client_id: 'web' }, stranger)),
      { code: 'SIGNATURE_INVALID', issuer: 'ours' },
    ],
    ['another audience', () => bearer(token({ aud: 'x' })), { code: 'AUDIENCE_MISMATCH', issuer: 'ours' }],
    [
      'an issuer that is nobody',
      () => bearer(token({ iss: 'https://evil.test' })),
      { code: 'ISSUER_UNTRUSTED', issuer: undefined },
    ],
  ])(
    'tell of a refusal by a trusted issuer only, and of no client that is not proven: %s',
    async (_what, headers, event) => {
      const { ask, refusals } = await observed();
      await ask(headers());
      const expected = { ...event, issuer: event.issuer === 'ours' ? issuer.url : undefined, clientId: undefined };
      expect(refusals).toMatchObject([expected]);
    },
  );

  it('tell of a client that lacks what the route requires', async () => {
    const { ask, refusals } = await observed({ require: { scopes: ['api'] } });
    await ask(bearer(token({ client_id: 'web' })));
    expect(refusals).toMatchObject([{ code: 'SCOPE_INSUFFICIENT', status: 403, issuer: issuer.url, clientId: 'web' }]);
  });

  it('tell of the issuer whose user the application refused', async () => {
    const { ask, refusals } = await observed({ user: () => undefined });
    await ask(bearer(token({ client_id: 'web', jti: 'the-jti' })));
    expect(refusals).toMatchObject([
      { code: 'USER_REFUSED', issuer: issuer.url, clientId: 'web', jtiHash: expect.any(String) },
    ]);
  });

  it('tell nobody who has stopped listening', async () => {
    const { ask, refusals, events, stop } = await observed();
    stop();
    await ask();
    expect(refusals).toEqual([]);
    expect(events.isObserved).toBe(false);
  });

  it('tell of a call once, however many guards it meets', async () => {
    @Controller('twice')
    @UseGuards(AuthGuard)
    class TwiceController {
      @Get()
      read() {
        return {};
      }
    }
    const imports = [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE })];
    const { app, url } = await startApp('express', { imports, controllers: [TwiceController] });
    const admissions: AdmissionEvent[] = [];
    app.get(AuthEvents).onAdmission((event) => admissions.push(event));
    expect((await call(`${url}/twice`, bearer(token()))).status).toBe(200);
    expect(admissions).toHaveLength(1);
  });

  it.each(['express', 'fastify'] as const)(
    'name the route as the report does, never the path that was sent: %s',
    async (platform) => {
      @Controller({ path: ['shops', 'stores'], version: ['1', '2'] })
      class ShopsController {
        @Get([':id/orders', ':id/orders/all'])
        list() {
          return {};
        }

        @All('any')
        any() {
          return {};
        }
      }
      @Controller('malls')
      class MallsController extends ShopsController {}

      const imports = [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE })];
      const prepare = (app: INestApplication) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI });
      };
      const running = await startApp(
        platform,
        { imports, controllers: [ShopsController, MallsController] },
        { prepare },
      );
      const routes: unknown[] = [];
      const events = running.app.get(AuthEvents);
      events.onRefusal(({ route }) => routes.push(route));
      events.onAdmission(({ route }) => routes.push(route));
      await call(`${running.url}/api/v1/shops/7/orders`);
      await call(`${running.url}/api/v2/stores/secret/orders/all?token=x`, bearer(token()));
      await call(`${running.url}/api/v2/shops/any?path=a`, bearer(token()));
      await call(`${running.url}/api/malls/any`);
      expect(routes).toEqual([
        'GET /api/v1/shops/:id/orders',
        'GET /api/v2/stores/:id/orders/all',
        'ALL /api/v2/shops/any',
        'ALL /api/malls/any',
      ]);
      const report = routeReport(running.app).routes.map(({ kind, pattern }) => `${kind} ${pattern}`);
      expect(report).toEqual(expect.arrayContaining(routes));
    },
  );

  it.each<[string, TransportDriver, Door, string]>([
    ['a query', graphqlQueryDriver('express'), 'closed', 'Query closed'],
    ['a subscription', graphqlSubscriptionDriver, 'closed', 'Subscription closed'],
    ['a message of TCP', tcpDriver, 'closed', 'message closed'],
    ['gRPC', grpcDriver, 'closed', 'message {"service":"Doors","rpc":"Closed","streaming":"no_stream"}'],
    ['a message of a socket', SOCKET_IO_DOORS, 'scoped', 'message scoped'],
    ['a socket that is opened', SOCKET_IO_DOORS, 'closed', 'connection guarded'],
  ])('name the route of every transport as the report does: %s', async (_what, driver, door, route) => {
    const transport = await driver.start(issuer, { clock: Date.now });
    const refusals: RefusalEvent[] = [];
    transport.app.get(AuthEvents, { strict: false }).onRefusal((event) => refusals.push(event));
    await transport.call(door);
    expect(refusals).toMatchObject([{ code: 'TOKEN_MISSING', route }]);
    const report = routeReport(transport.app).routes.map(({ kind, pattern }) => `${kind} ${pattern}`);
    expect(report).toContain(route);
    await transport.close();
  });

  it('name the one gateway that a socket was opened to, of several that have the opening from one class', async () => {
    const sockets = await SOCKET_IO.start(issuer, { clock: Date.now }, (place) => {
      @WebSocketGateway(place('orders'))
      class OrdersGateway extends AuthenticatedGateway {}
      @WebSocketGateway(place('stock'))
      class StockGateway extends AuthenticatedGateway {}
      return [OrdersGateway, StockGateway];
    });
    const refusals: RefusalEvent[] = [];
    sockets.app.get(AuthEvents, { strict: false }).onRefusal((event) => refusals.push(event));
    await sockets.open('stock').closed;
    expect(refusals).toMatchObject([{ handler: 'StockGateway.handleConnection', route: 'connection stock' }]);
    await sockets.close();
  });

  it('name no route where none of a controller was asked for', async () => {
    const imports = [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE })];
    const prepare = (app: INestApplication) => {
      app.use('/files', app.get(AuthMiddleware).use);
    };
    const running = await startApp('express', { imports }, { prepare });
    const refusals: RefusalEvent[] = [];
    running.app.get(AuthEvents).onRefusal((event) => refusals.push(event));
    await call(`${running.url}/files/secret`);
    // What measures coverage takes the function its name.
    const handler = expect.stringMatching(/^AuthMiddleware\.(?:use)?$/);
    expect(refusals).toMatchObject([{ handler, route: undefined, code: 'TOKEN_MISSING' }]);
  });

  it('tell of new tokens that a socket was refused', async () => {
    const sockets = await SOCKET_IO.start(issuer, { clock: Date.now });
    const refusals: RefusalEvent[] = [];
    sockets.app.get(AuthEvents).onRefusal((event) => refusals.push(event));
    const socket = sockets.open('guarded', token());
    socket.send('authenticate', token({}, stranger));
    expect(await socket.next('exception')).not.toHaveProperty('hint');
    socket.send('authenticate', token({ sub: 'bob' }));
    await socket.next('exception');
    expect(refusals.map(({ code, handler, route }) => [code, handler, route])).toEqual([
      ['SIGNATURE_INVALID', 'SocketAuthenticator.renew', undefined],
      ['CLAIM_INVALID', 'SocketAuthenticator.renew', undefined],
    ]);
    await sockets.close();
  });

  it('tell the client of a socket how to mend its new token, where explainRefusals is on', async () => {
    const sockets = await SOCKET_IO.start(issuer, { clock: Date.now, explainRefusals: true });
    const socket = sockets.open('guarded', token());
    socket.send('authenticate', token({}, stranger));
    expect(await socket.next('exception')).toMatchObject({ code: 'SIGNATURE_INVALID', hint: expect.any(String) });
    await sockets.close();
  });

  it('are told under fake timers, too', async () => {
    const { ask, admissions } = await observed();
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'setInterval', 'queueMicrotask'] });
    try {
      await ask(bearer(token()));
      expect(admissions).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it('are observables, too', async () => {
    const { events, ask } = await observed();
    const codes: string[] = [];
    const subscription = events.refusals.subscribe(({ code }) => codes.push(code));
    const handlers: string[] = [];
    subscription.add(events.admissions.subscribe(({ handler }) => handlers.push(handler)));
    await ask();
    await ask(bearer(token()));
    subscription.unsubscribe();
    await ask();
    expect([codes, handlers]).toEqual([['TOKEN_MISSING'], ['OrdersController.list']]);
  });

  it('decide nothing: what a listener throws, or rejects with, costs nobody an answer', async () => {
    const { events, ask, admissions } = await observed();
    events.onAdmission(() => {
      throw new Error('the audit log is full');
    });
    events.onAdmission(() => Promise.reject(new Error('the audit log is down')));
    expect((await ask(bearer(token()))).status).toBe(200);
    expect(admissions).toHaveLength(1);
  });
});

describe('OpenTelemetry', () => {
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 2 ** 30 });
  const spans = new InMemorySpanExporter();

  beforeAll(() => {
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  });

  afterAll(async () => {
    await reader.shutdown();
    metrics.disable();
  });

  const collected = async () => {
    metricExporter.reset();
    await reader.forceFlush();
    return metricExporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .map(({ descriptor, dataPoints }) => ({ name: descriptor.name, unit: descriptor.unit, dataPoints }));
  };

  it('is given counts by outcome, code and issuer, times, and the age of keys', async () => {
    const { ask } = await start({ openTelemetry: true });
    await ask(bearer(token({ client_id: 'web' })));
    await ask();
    await ask();
    await ask(bearer(token({ iss: 'https://evil.test' })));
    await ask(bearer(token({ exp: 1 })));
    const found = await collected();
    const requests = found.find(({ name }) => name === 'resource_server.requests');
    expect(requests?.dataPoints.map(({ attributes, value }) => [attributes, value])).toEqual([
      [
        {
          'resource_server.outcome': 'admitted',
          'resource_server.transport': 'http',
          'resource_server.issuer': issuer.url,
        },
        1,
      ],
      [
        {
          'resource_server.outcome': 'refused',
          'resource_server.transport': 'http',
          'resource_server.code': 'TOKEN_MISSING',
        },
        2,
      ],
      [
        {
          'resource_server.outcome': 'refused',
          'resource_server.transport': 'http',
          'resource_server.code': 'ISSUER_UNTRUSTED',
        },
        1,
      ],
      [
        {
          'resource_server.outcome': 'refused',
          'resource_server.transport': 'http',
          'resource_server.code': 'TOKEN_EXPIRED',
          'resource_server.issuer': issuer.url,
        },
        1,
      ],
    ]);
    const duration = found.find(({ name }) => name === 'resource_server.guard.duration');
    expect([duration?.unit, duration?.dataPoints.length]).toEqual(['s', 4]);
    const verifications = found.find(({ name }) => name === 'resource_server.verification.duration');
    expect(verifications?.unit).toBe('s');
    // Of what was sent: where there is no token nothing is verified.
    expect(
      verifications?.dataPoints.map(({ attributes, value }) => [attributes, (value as { count: number }).count]),
    ).toEqual([
      [{ 'resource_server.outcome': 'admitted', 'resource_server.issuer': issuer.url }, 1],
      [{ 'resource_server.outcome': 'refused', 'resource_server.code': 'ISSUER_UNTRUSTED' }, 1],
      [
        {
          'resource_server.outcome': 'refused',
          'resource_server.code': 'TOKEN_EXPIRED',
          'resource_server.issuer': issuer.url,
        },
        1,
      ],
    ]);
    const age = found.find(({ name }) => name === 'resource_server.keys.age');
    expect(age?.dataPoints[0]?.attributes).toEqual({
      'resource_server.issuer': issuer.url,
      'resource_server.keys.state': 'fresh',
    });
  });

  it('is given no issuer that strangers can name, where a resolver trusts many', async () => {
    const { ask } = await start({
      openTelemetry: true,
      issuer: undefined,
      audience: undefined,
      issuers: (name: string) => ({
        issuer: name,
        audience: AUDIENCE,
        keys: { from: 'jwks', uri: `${issuer.url}/jwks` },
      }),
    } as never);
    await ask(bearer(token({ iss: 'https://invented.test', exp: 1 })));
    const requests = (await collected()).find(({ name }) => name === 'resource_server.requests');
    const issuers = requests?.dataPoints.map(({ attributes }) => attributes['resource_server.issuer']);
    expect(issuers).not.toContain('https://invented.test');
  });

  it('has the active span say what was decided', async () => {
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
    const span = provider.getTracer('test').startSpan('request');
    const active = jest.spyOn(trace, 'getActiveSpan').mockReturnValue(span);
    const { ask } = await start({ openTelemetry: true });
    await ask(bearer(token({ client_id: 'web' })));
    span.end();
    active.mockRestore();
    expect(spans.getFinishedSpans().at(-1)?.attributes).toEqual({
      'resource_server.outcome': 'admitted',
      'resource_server.transport': 'http',
      'resource_server.issuer': issuer.url,
      'resource_server.route': 'GET /orders',
      'resource_server.client_id': 'web',
    });
  });

  it('has the span say what was refused, whatever else of a query was not', async () => {
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
    const span = provider.getTracer('test').startSpan('request');
    const active = jest.spyOn(trace, 'getActiveSpan').mockReturnValue(span);
    const queries = await graphqlQueryDriver('express').start(issuer, { openTelemetry: true, clock: Date.now });
    await queries.call('scoped', token());
    await queries.call('closed', token());
    span.end();
    active.mockRestore();
    await queries.close();
    expect(spans.getFinishedSpans().at(-1)?.attributes).toMatchObject({
      'resource_server.outcome': 'refused',
      'resource_server.code': 'SCOPE_INSUFFICIENT',
      'resource_server.route': 'Query scoped',
    });
  });

  it('decides nothing: a meter that fails costs nobody an answer', async () => {
    const record = () => {
      throw new Error('the meter is broken');
    };
    const meter = metrics.getMeter('test');
    const getMeter = jest.spyOn(metrics, 'getMeter').mockReturnValue({
      createCounter: meter.createCounter.bind(meter),
      createObservableGauge: meter.createObservableGauge.bind(meter),
      createHistogram: () => ({ record }),
    } as unknown as Meter);
    const { ask } = await start({ openTelemetry: true });
    getMeter.mockRestore();
    expect((await ask(bearer(token()))).status).toBe(200);
    expect((await ask(bearer(token({ exp: 1 })))).status).toBe(401);
  });

  it('hears no more of an application that was closed, nor of one that did not ask for it', async () => {
    const { app } = await start({ openTelemetry: true });
    const events = app.get(AuthEvents);
    expect(events.isObserved).toBe(true);
    await closeApps();
    expect(events.isObserved).toBe(false);
    const { app: other } = await start();
    expect(other.get(AuthEvents).isObserved).toBe(false);
  });
});
