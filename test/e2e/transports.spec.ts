import 'reflect-metadata';
import { request as httpRequest, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Inject, NotFoundException, UseGuards } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AuthenticatedGateway,
  AuthGuard,
  type AuthOptions,
  fromBearerHeader,
  SocketAuthenticator,
  fromCookie,
  CurrentUser,
  OptionalAuth,
  Public,
  fromQuery,
  RequireScopes,
} from '../../src/index.js';
import { AUDIENCE, until } from '../support/guarded-app.js';
import { holdTime, pass } from '../support/held-time.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import {
  type Door,
  greeting,
  type RunningTransport,
  type TransportDriver,
  watchedBy,
} from '../support/transports/doors.js';
import { graphqlQueryDriver, graphqlSubscriptionDriver, type Opening } from '../support/transports/graphql.js';
import { ended, httpDriver, sseDriver } from '../support/transports/http.js';
import { grpcDriver, noted, tcpDriver } from '../support/transports/microservices.js';
import { type Handshake, SOCKET_KINDS, socketDrivers, type TestSocket } from '../support/transports/sockets.js';

const key = newKey();
const stranger = newKey('rsa', { kid: key.kid });
const issuer = LocalIssuer.forFile([key]);

const tokenWith = (claims: Record<string, unknown> = {}, by = key) =>
  // The clock of the tests stands still.
  issuer.token(by, 'RS256', { iat: Math.floor(Date.now() / 1000) - 60, ...claims });

const TOKENS = {
  none: () => undefined,
  good: () => tokenWith(),
  reader: () => tokenWith({ scope: 'read' }),
  writer: () => tokenWith({ scope: 'write' }),
  both: () => tokenWith({ scope: 'read write' }),
  forged: () => tokenWith({}, stranger),
  garbled: () => 'not-a-token',
  expired: () => tokenWith({ exp: Math.floor(Date.now() / 1000) - 60 }),
  foreign: () => tokenWith({ aud: 'https://other.example.com' }),
};

/** What holds on every transport. */
const CASES: readonly [door: Door, token: keyof typeof TOKENS, outcome: string][] = [
  ['closed', 'none', 'TOKEN_MISSING'],
  ['closed', 'good', 'ok alice'],
  ['closed', 'forged', 'SIGNATURE_INVALID'],
  ['closed', 'garbled', 'TOKEN_MALFORMED'],
  ['closed', 'expired', 'TOKEN_EXPIRED'],
  ['closed', 'foreign', 'AUDIENCE_MISMATCH'],
  ['scoped', 'none', 'TOKEN_MISSING'],
  ['scoped', 'forged', 'SIGNATURE_INVALID'],
  ['scoped', 'expired', 'TOKEN_EXPIRED'],
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
  ['beats', 'reader', 'SCOPE_INSUFFICIENT'],
  ['beats', 'writer', 'ok alice'],
  ['merged', 'reader', 'SCOPE_INSUFFICIENT'],
  ['merged', 'writer', 'SCOPE_INSUFFICIENT'],
  ['merged', 'both', 'ok alice'],
];

const TRANSPORTS: readonly TransportDriver[] = [
  httpDriver('express'),
  httpDriver('fastify'),
  graphqlQueryDriver('express'),
  graphqlQueryDriver('fastify'),
  graphqlSubscriptionDriver,
  ...socketDrivers,
  sseDriver('express'),
  sseDriver('fastify'),
  tcpDriver,
  grpcDriver,
];

function notOpen(): never {
  throw new Error('has nothing that stays open');
}

