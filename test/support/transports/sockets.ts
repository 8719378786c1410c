import type { INestApplication, Type } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { io } from 'socket.io-client';
import { type RawData, WebSocket } from 'ws';
import type { AuthOptions } from '../../../src/index.js';
import { startApp } from '../app.js';
import { Clock } from '../guarded-app.js';
import type { LocalIssuer } from '../local-issuer.js';
import { defaultGateways, type Place } from './gateways.js';
import { authModule, closeFirst, type HandlerName, IN_CLASS, type TransportDriver } from './handlers.js';

interface Closing {
  readonly code: string | undefined;
  readonly closeCode: number | undefined;
}

/** The client's end of a socket, regardless of the package. Keeps received events until the test reads them. */
export class TestSocket {
  private readonly waiting: { events: readonly string[]; resolve: (data: unknown) => void }[] = [];
  private readonly received: { event: string; data: unknown }[] = [];
  private lastCode: string | undefined;
  private resolveClosed: (closing: Closing) => void = () => undefined;
  /** Resolves when the socket is closed, with the code of the last `exception` event and the close code of ws. */
  readonly closed = new Promise<Closing>((resolve) => (this.resolveClosed = resolve));

  constructor(
    readonly send: (event: string, data?: unknown) => void,
    readonly close: () => void,
  ) {}

  /** Resolves to the data of the next event with one of these names. */
  next(...events: string[]): Promise<unknown> {
    const index = this.received.findIndex(({ event }) => events.includes(event));
    if (index !== -1) return Promise.resolve(this.received.splice(index, 1)[0]?.data);
    return new Promise((resolve) => this.waiting.push({ events, resolve }));
  }

  /** Sends a message and resolves to the text of its reply, or to the code or message of an exception. */
  async ask(event: string, data?: unknown): Promise<string> {
    this.send(event, data);
    const answer = await this.next('reply', 'exception');
    const { code, message } = answer as { code?: string; message?: string };
    return typeof answer === 'string' ? answer : String(code ?? message);
  }

  /** Sends a new token and resolves to the answer, or to the data of an `exception` event. */
  authenticate(token: unknown): Promise<unknown> {
    this.send('authenticate', token);
    return this.next('authenticated', 'exception');
  }

  receive(event: string, data: unknown): void {
    if (event === 'exception') this.lastCode = (data as { code?: string }).code ?? JSON.stringify(data);
    const index = this.waiting.findIndex(({ events }) => events.includes(event));
    if (index === -1) this.received.push({ event, data });
    else this.waiting.splice(index, 1)[0]?.resolve(data);
  }

  end(closeCode?: number): void {
    this.resolveClosed({ code: this.lastCode, closeCode });
  }
}

/** A token in another place than usual. */
export interface Handshake {
  /** Several values of a header are sent as several headers. */
  readonly headers?: Record<string, string | string[]>;
  /** Only with ws. */
  readonly protocols?: string[];
}

type Opener = (place: string, token?: string, handshake?: Handshake) => TestSocket;

const socketIoOpener =
  (url: string): Opener =>
  (place, token, { headers } = {}) => {
    const client = io(`${url}/${place}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: headers as Record<string, string>,
      ...(token !== undefined && { auth: { token } }),
    });
    const socket = new TestSocket(
      (event, data) => client.emit(event, data),
      () => client.close(),
    );
    client.onAny((event: string, data: unknown) => {
      socket.receive(event, data);
    });
    client.on('disconnect', () => {
      socket.end();
    });
    // The socket was refused before it was connected.
    client.on('connect_error', ({ data }: Error & { data?: unknown }) => {
      if (data !== undefined) socket.receive('exception', data);
      socket.end();
    });
    return socket;
  };

const wsOpener =
  (url: string): Opener =>
  (place, token, { headers, protocols } = {}) => {
    // A browser cannot set any other header.
    const usual = token === undefined ? [] : ['bearer', token];
    const client = new WebSocket(`${url.replace('http', 'ws')}/${place}`, protocols ?? usual, {
      headers: headers as Record<string, string>,
    });
    const opened = new Promise((resolve) => client.once('open', resolve));
    const socket = new TestSocket(
      (event, data) => {
        const text = JSON.stringify({ event, data });
        if (client.readyState === WebSocket.OPEN) client.send(text);
        else
          void opened.then(() => {
            client.send(text);
          });
      },
      () => {
        client.close();
      },
    );
    client.on('message', (message: RawData) => {
      const { event, data } = JSON.parse((message as Buffer).toString()) as { event: string; data: unknown };
      socket.receive(event, data);
    });
    client.on('close', (closeCode: number) => {
      socket.end(closeCode);
    });
    return socket;
  };

function socketKind(
  name: string,
  place: Place,
  opener: (url: string) => Opener,
  prepare?: (app: INestApplication) => void,
) {
  return {
    name,
    async start(
      issuer: LocalIssuer,
      options?: Partial<AuthOptions>,
      gateways: (place: Place) => Type[] = defaultGateways,
    ) {
      const clock = new Clock();
      const metadata = {
        imports: [authModule(issuer, clock, options)],
        providers: gateways(place),
      };
      const started = await startApp('express', metadata, { prepare });
      const opened = new Set<TestSocket>();
      const open = opener(started.url);
      closeFirst(started.app, { close: () => opened.forEach(({ close }) => close()) });
      return {
        ...started,
        clock,
        open: (...opening: Parameters<Opener>) => {
          const socket = open(...opening);
          opened.add(socket);
          return socket;
        },
      };
    },
  };
}

export const SOCKET_IO = socketKind('socket.io', (namespace) => ({ namespace }), socketIoOpener);

export const WS = socketKind(
  'ws',
  (path) => ({ path: `/${path}` }),
  wsOpener,
  (app) => void app.useWebSocketAdapter(new WsAdapter(app)),
);

export const SOCKET_KINDS = [SOCKET_IO, WS];
export type SocketKind = typeof SOCKET_IO;

const gatewayOf = (handler: HandlerName) => (handler === 'closed' ? 'guarded' : handler in IN_CLASS ? 'class' : 'open');

export const socketDrivers = SOCKET_KINDS.map((kind) => ({
  name: kind.name,
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>) {
    const sockets = await kind.start(issuer, options);
    return {
      ...sockets,
      call: async (handler: HandlerName, token?: string) => {
        const socket = sockets.open(gatewayOf(handler), token);
        const answer = await socket.ask(handler);
        socket.close();
        return answer;
      },
      open: async (token: string) => {
        const socket = sockets.open('guarded', token);
        await socket.ask('closed');
        return {
          closed: socket.closed.then(({ code }) => String(code)),
          leave: () => {
            socket.close();
          },
        };
      },
    };
  },
})) satisfies readonly TransportDriver[];
