import 'reflect-metadata';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  type ExecutionContext,
  Injectable,
  Logger,
  type LoggerService,
  type NestInterceptor,
  NotFoundException,
  Scope,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import {
  type CustomTransportStrategy,
  EventPattern,
  MessagePattern,
  RpcException,
  Server as RpcServer,
} from '@nestjs/microservices';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { lastValueFrom } from 'rxjs';
import { AuthGuard, type AuthOptions, CurrentUser, fromBearerHeader, Public, RequireScopes } from '../../src/index.js';
import { closeApps } from '../support/app.js';
import { until } from '../support/until.js';
import { holdTime, pass } from '../support/held-time.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import { LogRecorder } from '../support/log-recorder.js';
import { externalDriver, startExternal, tokenInDelivery } from '../support/transports/external.js';
import {
  graphqlQueryDriver,
  graphqlSubscriptionDriver,
  mercuriusSubscriptionDriver,
  yogaSubscriptionDriver,
} from '../support/transports/graphql.js';
import {
  greeting,
  type HandlerName,
  type OpenConnection,
  type RunningTransport,
  type TransportDriver,
  watchedBy,
} from '../support/transports/handlers.js';
import { httpDriver, sseDriver, unsubscribed } from '../support/transports/http.js';
import {
  grpcDriver,
  receivedEvents,
  startHybrid,
  type StreamHandler,
  tcpDriver,
} from '../support/transports/microservices.js';
import { socketDrivers } from '../support/transports/sockets.js';

const { issuer, nowSeconds, tokenOf, TOKENS } = issuerWithTokens();
type TokenName = keyof typeof TOKENS;

let isShared = false;

afterEach(async () => {
  if (!isShared) await closeApps();
});

/** The results that are the same on every transport. */
const RESULTS: readonly [handler: HandlerName, token: TokenName, result: string | RegExp][] = [
  ['closed', 'none', 'TOKEN_MISSING'],
  ['closed', 'good', 'ok alice'],
  ['closed', 'forged', 'SIGNATURE_INVALID'],
  ['closed', 'malformed', 'TOKEN_MALFORMED'],
  ['closed', 'expired', 'TOKEN_EXPIRED'],
  ['closed', 'foreign', 'AUDIENCE_MISMATCH'],
  ['scoped', 'none', 'TOKEN_MISSING'],
  ['scoped', 'forged', 'SIGNATURE_INVALID'],
  ['scoped', 'reader', 'SCOPE_INSUFFICIENT'],
  ['scoped', 'writer', 'ok alice'],
  ['public', 'none', 'ok guest'],
  ['public', 'forged', 'ok guest'],
  ['optional', 'none', 'ok guest'],
  ['optional', 'good', 'ok alice'],
  ['optional', 'forged', 'SIGNATURE_INVALID'],
  ['optional', 'expired', 'TOKEN_EXPIRED'],
  ['inherits', 'none', 'TOKEN_MISSING'],
  ['inherits', 'writer', 'SCOPE_INSUFFICIENT'],
  ['inherits', 'reader', 'ok alice'],
  ['overrides', 'reader', 'SCOPE_INSUFFICIENT'],
  ['overrides', 'writer', 'ok alice'],
  ['merges', 'reader', 'SCOPE_INSUFFICIENT'],
  ['merges', 'writer', 'SCOPE_INSUFFICIENT'],
  ['merges', 'both', 'ok alice'],
  // An error of a policy is an error of the application, not a refusal.
  ['failing', 'good', /the database is down|internal server error/i],
];

const RESPONDING = [
  httpDriver('express'),
  httpDriver('fastify'),
  graphqlQueryDriver('express'),
  graphqlQueryDriver('fastify'),
  tcpDriver,
  externalDriver,
];
const STREAMING = [
  graphqlSubscriptionDriver,
  mercuriusSubscriptionDriver,
  yogaSubscriptionDriver('express'),
  yogaSubscriptionDriver('fastify'),
  ...socketDrivers,
  sseDriver('express'),
  sseDriver('fastify'),
  grpcDriver,
];

