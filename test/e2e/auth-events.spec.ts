import 'reflect-metadata';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  All,
  Controller,
  Get,
  type INestApplication,
  type INestApplicationContext,
  UseGuards,
  VersioningType,
} from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { createHash } from 'node:crypto';
import { config, filter, map } from 'rxjs';
import {
  AuthenticatedGateway,
  AuthError,
  type AuthEvent,
  AuthEvents,
  AuthGuard,
  AuthMiddleware,
  OptionalAuth,
  Public,
  routeReport,
} from '../../src/index.js';
import { bearer, call, closeApps, PLATFORMS } from '../support/app.js';
import { decoratedClass, routesController } from '../support/decorated-class.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import { LogRecorder } from '../support/log-recorder.js';
import { type OrdersOptions, startOrders } from '../support/orders-app.js';
import type { HandlerName, TransportDriver } from '../support/transports/handlers.js';
import { graphqlQueryDriver, graphqlSubscriptionDriver } from '../support/transports/graphql.js';
import { grpcDriver, tcpDriver } from '../support/transports/microservices.js';
import { SOCKET_IO, socketDrivers } from '../support/transports/sockets.js';

const { issuer, otherKey, tokenOf: token, TOKENS } = issuerWithTokens();

const socketIo = socketDrivers[0] as TransportDriver;

afterEach(closeApps);

function recordEvents(app: INestApplicationContext): AuthEvent[] {
  const events: AuthEvent[] = [];
  app.get(AuthEvents, { strict: false }).subscribe((event) => events.push(event));
  return events;
}

async function startObserved(options: OrdersOptions = {}) {
  const running = await startOrders(issuer, options);
  return { ...running, events: recordEvents(running.app) };
}

describe('An AuthError constant that the application throws for many calls', () => {
  it.each([false, true])('is reported with the facts of each call (explainRefusals: %p)', async (explainRefusals) => {
    const LOCKED = new AuthError('USER_REFUSED');
    let calls = 0;
    let release = (): void => undefined;
    const bothCalled = new Promise<void>((resolve) => {
      release = resolve;
    });
    const user = async () => {
      calls += 1;
      if (calls === 2) release();
      await bothCalled;
      throw LOCKED;
    };
    const validate = ({ claims }: { claims: { client_id?: string } }) => {
      if (claims.client_id === 'client C') throw LOCKED;
      return true;
    };
    const { ask, events } = await startObserved({ user, validate, explainRefusals });
    const send = (clientId: string) => ask(bearer(token({ client_id: clientId })));
    const before = Reflect.ownKeys(LOCKED);

    const answers = await Promise.all([send('client A'), send('client B')]);
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [401, 'USER_REFUSED'],
      [401, 'USER_REFUSED'],
    ]);
    expect(events.map(({ clientId }) => clientId).sort()).toEqual(['client A', 'client B']);

    expect((await send('client C')).body.code).toBe('USER_REFUSED');
    // `validate` rejects the token, so its claims are not reported.
    expect(events[2]).toMatchObject({ code: 'USER_REFUSED', issuer: issuer.url, clientId: undefined });
    expect(Reflect.ownKeys(LOCKED)).toEqual(before);
    expect(LOCKED).toMatchObject({ code: 'USER_REFUSED', detail: {} });
  });
});