describe.each(TRANSPORTS)('$name', (driver) => {
  holdTime();
  let transport: RunningTransport;

  beforeAll(async () => {
    transport = await driver.start(issuer);
  });

  afterAll(() => transport.close());

  it.each(CASES)('at a door that is %s, with a token that is %s: %s', async (door, token, outcome) => {
    expect(await transport.call(door, TOKENS[token]())).toBe(outcome);
  });

  it('closes a connection that stays when its token expires; where none stays, the next call is refused', async () => {
    if (transport.open === undefined) {
      const token = TOKENS.good();
      expect(await transport.call('closed', token)).toBe('ok alice');
      transport.clock.pass(900);
      expect(await transport.call('closed', token)).toBe('TOKEN_EXPIRED');
      transport.clock.pass(-900);
      return;
    }
    const before = ended.count;
    const running = await driver.start(issuer, { clock: Date.now });
    const { closed } = await (running.open ?? notOpen)(tokenWith({ exp: Date.now() / 1000 + 10 }));
    await pass(9.9);
    expect(watchedBy(running.app)).toBe(1);
    await pass(0.1);
    expect(await closed).toBe('TOKEN_EXPIRED');
    // Nest gives the handler's observable up, too.
    if (/^server-sent|^gRPC/.test(driver.name)) await until(() => ended.count === before + 1);
    await running.close();
  });

  it('keeps a connection that stays for the tolerance, and for the time of grace where it can renew its token', async () => {
    if (transport.open === undefined) return;
    const options = { clock: Date.now, clockToleranceSeconds: 5, connections: { renewalGraceSeconds: 7 } };
    const running = await driver.start(issuer, options);
    const { closed } = await (running.open ?? notOpen)(tokenWith({ exp: Date.now() / 1000 + 10 }));
    // Else it would only be access after the expiry.
    const grace = /^(?:socket\.io|ws)$/.test(driver.name) ? 7 : 0;
    await pass(10 + 5 + grace - 0.1);
    expect(watchedBy(running.app)).toBe(1);
    await pass(0.1);
    expect(await closed).toBe('TOKEN_EXPIRED');
    await running.close();
  });

  it('watches a connection that stays until its client leaves', async () => {
    if (transport.open === undefined) {
      await transport.call('closed', TOKENS.good());
      expect(watchedBy(transport.app)).toBe(0);
      return;
    }
    const others = watchedBy(transport.app);
    const { leave } = await transport.open(TOKENS.good());
    expect(watchedBy(transport.app)).toBe(others + 1);
    leave();
    await until(() => watchedBy(transport.app) === others);
  });
});

describe('An event stream', () => {
  // By Node's own clock and timers, which the other tests hold.
  it.each(['express', 'fastify'] as const)('is told once that its token expired (%s)', async (platform) => {
    const running = await sseDriver(platform).start(issuer, { clock: Date.now });
    const exp = Date.now() / 1000 + 1;
    const { closed, told } = await running.open(tokenWith({ exp }));
    await closed;
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(exp);
    expect(told).toEqual(['TOKEN_EXPIRED']);
    await running.close();
  });
});

describe.each([sseDriver('express'), sseDriver('fastify')])('The stream of a reader who stalls ($name)', (driver) => {
  holdTime();

  it.each(['for good', 'until he is told'])('is closed when his token expires: %s', async (howLong) => {
    const running = await driver.start(issuer, { clock: Date.now });
    const { host, port, hostname } = new URL(running.url);
    const open = new Set<Socket>();
    const server = running.app.getHttpServer() as Server;
    server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    });
    const exp = Date.now() / 1000 + 10;
    const reader = connect(Number(port), hostname);
    reader.on('error', () => undefined);
    reader.write(`GET /flood HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${tokenWith({ exp })}\r\n\r\n`);
    await new Promise((resolve) => reader.once('data', resolve));
    reader.pause();
    const [socket] = open;
    // Node itself has to hold what is written.
    await until(() => (socket?.writableLength ?? 0) > 0);
    await pass(9.9);
    expect(watchedBy(running.app)).toBe(1);
    await pass(0.1);
    expect([watchedBy(running.app), open.size]).toEqual([0, 1]);
    if (howLong === 'for good') await pass(1);
    else reader.resume();
    await until(() => open.size === 0);
    // The process lives on.
    expect(await running.call('closed', tokenWith({ exp: exp + 300 }))).toBe('ok alice');
    reader.destroy();
    await running.close();
  });
});

describe.each([sseDriver('express'), sseDriver('fastify')])('A handler of $name that is slow', (driver) => {
  holdTime();

  it('is not waited for when the token expires: 401, as before the stream', async () => {
    const running = await driver.start(issuer, { clock: Date.now });
    const answer = running.slow(tokenWith({ exp: Date.now() / 1000 + 10 }));
    await until(() => watchedBy(running.app) === 1);
    await pass(10);
    const { status, body, headers } = await answer;
    expect([status, body.code]).toEqual([401, 'TOKEN_EXPIRED']);
    expect(headers['www-authenticate']).toBe(
      'Bearer error="invalid_token", error_description="The access token expired"',
    );
    await running.close();
  });
});