describe.each<TransportDriver>([...RESPONDING, ...STREAMING])('$name', (driver) => {
  let transport: RunningTransport;

  beforeAll(async () => {
    transport = await driver.start(issuer);
    isShared = true;
  });

  afterAll(async () => {
    isShared = false;
    await closeApps();
  });

  it.each(RESULTS)('calls the handler "%s" with the token "%s": %s', async (handler, token, result) => {
    expect(await transport.call(handler, TOKENS[token]())).toMatch(result);
  });

  it('does not watch a call that ends with its response', async () => {
    await transport.call('closed', TOKENS.good());
    await until(() => watchedBy(transport.app) === 0);
  });
});

describe.each(RESPONDING)('$name', (driver) => {
  it('rejects the next call when the token has expired', async () => {
    const transport = await driver.start(issuer);
    const token = TOKENS.good();
    expect(await transport.call('closed', token)).toBe('ok alice');
    transport.clock.pass(900);
    expect(await transport.call('closed', token)).toBe('TOKEN_EXPIRED');
  });
});

describe.each(STREAMING)('A connection over $name', (driver) => {
  holdTime();

  const start = async (options: Partial<AuthOptions>, claims: Record<string, unknown>) => {
    const { app, open } = await driver.start(issuer, { clock: Date.now, ...options });
    const connection: OpenConnection = await open(tokenOf(claims));
    return { app, ...connection };
  };

  it('is closed when its token expires, after the tolerance, and after the grace time if it can renew', async () => {
    const before = unsubscribed.count;
    const options = { clockToleranceSeconds: 5, connections: { renewalGraceSeconds: 7 } };
    const { app, closed } = await start(options, { exp: Date.now() / 1000 + 10 });
    const grace = /^(?:socket\.io|ws)$/.test(driver.name) ? 7 : 0;
    await pass(10 + 5 + grace - 0.1);
    expect(watchedBy(app)).toBe(1);
    await pass(0.1);
    expect(await closed).toBe('TOKEN_EXPIRED');
    // Nest unsubscribes from the observable of the handler as well.
    if (/^server-sent|^gRPC/.test(driver.name)) await until(() => unsubscribed.count === before + 1);
  });

  it('is closed when its token reaches maxTokenAgeSeconds, even if the clock was set back meanwhile', async () => {
    let offset = 0;
    const options = { clock: () => Date.now() + offset, maxTokenAgeSeconds: 70 };
    const { app, closed } = await start(options, { iat: Date.now() / 1000 - 60, exp: Date.now() / 1000 + 300 });
    offset = -5_000;
    await pass(14.9);
    expect(watchedBy(app)).toBe(1);
    await pass(0.1);
    expect(await closed).toBe('TOKEN_EXPIRED');
  });

  it('is watched until its client leaves', async () => {
    const { app, leave } = await start({}, {});
    expect(watchedBy(app)).toBe(1);
    leave();
    await until(() => watchedBy(app) === 0);
  });
});

it('never sets a timer for longer than Node supports', async () => {
  const timers = jest.spyOn(globalThis, 'setTimeout');
  const { open } = await sseDriver('express').start(issuer, { clock: Date.now });
  const { leave } = await open(tokenOf({ exp: Date.now() / 1000 + 60 * 86_400 }));
  const delays = timers.mock.calls.map(([, delay]) => delay ?? 0);
  timers.mockRestore();
  leave();
  expect(Math.max(...delays)).toBe(2 ** 31 - 1);
});