describe('An event', () => {
  it('reports an admitted call without secrets', async () => {
    const { ask, events } = await startObserved();
    await ask(bearer(token({ jti: 'the-jti', client_id: 'web', secret: 'of the claims' })));
    expect(events).toStrictEqual([
      {
        outcome: 'admitted',
        handler: 'OrdersController.list',
        route: 'GET /orders',
        transport: 'http',
        issuer: issuer.url,
        clientId: 'web',
        jtiHash: createHash('sha256').update('the-jti').digest('base64url'),
        durationMs: expect.any(Number),
      },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/the-jti|secret|eyJ/);
  });

  it.each<[string, () => Record<string, string>, Record<string, unknown>]>([
    ['no token', () => ({}), { code: 'TOKEN_MISSING', status: 401, issuer: undefined }],
    ['an expired token', () => bearer(token({ exp: 1 })), { code: 'TOKEN_EXPIRED', issuer: 'trusted' }],
    [
      'a forged token',
      () => bearer(token({ client_id: 'web' }, otherKey)),
      { code: 'SIGNATURE_INVALID', issuer: 'trusted' },
    ],
    ['another audience', () => bearer(token({ aud: 'x' })), { code: 'AUDIENCE_MISMATCH', issuer: 'trusted' }],
    [
      'an untrusted issuer',
      () => bearer(token({ iss: 'https://evil.test' })),
      { code: 'ISSUER_UNTRUSTED', issuer: undefined },
    ],
  ])('of a rejected token names a trusted issuer only, and no client: %s', async (_what, headers, event) => {
    const { ask, events } = await startObserved();
    await ask(headers());
    const expected = { ...event, issuer: event.issuer === 'trusted' ? issuer.url : undefined, clientId: undefined };
    expect(events).toMatchObject([{ outcome: 'refused', ...expected }]);
  });

  it.each<[OrdersOptions, string, number]>([
    [{ require: { scopes: ['api'] } }, 'SCOPE_INSUFFICIENT', 403],
    [{ user: () => undefined }, 'USER_REFUSED', 401],
  ])('of a verified token that is refused names its client: %j', async (options, code, status) => {
    const { ask, events } = await startObserved(options);
    await ask(bearer(token({ client_id: 'web', jti: 'the-jti' })));
    expect(events).toMatchObject([
      { outcome: 'refused', code, status, issuer: issuer.url, clientId: 'web', jtiHash: expect.any(String) },
    ]);
  });

  it('is emitted once for each call, however many guards it meets, and not for public routes and errors', async () => {
    const routes = { read: [], guest: [OptionalAuth()], public: [Public()] };
    const EventsController = routesController('EventsController', 'events', routes, UseGuards(AuthGuard));
    const user = ({ claims }: { claims: { sub?: string } }) => {
      if (claims.sub === 'broken') throw new Error('the database is down');
      return claims;
    };
    const { app, ask } = await startOrders(issuer, { user }, { controllers: [EventsController] });
    const events = recordEvents(app);
    await ask(bearer(token()), 'events/read');
    for (const path of ['guest', 'public', 'read']) await ask({}, `events/${path}`);
    expect((await ask(bearer(token({ sub: 'broken' })), 'events/read')).status).toBe(500);
    expect(events.map(({ outcome, handler }) => `${outcome} ${handler.split('.')[1] ?? ''}`)).toEqual([
      'admitted read',
      'admitted guest',
      'refused read',
    ]);
  });
});

describe('The route of an event', () => {
  it.each(PLATFORMS)('is named as in the report, never by the path that was sent, on %s', async (platform) => {
    const methods = { list: [Get([':id/orders', ':id/orders/all'])], any: [All('any')] };
    const options = { path: ['shops', 'stores'], version: ['1', '2'] };
    const ShopsController = decoratedClass('ShopsController', methods, Controller(options));
    @Controller('malls')
    class MallsController extends ShopsController {}

    const prepare = (given: INestApplication) => {
      given.setGlobalPrefix('api');
      given.enableVersioning({ type: VersioningType.URI });
    };
    const controllers = [ShopsController, MallsController];
    const { app, ask } = await startOrders(issuer, {}, { platform, controllers, prepare });
    const events = recordEvents(app);
    await ask({}, 'api/v1/shops/7/orders');
    await ask(bearer(token()), 'api/v2/stores/secret/orders/all?token=x');
    await ask(bearer(token()), 'api/v2/shops/any?path=a');
    await ask({}, 'api/malls/any');
    const routes = events.map(({ route }) => route);
    expect(routes).toEqual([
      'GET /api/v1/shops/:id/orders',
      'GET /api/v2/stores/:id/orders/all',
      'ALL /api/v2/shops/any',
      'ALL /api/malls/any',
    ]);
    expect(routeReport(app).routes.map(({ kind, pattern }) => `${kind} ${pattern}`)).toEqual(
      expect.arrayContaining(routes),
    );
  });

  it.each<[string, TransportDriver, HandlerName, string]>([
    ['a query', graphqlQueryDriver('express'), 'closed', 'Query closed'],
    ['a subscription', graphqlSubscriptionDriver, 'closed', 'Subscription closed'],
    ['a message over TCP', tcpDriver, 'closed', 'message closed'],
    ['a gRPC call', grpcDriver, 'closed', 'message {"service":"Handlers","rpc":"Closed","streaming":"no_stream"}'],
    ['a message of a socket', socketIo, 'scoped', 'message scoped'],
    ['the opening of a socket', socketIo, 'closed', 'connection guarded'],
  ])('is named as in the report for %s', async (_what, driver, handler, route) => {
    const transport = await driver.start(issuer, { clock: Date.now });
    const events = recordEvents(transport.app);
    await transport.call(handler);
    // A message that waits for a socket that was refused is the same refusal.
    expect(events).toMatchObject([{ code: 'TOKEN_MISSING', route }]);
    const report = routeReport(transport.app).routes.map(({ kind, pattern }) => `${kind} ${pattern}`);
    expect(report).toContain(route);
    await transport.close();
  });

  it('names the gateway that was opened, if several inherit `handleConnection`', async () => {
    const sockets = await SOCKET_IO.start(issuer, { clock: Date.now }, (place) => {
      @WebSocketGateway(place('orders'))
      class OrdersGateway extends AuthenticatedGateway {}
      @WebSocketGateway(place('stock'))
      class StockGateway extends AuthenticatedGateway {}
      return [OrdersGateway, StockGateway];
    });
    const events = recordEvents(sockets.app);
    await sockets.open('stock').closed;
    expect(events).toMatchObject([{ handler: 'StockGateway.handleConnection', route: 'connection stock' }]);
    await sockets.close();
  });

  it('is undefined for AuthMiddleware and for a rejected renewal of a socket', async () => {
    const prepare = (app: INestApplication) => {
      app.use('/files', app.get(AuthMiddleware).use);
    };
    const running = await startOrders(issuer, {}, { prepare });
    const ofMiddleware = recordEvents(running.app);
    await call(`${running.url}/files/secret`);
    expect(ofMiddleware).toMatchObject([{ transport: 'http', route: undefined, code: 'TOKEN_MISSING' }]);

    const sockets = await SOCKET_IO.start(issuer, { clock: Date.now });
    const ofSockets = recordEvents(sockets.app);
    const socket = sockets.open('guarded', token());
    socket.send('authenticate', TOKENS.forged());
    await socket.next('exception');
    expect(ofSockets.filter(({ outcome }) => outcome === 'refused')).toMatchObject([
      { code: 'SIGNATURE_INVALID', handler: 'SocketAuthenticator.renew', route: undefined },
    ]);
    await sockets.close();
  });
});

describe('AuthEvents', () => {
  it('is an observable: operators and observers work, until they unsubscribe', async () => {
    const { app, ask } = await startOrders(issuer);
    const events = app.get(AuthEvents);
    expect(events.isObserved).toBe(false);
    const codes: unknown[] = [];
    const outcomes: string[] = [];
    const isRefused = (event: AuthEvent) => event.outcome === 'refused';
    const codeOf = (event: AuthEvent) => (event.outcome === 'refused' ? event.code : undefined);
    const subscription = events.pipe(filter(isRefused), map(codeOf)).subscribe((code) => codes.push(code));
    subscription.add(events.subscribe({ next: ({ outcome }) => outcomes.push(outcome) }));
    await ask();
    await ask(bearer(token()));
    subscription.unsubscribe();
    await ask();
    expect([codes, outcomes, events.isObserved]).toEqual([['TOKEN_MISSING'], ['refused', 'admitted'], false]);
  });

  it('logs what a subscriber throws or rejects with, and changes no decision', async () => {
    const onUnhandledError = jest.fn();
    config.onUnhandledError = onUnhandledError;
    const logger = new LogRecorder();
    const { app, ask } = await startOrders(issuer, {}, { logger });
    app.get(AuthEvents).subscribe(() => {
      throw new Error('the audit log is full');
    });
    app.get(AuthEvents).subscribe(() => Promise.reject(new Error('the audit log is down')) as never);
    const events = recordEvents(app);
    expect((await ask(bearer(token()))).status).toBe(200);
    expect((await ask()).status).toBe(401);
    expect(events).toHaveLength(2);
    expect(logger.lines.filter((line) => line.startsWith('error'))).toEqual([
      'error: Error: the audit log is full',
      'error: Error: the audit log is down',
      'error: Error: the audit log is full',
      'error: Error: the audit log is down',
    ]);
    // RxJS throws unhandled errors in a timer, which ends the process.
    await new Promise((resolve) => setTimeout(resolve, 5));
    config.onUnhandledError = null;
    expect(onUnhandledError).not.toHaveBeenCalled();
  });
});