describe('The token of a subscription (graphql-ws)', () => {
  const bearer = () => `Bearer ${TOKENS.good()}`;

  it.each<[string, () => Opening, string]>([
    ['in connectionParams, in capitals', () => ({ connectionParams: { Authorization: bearer() } }), 'ok alice'],
    ['in the header of the upgrade', () => ({ headers: { authorization: bearer() } }), 'ok alice'],
    ['that is null in connectionParams', () => ({ connectionParams: { authorization: null } }), 'TOKEN_MISSING'],
    [
      'that is null in connectionParams beside the header',
      () => ({ connectionParams: { authorization: null }, headers: { authorization: bearer() } }),
      'ok alice',
    ],
    ['that is no text', () => ({ connectionParams: { authorization: { token: TOKENS.good() } } }), 'TOKEN_MALFORMED'],
    ['of another scheme', () => ({ connectionParams: { authorization: 'Basic YTpi' } }), 'SCHEME_UNSUPPORTED'],
    [
      'that is sent twice',
      () => ({ connectionParams: { authorization: bearer() }, headers: { authorization: bearer() } }),
      'TOKEN_MULTIPLE',
    ],
  ])('%s', async (_where, opening, outcome) => {
    const running = await graphqlSubscriptionDriver.start(issuer);
    expect(await running.callWith('closed', opening())).toBe(outcome);
    await running.close();
  });
});

describe('A subscription whose context has nothing but the request of its upgrade', () => {
  const context = ({ req, extra }: { req?: unknown; extra?: { request: unknown } }) => ({ req: req ?? extra?.request });
  const start = (options: Partial<AuthOptions>) => graphqlSubscriptionDriver.start(issuer, options, { context });
  holdTime();

  const cookies = () => ({ cookie: `token=${TOKENS.good()}` });

  it('has its token in the header of that, and is watched', async () => {
    const running = await start({ clock: Date.now });
    const headers = { authorization: `Bearer ${tokenWith({ exp: Date.now() / 1000 + 10 })}` };
    expect(await running.callWith('closed', { headers })).toBe('ok alice');
    const { closed } = await running.openWith({ headers });
    await pass(9.9);
    expect(watchedBy(running.app)).toBe(1);
    await pass(0.1);
    // The protocol cannot be spoken there: the connection is cut.
    expect(await closed).toBe('1006');
    await running.close();
  });

  it('is not opened by the page of another site', async () => {
    const running = await start({ tokenFrom: [fromCookie('token')] });
    const origin = new URL(running.url).origin;
    expect(await running.callWith('closed', { headers: { ...cookies(), origin } })).toBe('ok alice');
    const theirs = { ...cookies(), origin: 'https://other.example.com' };
    expect(await running.callWith('closed', { headers: theirs })).toBe('ORIGIN_UNTRUSTED');
    await running.close();
  });
});

describe.each(SOCKET_KINDS)('The token of a socket ($name)', (kind) => {
  const answerTo = async (token: string | undefined, handshake: Handshake) => {
    const running = await kind.start(issuer);
    const socket = running.open('guarded', token, handshake);
    socket.send('closed');
    const answer = await socket.next('reply', 'exception');
    await running.close();
    return typeof answer === 'string' ? answer : (answer as { code: string }).code;
  };

  it('may stand in the header', async () => {
    expect(await answerTo(undefined, { headers: { authorization: `Bearer ${TOKENS.good()}` } })).toBe('ok alice');
    expect(await answerTo(undefined, { headers: { authorization: 'Basic YTpi' } })).toBe('SCHEME_UNSUPPORTED');
  });

  it('must not be sent twice, at its own place and in the header', async () => {
    const token = TOKENS.good();
    expect(await answerTo(token, { headers: { authorization: `Bearer ${token}` } })).toBe('TOKEN_MULTIPLE');
  });

  if (kind.name === 'ws') {
    it('may follow bearer in any case among the protocols, wherever that stands', async () => {
      expect(await answerTo(undefined, { protocols: ['Bearer', TOKENS.good()] })).toBe('ok alice');
      expect(await answerTo(undefined, { protocols: ['orders.v1', 'bearer', TOKENS.good()] })).toBe('ok alice');
      expect(await answerTo(undefined, { protocols: ['orders.v1', 'bearer'] })).toBe('TOKEN_MISSING');
    });
  }
});