describe.each([sseDriver('express'), sseDriver('fastify')])('A connection over $name', (driver) => {
  // With Node's own timers, which the other tests replace.
  it('sends TOKEN_EXPIRED once', async () => {
    const { open } = await driver.start(issuer, { clock: Date.now });
    const exp = Date.now() / 1000 + 1;
    const { codes } = await open(tokenOf({ exp }));
    expect(await codes).toEqual(['TOKEN_EXPIRED']);
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(exp);
  });

  describe('with the time stopped', () => {
    holdTime();

    it.each(['never reads again', 'reads again later'])('is closed if its client %s', async (behavior) => {
      const { app, url, call } = await driver.start(issuer, { clock: Date.now });
      const { host, port, hostname } = new URL(url);
      const open = new Set<Socket>();
      (app.getHttpServer() as Server).on('connection', (socket: Socket) => {
        open.add(socket);
        socket.on('close', () => open.delete(socket));
      });
      const exp = Date.now() / 1000 + 10;
      const reader = connect(Number(port), hostname);
      reader.on('error', () => undefined);
      reader.write(`GET /flood HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${tokenOf({ exp })}\r\n\r\n`);
      await new Promise((resolve) => reader.once('data', resolve));
      reader.pause();
      const [socket] = open;
      // Until Node itself has to buffer the response.
      await until(() => (socket?.writableLength ?? 0) > 0);
      await pass(9.9);
      expect(watchedBy(app)).toBe(1);
      await pass(0.1);
      expect([watchedBy(app), open.size]).toEqual([0, 1]);
      if (behavior === 'never reads again') await pass(1);
      else reader.resume();
      await until(() => open.size === 0);
      // The process still runs.
      expect(await call('closed', tokenOf({ exp: exp + 300 }))).toBe('ok alice');
      reader.destroy();
    });

    it('is answered with 401 if the handler has not created the stream when the token expires', async () => {
      const { app, slow } = await driver.start(issuer, { clock: Date.now });
      const answer = slow(tokenOf({ exp: Date.now() / 1000 + 10 }));
      await until(() => watchedBy(app) === 1);
      await pass(10);
      const { status: code, body, headers } = await answer;
      expect([code, body.code]).toEqual([401, 'TOKEN_EXPIRED']);
      expect(headers['www-authenticate']).toBe(
        'Bearer error="invalid_token", error_description="The access token expired"',
      );
    });
  });
});

describe('A refused message of a TCP microservice', () => {
  it('has the facts of an HTTP refusal', async () => {
    const { send } = await tcpDriver.start(issuer);
    expect(await send('scoped', TOKENS.reader())).toEqual({
      status: 'error',
      statusCode: 403,
      code: 'SCOPE_INSUFFICIENT',
      message: 'The access token lacks a required scope',
      challenge: expect.stringContaining('scope="write"'),
    });
  });
});

describe('An event of a TCP microservice', () => {
  it('reaches its handler only with a valid token, and the process keeps running', async () => {
    const { emit, call } = await tcpDriver.start(issuer);
    for (const token of ['none', 'forged', 'expired', 'good'] as const) await emit(TOKENS[token]());
    // The events of one socket are handled in order.
    expect(await call('closed', TOKENS.good())).toBe('ok alice');
    await until(() => receivedEvents.length > 0);
    expect(receivedEvents).toEqual(['alice']);
  });
});

