import type { INestApplication, Type } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { io } from 'socket.io-client';
import { type RawData, WebSocket } from 'ws';
import { AuthenticatedGateway, type AuthOptions, CurrentUser, Public, RequireScopes } from '../../../src/index.js';
import { startApp } from '../app.js';
import { Clock } from '../guarded-app.js';
import type { LocalIssuer } from '../local-issuer.js';
import { authModule, CLASS_DOORS, type Door, greeting, plainDoors, type TransportDriver } from './doors.js';

interface Place {
  readonly namespace?: string;
  readonly path?: string;
}

const reply = (text: string) => ({ event: 'reply', data: text });

/** Whose opening is guarded. */
function guardedGateway(place: Place): Type {
  @WebSocketGateway(place)
  class GuardedGateway extends AuthenticatedGateway {
    @SubscribeMessage('closed')
    closed(@CurrentUser('sub') sub?: string) {
      return reply(greeting(sub));
    }
  }
  return GuardedGateway;
}

/** Anybody may open it: its messages are guarded one by one. */
function openGateway(place: Place): Type {
  class OpenGateway extends AuthenticatedGateway {
    @Public()
    override handleConnection(client: object, request?: unknown) {
      return super.handleConnection(client, request);
    }
  }
  const doors = plainDoors(SubscribeMessage, reply).prototype as object;
  copyMethods(doors, OpenGateway.prototype);
  WebSocketGateway(place)(OpenGateway);
  return OpenGateway;
}

function classGateway(place: Place): Type {
  @RequireScopes('read')
  @WebSocketGateway(place)
  class ClassGateway extends AuthenticatedGateway {
    @Public()
    override handleConnection(client: object, request?: unknown) {
      return super.handleConnection(client, request);
    }

    @SubscribeMessage('inherits')
    inherits(@CurrentUser('sub') sub?: string) {
      return reply(greeting(sub));
    }

    @SubscribeMessage('beats')
    @RequireScopes('write')
    beats(@CurrentUser('sub') sub?: string) {
      return reply(greeting(sub));
    }

    @SubscribeMessage('merged')
    @RequireScopes('write', { merge: true })
    merged(@CurrentUser('sub') sub?: string) {
      return reply(greeting(sub));
    }
  }
  return ClassGateway;
}

/** Parameter decorators stand on the class under the method's name. */
function copyMethods(from: object, to: object): void {
  for (const name of Object.getOwnPropertyNames(from).filter((key) => key !== 'constructor')) {
    Object.defineProperty(to, name, Object.getOwnPropertyDescriptor(from, name) ?? {});
    for (const key of Reflect.getMetadataKeys(from.constructor, name) as unknown[])
      Reflect.defineMetadata(key, Reflect.getMetadata(key, from.constructor, name), to.constructor, name);
    for (const key of Reflect.getMetadataKeys(from, name) as unknown[])
      Reflect.defineMetadata(key, Reflect.getMetadata(key, from, name), to, name);
  }
}

/** A client's end of a socket, whatever the package. */
export interface TestSocket {
  send(event: string, data?: unknown): void;
  /** The data of the next event of one of these names. */
  next(...events: string[]): Promise<unknown>;
  /** Once it is closed: what came in `exception` events, and the close code of ws. */
  readonly closed: Promise<{ readonly code: string | undefined; readonly closeCode: number | undefined }>;
  close(): void;
}

/** A token that stands elsewhere than a client of this kind usually puts it. */
export interface Handshake {
  readonly headers?: Record<string, string>;
  /** ws only. */
  readonly protocols?: string[];
}

export type Opener = (place: string, token?: string, handshake?: Handshake) => TestSocket;

function recorder() {
  const waiting: { events: readonly string[]; resolve: (data: unknown) => void }[] = [];
  const received: { event: string; data: unknown }[] = [];
  let lastCode: string | undefined;
  return {
    get code() {
      return lastCode;
    },
    add(event: string, data: unknown) {
      if (event === 'exception') lastCode = (data as { code?: string }).code ?? JSON.stringify(data);
      const index = waiting.findIndex(({ events }) => events.includes(event));
      if (index === -1) received.push({ event, data });
      else waiting.splice(index, 1)[0]?.resolve(data);
    },
    next(...events: string[]): Promise<unknown> {
      const index = received.findIndex(({ event }) => events.includes(event));
      if (index !== -1) return Promise.resolve(received.splice(index, 1)[0]?.data);
      return new Promise((resolve) => waiting.push({ events, resolve }));
    },
  };
}