describe('A query that only says that it would open a socket', () => {
  it.each(['POST', 'GET'])('is not watched, nor is its connection cut when the token expires (%s)', async (method) => {
    const running = await graphqlQueryDriver('express').start(issuer);
    const url = await running.app.getUrl();
    const body = JSON.stringify({ query: '{ closed }' });
    const status = await new Promise((resolve, reject) => {
      const path = method === 'GET' ? `${url}/graphql?query={closed}` : `${url}/graphql`;
      const headers = {
        authorization: `Bearer ${TOKENS.good()}`,
        upgrade: 'websocket',
        // Node would add `upgrade` to it.
        connection: 'keep-alive',
        'content-type': 'application/json',
      };
      const sent = httpRequest(path, { method, headers, agent: false }, (response) => {
        response.resume().on('end', () => {
          resolve(response.statusCode);
        });
      });
      sent.on('error', reject).end(method === 'POST' ? body : undefined);
    });
    expect(status).toBe(200);
    expect(watchedBy(running.app)).toBe(0);
    await running.close();
  });
});

describe.each(SOCKET_KINDS)('The opening of a socket ($name)', (kind) => {
  it('may have its token in the address, where that is a place for tokens', async () => {
    const running = await kind.start(issuer, { tokenFrom: [fromQuery()] });
    const socket = running.open(`guarded?access_token=${TOKENS.good()}`);
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    await running.close();
  });

  it('is put off, not refused, while the keys cannot be had (ws: 1013)', async () => {
    const running = await kind.start(issuer, { keys: { from: 'jwks', uri: `${issuer.url}/nowhere` } });
    const outcome = await running.open('guarded', TOKENS.good()).closed;
    expect(outcome).toEqual({ code: 'KEYS_UNAVAILABLE', closeCode: kind.name === 'ws' ? 1013 : undefined });
    await running.close();
  });

  it('may have it in a cookie, but not from the page of another site', async () => {
    const running = await kind.start(issuer, { tokenFrom: [fromCookie('token')] });
    const cookies = { cookie: `token=${TOKENS.good()}` };
    const own = running.open('guarded', undefined, { headers: { ...cookies, origin: running.url } });
    own.send('closed');
    expect(await own.next('reply', 'exception')).toBe('ok alice');
    const other = { headers: { ...cookies, origin: 'https://other.example.com' } };
    expect((await running.open('guarded', undefined, other).closed).code).toBe('ORIGIN_UNTRUSTED');
    await running.close();
  });
});