describe('A handler that another library calls', () => {
  const DELIVERED: AuthOptions['tokenFrom'] = [tokenInDelivery];
  const release: (() => void)[] = [];

  /** Lets other calls happen between the guard and the parameter decorators. */
  @Injectable()
  class SlowGuard {
    canActivate = () =>
      new Promise<boolean>((resolve) =>
        release.push(() => {
          resolve(true);
        }),
      );
  }

  class Handlers {
    @UseGuards(SlowGuard)
    slow(@CurrentUser('sub') sub?: string) {
      return greeting(sub);
    }

    @UseGuards(AuthGuard)
    first(@CurrentUser('sub') sub?: string) {
      return greeting(sub);
    }

    second(@CurrentUser('sub') sub?: string) {
      return greeting(sub);
    }

    @Public()
    open(@CurrentUser('sub') sub?: string) {
      return greeting(sub);
    }
  }

  const startExternalHandlers = async (options: Partial<AuthOptions> = {}, logger?: LoggerService) => {
    const started = await startExternal(issuer, [Handlers], { tokenFrom: DELIVERED, ...options }, { logger });
    const call = (name: string, ...args: unknown[]) =>
      started.deliver(Handlers, name, args).catch((error: unknown) => (error as { code?: string }).code);
    return { ...started, call };
  };
  const [alice, bob] = [() => ({ token: TOKENS.good() }), () => ({ token: TOKENS.bob() })];

  it('has its own caller while calls that share an argument are in progress', async () => {
    const { call } = await startExternalHandlers();
    const channel = {};
    const calls = [call('slow', alice(), channel), call('slow', bob(), channel), call('slow', {}, channel)];
    await until(() => release.length === 2);
    for (const resolve of release.splice(0).reverse()) resolve();
    expect(await Promise.all(calls)).toEqual(['ok alice', 'ok bob', 'TOKEN_MISSING']);
  });

  it('has its own caller if its library binds the handler', async () => {
    const { deliver } = await startExternalHandlers();
    const call = (message: object) => deliver(Handlers, 'first', [message], 'rmq', { isBound: true });
    expect([await call(alice()), await call(bob())]).toEqual(['ok alice', 'ok bob']);
    await expect(call({})).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  });

  it('is refused if only shared arguments identify it', async () => {
    const shared = {};
    let token = TOKENS.good();
    const { call } = await startExternalHandlers({ tokenFrom: [() => token] });
    const first = call('slow', shared, 'text');
    await until(() => release.length === 1);
    token = TOKENS.bob();
    expect(await call('slow', shared, 'other text')).toBe('TOKEN_MISSING');
    release.splice(0).forEach((resolve) => {
      resolve();
    });
    expect(await first).toBe('ok alice');
    expect(await call('first', 'text', 1, null, undefined)).toBe('TOKEN_MISSING');
    expect(await call('open', 'text')).toBe('ok guest');
  });

  it('has its own caller if its library has the default type `http` and passes one request for all messages', async () => {
    const tokenFrom = [(context: ExecutionContext) => context.getArgByIndex<{ token?: string }>(1).token];
    const { deliver } = await startExternalHandlers({ tokenFrom });
    const request = { headers: {} };
    const call = (message: object) =>
      deliver(Handlers, 'first', [request, message], 'http').catch(
        (error: unknown) => (error as { code?: string }).code,
      );
    expect([await call(alice()), await call({}), await call(bob())]).toEqual(['ok alice', 'TOKEN_MISSING', 'ok bob']);
  });

  const RESPONSE = { setHeader: () => undefined };

  it.each<[string, (session: object) => readonly unknown[], string[]]>([
    ['one object', (session) => [session], ['ok bob', 'TOKEN_MISSING', 'ok guest']],
    [
      'a request and a response',
      (session) => [session, RESPONSE, 'message'],
      ['TOKEN_MISSING', 'TOKEN_MISSING', 'ok guest'],
    ],
  ])(
    'never has the caller of an earlier message if its library has the default type `http` and passes %s again',
    async (_what, argumentsFor, outcomes) => {
      const tokenFrom = [
        fromBearerHeader(),
        (context: ExecutionContext) => context.getArgByIndex<{ token?: string }>(0).token,
      ];
      const { deliver } = await startExternalHandlers({ tokenFrom });
      const session: { headers: object; token?: string } = { headers: {} };
      const call = (name: string, token: string | undefined) =>
        deliver(Handlers, name, argumentsFor(Object.assign(session, { token })), 'http').catch(
          (error: unknown) => (error as { code?: string }).code,
        );
      expect(await call('first', TOKENS.good())).toBe('ok alice');
      expect([
        await call('first', TOKENS.bob()),
        await call('first', undefined),
        await call('open', TOKENS.good()),
      ]).toEqual(outcomes);
    },
  );

  it('is refused if its library has the default type `http` and passes a text', async () => {
    const { deliver } = await startExternalHandlers({ tokenFrom: [(context) => context.getArgByIndex<string>(0)] });
    await expect(deliver(Handlers, 'first', [TOKENS.good()], 'http')).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  });

  it('is called for an event that other handlers receive as well', async () => {
    const { call } = await startExternalHandlers();
    const event = alice();
    expect(await call('first', event)).toBe('ok alice');
    expect(await call('second', event)).toBe('ok alice');
    expect(await call('open', event)).toBe('ok guest');
  });

  it('is authenticated by itself if the getRequest of a guard returns a shared argument', async () => {
    class ChannelGuard extends AuthGuard {
      override getRequest = (context: ExecutionContext) => context.getArgByIndex<object>(1);
    }
    const { call } = await startExternalHandlers({ guard: ChannelGuard } as never);
    const channel = {};
    expect(await call('second', alice(), channel)).toMatch(/^ok/);
    expect(await call('second', {}, channel)).toBe('TOKEN_MISSING');
  });

  it('changes no argument: the client of a library may have a `user` of its own', async () => {
    const { call } = await startExternalHandlers();
    const [event, client] = [Object.freeze(alice()), Object.freeze({ user: 'bot' })];
    expect(await call('first', event, client)).toBe('ok alice');
  });

  it('is reported with the fix when the first call of its transport has no token', async () => {
    const logger = new LogRecorder();
    const { call, deliver } = await startExternalHandlers({}, logger);
    await call('first', {});
    await call('second', {});
    await call('first', { token: TOKENS.expired() });
    await deliver(Handlers, 'first', [{}], 'telegraf').catch(() => undefined);
    const warnings = logger.lines.filter((line) => line.startsWith('warn: '));
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(
      /^warn: Refused Handlers\.first, a handler of the transport "rmq": .*`tokenFrom`.*@Public/,
    );
    expect(warnings[1]).toContain('"telegraf"');
  });
});