const socketIoOpener =
  (url: string): Opener =>
  (place, token, { headers } = {}) => {
    const events = recorder();
    const socket = io(`${url}/${place}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: headers,
      ...(token !== undefined && { auth: { token } }),
    });
    socket.onAny((event: string, data: unknown) => {
      events.add(event, data);
    });
    return {
      send: (event, data) => socket.emit(event, data),
      next: (...names) => events.next(...names),
      closed: new Promise((resolve) => {
        socket.on('disconnect', () => {
          resolve({ code: events.code, closeCode: undefined });
        });
        // Refused before it was connected.
        socket.on('connect_error', ({ data }: Error & { data?: { code?: string } }) => {
          if (data !== undefined) events.add('exception', data);
          resolve({ code: data?.code, closeCode: undefined });
        });
      }),
      close: () => socket.close(),
    };
  };

const wsOpener =
  (url: string): Opener =>
  (place, token, { headers, protocols } = {}) => {
    const events = recorder();
    // As a browser has to do it: no header but this one can be set there.
    const usual = token === undefined ? [] : ['bearer', token];
    const socket = new WebSocket(`${url.replace('http', 'ws')}/${place}`, protocols ?? usual, { headers });
    socket.on('message', (message: RawData) => {
      const { event, data } = JSON.parse((message as Buffer).toString()) as { event: string; data: unknown };
      events.add(event, data);
    });
    const closed = new Promise<{ code: string | undefined; closeCode: number }>((resolve) => {
      socket.on('close', (closeCode: number) => {
        resolve({ code: events.code, closeCode });
      });
    });
    return {
      send(event, data) {
        const text = JSON.stringify({ event, data });
        if (socket.readyState === WebSocket.OPEN) socket.send(text);
        else
          socket.once('open', () => {
            socket.send(text);
          });
      },
      next: (...names) => events.next(...names),
      closed,
      close: () => {
        socket.close();
      },
    };
  };

export interface RunningSockets {
  readonly open: Opener;
  readonly url: string;
  readonly clock: Clock;
  readonly app: INestApplication;
  close(): Promise<void>;
}

export interface SocketKind {
  readonly name: string;
  start(
    issuer: LocalIssuer,
    options?: Partial<AuthOptions>,
    gateways?: (place: (name: string) => Place) => Type[],
  ): Promise<RunningSockets>;
}

function socketKind(
  name: string,
  place: (name: string) => Place,
  opener: (url: string) => Opener,
  prepare: (app: INestApplication) => void,
): SocketKind {
  return {
    name,
    async start(issuer, options, gateways) {
      const clock = new Clock();
      const providers = gateways?.(place) ?? [
        guardedGateway(place('guarded')),
        openGateway(place('open')),
        classGateway(place('class')),
      ];
      const { app, url, close } = await startApp(
        'express',
        { imports: [authModule(issuer, clock, options)], providers },
        { prepare },
      );
      const opened = new Set<TestSocket>();
      const open = opener(url);
      return {
        clock,
        app,
        url,
        open: (path, token, handshake) => {
          const socket = open(path, token, handshake);
          opened.add(socket);
          return socket;
        },
        async close() {
          for (const socket of opened) socket.close();
          await close();
        },
      };
    },
  };
}

export const SOCKET_IO = socketKind(
  'socket.io',
  (namespace) => ({ namespace }),
  socketIoOpener,
  () => undefined,
);

export const SOCKET_KINDS: readonly SocketKind[] = [
  SOCKET_IO,
  socketKind(
    'ws',
    (path) => ({ path: `/${path}` }),
    wsOpener,
    (app) => {
      app.useWebSocketAdapter(new WsAdapter(app));
    },
  ),
];

function gatewayOf(door: Door): string {
  if (door === 'closed') return 'guarded';
  return (CLASS_DOORS as readonly string[]).includes(door) ? 'class' : 'open';
}

export const socketDrivers: readonly TransportDriver[] = SOCKET_KINDS.map((kind) => ({
  name: kind.name,
  async start(issuer, options) {
    const sockets = await kind.start(issuer, options);
    return {
      app: sockets.app,
      clock: sockets.clock,
      close: () => sockets.close(),
      async call(door, token) {
        const socket = sockets.open(gatewayOf(door), token);
        socket.send(door);
        const answer = await socket.next('reply', 'exception');
        socket.close();
        return typeof answer === 'string' ? answer : String((answer as { code?: string }).code);
      },
      async open(token) {
        const socket = sockets.open('guarded', token);
        socket.send('closed');
        await socket.next('reply');
        return {
          closed: socket.closed.then(({ code }) => String(code)),
          leave: () => {
            socket.close();
          },
        };
      },
    };
  },
}));