describe.each(SOCKET_KINDS)('A socket that sends several new tokens at once ($name)', (kind) => {
  const gates = new Map<unknown, Promise<void>>();
  const asked = new Set<unknown>();
  let writes = 0;
  const start = () =>
    kind.start(
      issuer,
      {
        user: async ({ claims }) => {
          asked.add(claims.jti);
          await gates.get(claims.jti);
          return claims;
        },
      },
      (place) => {
        @RequireScopes('read')
        @WebSocketGateway(place('readers'))
        class ReadersGateway extends AuthenticatedGateway {
          @SubscribeMessage('who')
          who(@CurrentUser('sub') sub?: string) {
            return { event: 'reply', data: greeting(sub) };
          }

          @SubscribeMessage('ping')
          @Public()
          ping() {
            return { event: 'pong', data: '' };
          }

          @SubscribeMessage('write')
          @RequireScopes('write')
          write(@CurrentUser('sub') sub?: string) {
            return { event: 'reply', data: greeting(sub) };
          }
        }

        @OptionalAuth()
        @WebSocketGateway(place('half-open'))
        class HalfOpenGateway extends AuthenticatedGateway {
          @SubscribeMessage('who')
          who(@CurrentUser('sub') sub?: string) {
            return { event: 'reply', data: greeting(sub) };
          }
        }
        // Whose sockets are open while they are being admitted, on socket.io too.
        @UseGuards(AuthGuard)
        @RequireScopes('read')
        @WebSocketGateway(place('by-hand'))
        class ByHandGateway {
          constructor(@Inject(SocketAuthenticator) private readonly connections: SocketAuthenticator) {}

          handleConnection(client: object, request?: unknown) {
            return this.connections.admit(this, client, request);
          }

          @SubscribeMessage('authenticate')
          @Public()
          async authenticate(client: object, token: unknown) {
            return { event: 'authenticated', data: await this.connections.renew(client, token) };
          }

          @SubscribeMessage('ping')
          @Public()
          ping() {
            return { event: 'pong', data: '' };
          }

          @SubscribeMessage('write')
          @RequireScopes('write')
          write() {
            writes += 1;
          }
        }
        return [ReadersGateway, HalfOpenGateway, ByHandGateway];
      },
    );

  const codesOf = async (socket: TestSocket, count: number) => {
    const codes: (string | undefined)[] = [];
    for (let index = 0; index < count; index += 1)
      codes.push(((await socket.next('authenticated', 'exception')) as { code?: string }).code);
    return codes;
  };
  const admitted = async (socket: TestSocket) => {
    socket.send('who');
    await socket.next('reply');
    return socket;
  };

  it('keeps the one that it has when all are refused', async () => {
    const running = await start();
    const socket = await admitted(running.open('readers', TOKENS.reader()));
    for (const jti of ['a', 'b']) socket.send('authenticate', tokenWith({ scope: 'write', jti }));
    expect(await codesOf(socket, 2)).toEqual(['SCOPE_INSUFFICIENT', 'SCOPE_INSUFFICIENT']);
    socket.send('who');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    await running.close();
  });

  it('keeps the one that was accepted, however long it takes to refuse another', async () => {
    const running = await start();
    const socket = await admitted(running.open('readers', TOKENS.reader()));
    const jti = `slow with ${kind.name}`;
    let decide: (() => void) | undefined;
    gates.set(jti, new Promise((resolve) => (decide = resolve)));
    socket.send('authenticate', tokenWith({ scope: 'nothing', jti }));
    socket.send('authenticate', TOKENS.both());
    // Time enough for the other one to overtake it, if it could.
    await until(() => asked.has(jti));
    socket.send('ping');
    await socket.next('pong');
    decide?.();
    expect(await codesOf(socket, 2)).toEqual(['SCOPE_INSUFFICIENT', undefined]);
    socket.send('write');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    await running.close();
  });

  it('has no message checked with one that is not accepted yet', async () => {
    const running = await start();
    const socket = await admitted(running.open('readers', TOKENS.reader()));
    const jti = `pending with ${kind.name}`;
    let decide: (() => void) | undefined;
    gates.set(jti, new Promise((resolve) => (decide = resolve)));
    socket.send('authenticate', tokenWith({ scope: 'nothing', jti }));
    await until(() => asked.has(jti));
    socket.send('who');
    // What was sent before it is there, too.
    socket.send('ping');
    await socket.next('pong');
    decide?.();
    expect(await codesOf(socket, 1)).toEqual(['SCOPE_INSUFFICIENT']);
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    await running.close();
  });

  it('has nothing done where its opening is refused, also after a new token', async () => {
    const running = await start();
    const before = writes;
    const jti = `refused with ${kind.name}`;
    let decide: (() => void) | undefined;
    gates.set(jti, new Promise((resolve) => (decide = resolve)));
    const socket = running.open('by-hand', tokenWith({ scope: 'write', jti }));
    const { closed } = socket;
    await until(() => asked.has(jti));
    socket.send('authenticate', TOKENS.reader());
    socket.send('ping');
    await socket.next('pong');
    // With a token that is good for this one.
    socket.send('write');
    socket.send('ping');
    await socket.next('pong');
    decide?.();
    expect((await closed).code).toBe('SCOPE_INSUFFICIENT');
    // Whether or not an answer would still reach it.
    expect(writes).toBe(before);
    await running.close();
  });

  it('belongs to the first subject, where it was a guest', async () => {
    const running = await start();
    const socket = await admitted(running.open('half-open'));
    socket.send('authenticate', TOKENS.good());
    socket.send('authenticate', tokenWith({ sub: 'bob' }));
    expect(await codesOf(socket, 2)).toEqual([undefined, 'CLAIM_INVALID']);
    socket.send('who');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    await running.close();
  });
});