/** A transport of the application. It passes the data and the context on as they are. */
class CustomServer extends RpcServer implements CustomTransportStrategy {
  listen = (callback: () => void) => {
    callback();
  };
  close = () => undefined;
  on = () => undefined as never;
  unwrap = () => undefined as never;

  /** Resolves to what the handlers return, or to the error. */
  async receive(pattern: string, data: unknown, context?: unknown): Promise<unknown> {
    const result: unknown = await this.messageHandlers.get(pattern)?.(data, context);
    return lastValueFrom(this.transformToObservable(result)).catch((error: unknown) => error);
  }
}

describe('A message of a custom transport', () => {
  const received: string[] = [];

  /** Delays the handler after the guard has admitted the message. */
  const delay: NestInterceptor = {
    async intercept(_context, next) {
      await new Promise((resolve) => setImmediate(resolve));
      return next.handle();
    },
  };

  @UseInterceptors(delay)
  class Handlers {
    @MessagePattern('scoped')
    @RequireScopes('write')
    scoped(@CurrentUser('sub') sub?: string) {
      return greeting(sub);
    }

    @Public()
    @MessagePattern('public')
    public(@CurrentUser('sub') sub?: string) {
      return greeting(sub);
    }

    @UseGuards(AuthGuard)
    @EventPattern(['event', 'other'])
    first(@CurrentUser('sub') sub?: string) {
      received.push(`first ${String(sub)}`);
      return 'first';
    }
  }

  @Injectable({ scope: Scope.REQUEST })
  class RequestScopedHandlers {
    @UseGuards(AuthGuard)
    @EventPattern('event')
    second(@CurrentUser('sub') sub?: string) {
      received.push(`second ${String(sub)}`);
      return 'second';
    }
  }

  /** The token is in the data, or in the context if the data is not an object. */
  const token = (context: ExecutionContext) =>
    context.getType() === 'rpc'
      ? (context.getArgByIndex<{ accessToken?: string } | undefined>(0)?.accessToken ??
        context.getArgByIndex<{ accessToken?: string } | undefined>(1)?.accessToken)
      : undefined;

  const start = async () => {
    const strategy = new CustomServer();
    await startHybrid(issuer, { tokenFrom: [token] }, [Handlers, RequestScopedHandlers], { strategy });
    received.length = 0;
    return strategy;
  };

  it('is refused if its context belongs to another message (TOKEN_MISSING), so that it never has the caller of that one', async () => {
    const strategy = await start();
    const channel = {};
    const users = Array.from({ length: 40 }, (_value, index) => (index % 2 === 0 ? TOKENS.both() : TOKENS.bob()));
    const answers = await Promise.all(users.map((accessToken) => strategy.receive('scoped', { accessToken }, channel)));
    expect(answers[0]).toBe('ok alice');
    for (const answer of answers.slice(1)) expect(answer).toMatchObject({ code: 'TOKEN_MISSING' });
    expect(await strategy.receive('public', {}, channel)).toMatchObject({ code: 'TOKEN_MISSING' });
  });

  it('is refused if its context belongs to a message of a public handler', async () => {
    const strategy = await start();
    const channel = {};
    expect(await strategy.receive('public', {}, channel)).toBe('ok guest');
    expect(await strategy.receive('scoped', { accessToken: TOKENS.both() }, channel)).toMatchObject({
      code: 'TOKEN_MISSING',
    });
  });

  it('is logged with what is wrong if its context belongs to another message', async () => {
    const strategy = await start();
    const debug = jest.spyOn(Logger.prototype, 'debug').mockImplementation(() => undefined);
    const channel = {};
    for (const data of [{}, {}]) await strategy.receive('public', data, channel);
    expect(debug.mock.calls).toEqual([
      [expect.stringContaining('the context belongs to another message: create a new object for each')],
    ]);
    debug.mockRestore();
  });

  it.each<[string, unknown]>([
    ['an object', {}],
    ['a text', 'created'],
    ['nothing', undefined],
  ])('reaches each handler of its event, whatever its data is: %s', async (_what, data) => {
    const strategy = await start();
    await strategy.receive('event', data, { accessToken: TOKENS.both() });
    await strategy.receive('event', data, { accessToken: TOKENS.bob() });
    expect([...received].sort()).toEqual(['first alice', 'first bob', 'second alice', 'second bob']);
  });

  it('is not taken for the same event because it has the same data and context', async () => {
    const strategy = await start();
    const channel = { accessToken: TOKENS.both() };
    await strategy.receive('other', 'created', channel);
    channel.accessToken = TOKENS.bob();
    await strategy.receive('other', 'created', channel);
    await strategy.receive('event', 'changed', channel);
    expect(received).toEqual(['first alice']);
    expect(await strategy.receive('scoped', 'created', channel)).toMatchObject({ code: 'TOKEN_MISSING' });
  });

  it('of a public handler may have a frozen context, on which no caller can be kept', async () => {
    const strategy = await start();
    const channel = Object.freeze({});
    for (const data of [{}, {}]) expect(await strategy.receive('public', data, channel)).toBe('ok guest');
  });

  it('may be delivered again', async () => {
    const strategy = await start();
    const message = [{ accessToken: TOKENS.both() }, {}] as const;
    for (let delivery = 0; delivery < 3; delivery += 1)
      expect(await strategy.receive('scoped', ...message)).toBe('ok alice');
  });

  it('may be handled again by a hook that repeats the call (`registerPreRequestHook` of Nest 12)', async () => {
    const { app } = await startHybrid(issuer, {}, [Handlers], { strategy: new CustomServer() });
    const handle = (message: unknown[]) => {
      const context = new ExecutionContextHost(message, Handlers, Reflect.get(Handlers.prototype, 'public'));
      context.setType('rpc');
      return app.get(AuthGuard).canActivate(context);
    };
    const message = ['text', {}];
    expect([handle(message), handle(message)]).toEqual([true, true]);
    await expect(handle([...message])).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  });

  it.each([undefined, null, 7])('is authenticated by its own token without a context object: %s', async (context) => {
    const strategy = await start();
    const answer = (accessToken?: string) => strategy.receive('scoped', { accessToken }, context);
    // Without an object, there is no place for the caller that `@CurrentUser()` could find.
    expect(await answer(TOKENS.both())).toMatch(/^ok/);
    expect(await answer(TOKENS.reader())).toMatchObject({ code: 'SCOPE_INSUFFICIENT' });
    expect(await answer()).toMatchObject({ code: 'TOKEN_MISSING' });
  });

  it.each([null, {}, 'text'])('is authenticated if its payload has `metadata`: %j', async (metadata) => {
    const strategy = await start();
    const answer = (accessToken: string) => strategy.receive('scoped', { accessToken, metadata }, {});
    expect(await answer(TOKENS.both())).toBe('ok alice');
    expect(await answer(TOKENS.reader())).toMatchObject({ code: 'SCOPE_INSUFFICIENT' });
  });
});

