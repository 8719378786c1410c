import { once } from 'node:events';
import { afterEach, expect, it } from '@jest/globals';
import type { INestApplication, Type } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { AuthTestingModule, TestIssuer, withTestIssuer } from 'nestjs-resource-server/testing';
import type { Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { AppModule } from '../src/app.module.js';
import { ChatGateway } from '../src/chat.gateway.js';
import { connect } from '../src/client.js';

let app: INestApplication;
let issuer: TestIssuer;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await app.close();
});

async function start(gateway?: Type, prepare?: (app: INestApplication) => unknown): Promise<string> {
  issuer = await TestIssuer.create();
  const metadata =
    gateway === undefined
      ? { imports: [AppModule] }
      : { imports: [AuthTestingModule.forIssuer(issuer)], providers: [gateway] };
  app = (await withTestIssuer(Test.createTestingModule(metadata), issuer).compile()).createNestApplication();
  prepare?.(app);
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

/** Opens a socket. Each connection and renewal takes the next of these tokens. */
function open(url: string, ...tokens: string[]): Socket {
  const socket = connect(url, () => Promise.resolve(tokens.shift() ?? ''));
  sockets.push(socket);
  return socket;
}

const next = (socket: Socket, event: string) => new Promise<unknown>((resolve) => socket.once(event, resolve));

// Accepted for one to two more seconds, because of the clock tolerance of five seconds.
const expiring = () => issuer.token({ sub: 'alice', scopes: ['read:orders'], expiresInSeconds: -3 });

it('socket.io: authenticates the opening, and authorizes each message', async () => {
  const url = await start();
  expect(await next(open(url, await issuer.expiredToken()), 'connect_error')).toMatchObject({
    data: { statusCode: 401, code: 'TOKEN_EXPIRED', message: 'The access token expired' },
  });
  const alice = open(url, await issuer.token({ sub: 'alice', scopes: ['read:orders'] }));
  alice.emit('orders');
  expect(await next(alice, 'orders')).toEqual([{ id: '1', owner: 'alice' }]);
  alice.emit('create');
  expect(await next(alice, 'exception')).toMatchObject({ statusCode: 403, code: 'SCOPE_INSUFFICIENT' });
});

it('socket.io: the client renews its token in the grace time', async () => {
  const url = await start();
  const alice = open(url, await expiring(), await issuer.token({ sub: 'alice', scopes: ['read:orders'] }));
  const warned = next(alice, 'exception');
  const renewed = next(alice, 'authenticated');
  expect(await warned).toMatchObject({ code: 'TOKEN_EXPIRED' });
  expect(await renewed).toEqual({ expiresAt: expect.any(Number) });
  alice.emit('orders');
  expect(await next(alice, 'orders')).toEqual([{ id: '1', owner: 'alice' }]);
});

it('socket.io: the client sends a new token once', async () => {
  const url = await start();
  const alice = open(url, await expiring(), await issuer.expiredToken());
  let rejections = 0;
  alice.on('exception', () => (rejections += 1));
  await next(alice, 'exception');
  await next(alice, 'exception');
  alice.emit('orders');
  await next(alice, 'exception');
  expect(rejections).toBe(3);
});

it('socket.io: the client reconnects after the server has closed its socket', async () => {
  const url = await start(ChatGateway);
  const alice = open(url, await expiring(), await issuer.token(), await issuer.token());
  await next(alice, 'connect');
  await next(alice, 'disconnect');
  await next(alice, 'connect');
});

it('SocketAuthenticator refuses clients before they are connected, and renews tokens', async () => {
  const url = await start(ChatGateway);
  expect(await next(open(url, 'not-a-token'), 'connect_error')).toMatchObject({ data: { code: 'TOKEN_MALFORMED' } });
  const alice = open(url, await issuer.token({ sub: 'alice' }));
  alice.emit('authenticate', await issuer.token({ sub: 'alice' }));
  expect(await next(alice, 'authenticated')).toEqual({ expiresAt: expect.any(Number) });
  alice.emit('authenticate', await issuer.token({ sub: 'bob' }));
  expect(await next(alice, 'exception')).toMatchObject({ code: 'CLAIM_INVALID' });
});

it('ws: authenticates the opening, and authorizes each message', async () => {
  const url = (await start(undefined, (ws) => ws.useWebSocketAdapter(new WsAdapter(ws)))).replace('http', 'ws');
  const receive = async (socket: WebSocket) => JSON.parse(String((await once(socket, 'message'))[0])) as unknown;

  const refused = new WebSocket(url, ['bearer', await issuer.expiredToken()]);
  const closed = once(refused, 'close');
  expect(await receive(refused)).toMatchObject({ event: 'exception', data: { code: 'TOKEN_EXPIRED' } });
  expect((await closed)[0]).toBe(4401);

  const alice = new WebSocket(url, ['bearer', await issuer.token({ sub: 'alice', scopes: ['read:orders'] })]);
  await once(alice, 'open');
  alice.send(JSON.stringify({ event: 'orders' }));
  expect(await receive(alice)).toEqual({ event: 'orders', data: [{ id: '1', owner: 'alice' }] });
  alice.send(JSON.stringify({ event: 'create' }));
  expect(await receive(alice)).toMatchObject({ event: 'exception', data: { code: 'SCOPE_INSUFFICIENT' } });
  alice.close();
});