describe.each(socketDrivers)('The timer of a connection ($name)', (driver) => {
  holdTime();

  it('goes by the age of the token, where that has a limit', async () => {
    const running = await driver.start(issuer, { clock: Date.now, maxTokenAgeSeconds: 70 });
    const start = Date.now() / 1000;
    const { closed } = await (running.open ?? notOpen)(tokenWith({ iat: start - 60, exp: start + 300 }));
    await pass(9.9);
    expect(watchedBy(running.app)).toBe(1);
    await pass(0.1);
    expect(await closed).toBe('TOKEN_EXPIRED');
    await running.close();
  });

  it('is asked again where the clock was set back meanwhile', async () => {
    let offset = 0;
    const running = await driver.start(issuer, { clock: () => Date.now() + offset });
    const { closed } = await (running.open ?? notOpen)(tokenWith({ exp: Date.now() / 1000 + 10 }));
    offset = -5_000;
    await pass(14.9);
    expect(watchedBy(running.app)).toBe(1);
    await pass(0.1);
    expect(await closed).toBe('TOKEN_EXPIRED');
    await running.close();
  });

  it('is never set for longer than Node can wait', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const running = await driver.start(issuer, { clock: Date.now });
    const { leave } = await (running.open ?? notOpen)(tokenWith({ exp: Date.now() / 1000 + 60 * 86_400 }));
    const delays = timers.mock.calls.map(([, delay]) => delay ?? 0);
    timers.mockRestore();
    expect(Math.max(...delays)).toBe(2 ** 31 - 1);
    leave();
    await running.close();
  });
});

describe('A socket of a subject whom two issuers have', () => {
  it.each(SOCKET_KINDS)('belongs to the one of its issuer ($name)', async (kind) => {
    const other = await LocalIssuer.start([key]);
    const issuers = [issuer, other].map(({ url }) => ({ issuer: url, audience: AUDIENCE }));
    const running = await kind.start(issuer, { issuer: undefined, audience: undefined, issuers });
    const socket = running.open('guarded', TOKENS.good());
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    const token = other.token(key, 'RS256', { iat: Math.floor(Date.now() / 1000) - 60 });
    // Which is a good one by itself.
    const theirs = running.open('guarded', token);
    theirs.send('closed');
    expect(await theirs.next('reply', 'exception')).toBe('ok alice');
    socket.send('authenticate', token);
    expect(await socket.next('authenticated', 'exception')).toMatchObject({ code: 'CLAIM_INVALID' });
    await running.close();
    await other.stop();
  });
});

describe('A gRPC call with one answer', () => {
  it('ends with that: it is watched no more, nor ever', async () => {
    const running = await grpcDriver.start(issuer);
    for (let count = 0; count < 3; count += 1) expect(await running.call('closed', TOKENS.good())).toBe('ok alice');
    expect(watchedBy(running.app)).toBe(0);
    await running.close();
  });
});

describe('A refused gRPC call', () => {
  it.each<[keyof typeof TOKENS, Door, number, string]>([
    ['none', 'closed', status.UNAUTHENTICATED, 'TOKEN_MISSING'],
    ['expired', 'closed', status.UNAUTHENTICATED, 'TOKEN_EXPIRED'],
    ['reader', 'scoped', status.PERMISSION_DENIED, 'SCOPE_INSUFFICIENT'],
  ])('with a token that is %s at a door that is %s has status %i', async (token, door, number, code) => {
    const running = await grpcDriver.start(issuer);
    const refusal = await running.refusalOf(door, TOKENS[token]());
    expect(refusal?.code).toBe(number);
    expect(refusal?.details).toMatch(new RegExp(`^${code}: \\w`));
    expect(refusal?.metadata.get('error-code')).toEqual([code]);
    expect(refusal?.metadata.get('www-authenticate')).toEqual([expect.stringMatching(/^Bearer/)]);
    await running.close();
  });

  it('that was sent two tokens has the status of a bad request', async () => {
    const running = await grpcDriver.start(issuer, {
      tokenFrom: [fromBearerHeader(), () => TOKENS.good()],
    });
    const refusal = await running.refusalOf('closed', TOKENS.good());
    expect([refusal?.code, refusal?.metadata.get('error-code')]).toEqual([status.INVALID_ARGUMENT, ['TOKEN_MULTIPLE']]);
    await running.close();
  });

  it('says when to come again while the keys cannot be had', async () => {
    const running = await grpcDriver.start(issuer, { keys: { from: 'jwks', uri: `${issuer.url}/nowhere` } });
    const refusal = await running.refusalOf('closed', TOKENS.good());
    expect([refusal?.code, refusal?.metadata.get('error-code')]).toEqual([status.UNAVAILABLE, ['KEYS_UNAVAILABLE']]);
    expect(Number(refusal?.metadata.get('retry-after')[0])).toBeGreaterThan(0);
    await running.close();
  });
});