describe('A refused gRPC call', () => {
  const twoTokens = { tokenFrom: [fromBearerHeader(), () => TOKENS.good()] };

  it.each<[string, HandlerName, TokenName, Partial<AuthOptions>, number, string]>([
    ['no token', 'closed', 'none', {}, status.UNAUTHENTICATED, 'TOKEN_MISSING'],
    ['an expired token', 'closed', 'expired', {}, status.UNAUTHENTICATED, 'TOKEN_EXPIRED'],
    ['an insufficient scope', 'scoped', 'reader', {}, status.PERMISSION_DENIED, 'SCOPE_INSUFFICIENT'],
    ['two tokens', 'closed', 'good', twoTokens, status.INVALID_ARGUMENT, 'TOKEN_MULTIPLE'],
  ])('has the status and the challenge for %s', async (_what, handler, token, options, code, authCode) => {
    const { send } = await grpcDriver.start(issuer, options);
    const refusal = (await send(handler, TOKENS[token]())) as ServiceError;
    expect(refusal.code).toBe(code);
    expect(refusal.details).toMatch(new RegExp(`^${authCode}: \\w`));
    expect(refusal.metadata.get('error-code')).toEqual([authCode]);
    expect(refusal.metadata.get('www-authenticate')).toEqual([expect.stringMatching(/^Bearer/)]);
  });

  it('has a retry time while the keys are unavailable', async () => {
    const { send } = await grpcDriver.start(issuer, { keys: { from: 'jwks', uri: `${issuer.url}/nowhere` } });
    const refusal = (await send('closed', TOKENS.good())) as ServiceError;
    expect([refusal.code, refusal.metadata.get('error-code')]).toEqual([status.UNAVAILABLE, ['KEYS_UNAVAILABLE']]);
    expect(Number(refusal.metadata.get('retry-after')[0])).toBeGreaterThan(0);
  });
});