describe('A refused message of a microservice', () => {
  it('has the facts of an HTTP refusal', async () => {
    const running = await tcpDriver.start(issuer);
    expect(await running.refusalOf('scoped', TOKENS.reader())).toEqual({
      status: 'error',
      statusCode: 403,
      code: 'SCOPE_INSUFFICIENT',
      message: 'The access token lacks a required scope',
      challenge: expect.stringContaining('scope="write"'),
    });
    await running.close();
  });
});

describe.each(['Raw', 'Upload'] as const)('A gRPC handler that is given the stream itself (%s)', (door) => {
  it.each([
    ['none', 'TOKEN_MISSING'],
    ['forged', 'SIGNATURE_INVALID'],
    ['expired', 'TOKEN_EXPIRED'],
    ['good', door === 'Raw' ? 'open' : 'uploaded'],
  ] as const)('answers a token that is %s with %s, and the process lives on', async (token, outcome) => {
    const transport = await grpcDriver.start(issuer);
    expect(await transport.held(door, TOKENS[token]())).toBe(outcome);
    expect(await transport.call('closed', TOKENS.good())).toBe('ok alice');
    await transport.close();
  });
});

describe.each(['Raw', 'Upload'] as const)('A gRPC handler that is given the stream itself (%s)', (door) => {
  it.each<[string, () => Error, string]>([
    ['an error', () => new Error('the database is down'), '13 INTERNAL: Internal server error'],
    ['an exception of HTTP', () => new NotFoundException('no such order'), '13 INTERNAL: Internal server error'],
    [
      'an exception of its own',
      () => new RpcException({ code: status.NOT_FOUND, details: 'no such order' }),
      '5 NOT_FOUND: no such order',
    ],
  ])('answers where the application throws %s, and the process lives on', async (_what, made, outcome) => {
    let isDown = true;
    const transport = await grpcDriver.start(issuer, {
      user: ({ claims }) => {
        if (isDown) throw made();
        return claims;
      },
    });
    expect(await transport.held(door, TOKENS.good())).toBe(outcome);
    isDown = false;
    expect(await transport.call('closed', TOKENS.good())).toBe('ok alice');
    await transport.close();
  });
});

describe('A gRPC stream that a handler was given itself', () => {
  holdTime();

  it.each(['Raw', 'Upload'] as const)('is closed when its token expires (%s)', async (door) => {
    const running = await grpcDriver.start(issuer, { clock: Date.now });
    const closed = running.hold(door, tokenWith({ exp: Date.now() / 1000 + 10 }));
    await until(() => watchedBy(running.app) === 1);
    await pass(9.9);
    expect(watchedBy(running.app)).toBe(1);
    await pass(0.1);
    expect(await closed).toBe('TOKEN_EXPIRED');
    await running.close();
  });
});

describe('An event of a microservice', () => {
  it('is noted with a good token only, and the process lives on', async () => {
    const transport = await tcpDriver.start(issuer);
    for (const token of ['none', 'forged', 'expired', 'good'] as const) await transport.emit(TOKENS[token]());
    // Events of one socket are handled in their order.
    expect(await transport.call('closed', TOKENS.good())).toBe('ok alice');
    await until(() => noted.length > 0);
    expect(noted).toEqual(['alice']);
    await transport.close();
  });
});