describe.each<StreamHandler>(['Raw', 'Upload'])('A gRPC handler that receives the stream itself (%s)', (handler) => {
  const success = handler === 'Raw' ? 'open' : 'uploaded';
  const throwing = (create: () => Error): Partial<AuthOptions> => ({
    user: ({ claims }) => {
      if (claims.jti === 'throws') throw create();
      return claims;
    },
  });
  const ownException = new RpcException({ code: status.NOT_FOUND, details: 'no such order' });
  const throws = () => tokenOf({ jti: 'throws' });

  it.each<[string, Partial<AuthOptions>, () => string | undefined, string]>([
    ['no token', {}, TOKENS.none, 'TOKEN_MISSING'],
    ['a forged token', {}, TOKENS.forged, 'SIGNATURE_INVALID'],
    ['an expired token', {}, TOKENS.expired, 'TOKEN_EXPIRED'],
    ['a valid token', {}, TOKENS.good, success],
    ['an error', throwing(() => new Error('secret')), throws, '13 INTERNAL: Internal server error'],
    [
      'an HTTP exception',
      throwing(() => new NotFoundException('secret')),
      throws,
      '13 INTERNAL: Internal server error',
    ],
    ['a gRPC exception', throwing(() => ownException), throws, '5 NOT_FOUND: no such order'],
  ])('is answered for %s, and the process keeps running', async (_what, options, token, result) => {
    const { stream, call, app } = await grpcDriver.start(issuer, options);
    expect(await stream(handler, token())).toBe(result);
    expect(await call('closed', TOKENS.good())).toBe('ok alice');
    await until(() => watchedBy(app) === 0);
  });

  describe('with the time stopped', () => {
    holdTime();

    it('has its stream closed when the token expires', async () => {
      const { stream, app } = await grpcDriver.start(issuer, { clock: Date.now });
      const closed = stream(handler, tokenOf({ exp: nowSeconds() + 10 }), true);
      await until(() => watchedBy(app) === 1);
      await pass(9);
      expect(watchedBy(app)).toBe(1);
      await pass(1);
      expect(await closed).toBe('TOKEN_EXPIRED');
    });
  });
});
