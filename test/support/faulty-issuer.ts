import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { type Handler, LocalIssuer, newKey, type TestKey } from './local-issuer.js';

export const KEYS = '/jwks';
/** The locations of the metadata of an issuer without a path. */
export const METADATA = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'] as const;

/** One way in which an issuer can fail. */
export interface Fault {
  readonly answer: Handler;
  /** The code of the failure when the keys are fetched, and when the metadata are fetched if that differs. */
  readonly code: string;
  readonly codeAtMetadata?: string;
  /** The `Retry-After` of the API; one second unless the issuer requests more. */
  readonly retryAfter?: string;
  /** The server closes connections before it reads a request. */
  readonly isDropped?: boolean;
  /** The exchange ends only at a deadline. */
  readonly isEndless?: boolean;
}

const JSON_TYPE = { 'content-type': 'application/json' };

const sending =
  (body: string, headers: Record<string, string> = JSON_TYPE): Handler =>
  (_request, response) => {
    response.writeHead(200, headers).end(body);
  };

const status =
  (code: number, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(code, { ...JSON_TYPE, ...headers }).end('{}');
  };

/** Sends the beginning of a response and then calls `next`. */
const beginning =
  (headers: Record<string, string>, next: (socket: Socket) => void): Handler =>
  (_request, response) => {
    // Otherwise `fetch` treats the part before a reset as the whole body.
    response.shouldKeepAlive = true;
    response.writeHead(200, { ...JSON_TYPE, ...headers });
    response.write('{"keys":[', () => {
      if (response.socket !== null) next(response.socket);
    });
  };

const dripping =
  (code = 200, headers: Record<string, string> = JSON_TYPE, start = '{'): Handler =>
  (_request, response) => {
    response.writeHead(code, headers).write(start);
    const timer = setInterval(() => response.write(' '), 2);
    response.on('close', () => clearInterval(timer));
  };

const withoutKeySet = (body: unknown): Fault => ({
  answer: sending(JSON.stringify(body)),
  code: 'KEYS_UNUSABLE',
  codeAtMetadata: 'ISSUER_MISMATCH',
});

/** Faults of any response, by their description. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'drops every connection': { answer: ({ socket }) => socket.destroy(), code: 'NETWORK', isDropped: true },
  'never answers': { answer: () => undefined, code: 'TIMEOUT', isEndless: true },
  'sends headers and then nothing': { answer: beginning({}, () => undefined), code: 'TIMEOUT', isEndless: true },
  'sends single bytes without an end': { answer: dripping(), code: 'TIMEOUT', isEndless: true },
  'resets the connection in the middle of the body': {
    answer: beginning({}, (socket) => socket.resetAndDestroy()),
    code: 'NETWORK',
  },
  'sends less than its Content-Length': {
    answer: beginning({ 'content-length': '1000' }, (socket) => socket.end()),
    code: 'NETWORK',
  },
  'answers 500': { answer: status(500), code: 'STATUS' },
  'answers 500 with a body that never ends': { answer: dripping(500), code: 'STATUS' },
  'answers 429': { answer: status(429, { 'retry-after': '7' }), code: 'STATUS', retryAfter: '7' },
  'answers with a redirect': { answer: status(302, { location: '/elsewhere' }), code: 'REDIRECT' },
  'answers with a page to log in at': {
    answer: sending('<html>Log in</html>', { 'content-type': 'text/html; charset=utf-8' }),
    code: 'MEDIA_TYPE',
  },
  'answers with a page that never ends': {
    answer: dripping(200, { 'content-type': 'text/html' }, '<'),
    code: 'MEDIA_TYPE',
  },
  'sends a page as JSON': { answer: sending('<html>Log in</html>'), code: 'NOT_JSON' },
  'sends incomplete JSON': { answer: sending('{"keys":[{"kty":"EC"'), code: 'NOT_JSON' },
  'sends an empty body': { answer: sending(''), code: 'NOT_JSON' },
  'sends 10 MiB': { answer: sending(`{${' '.repeat(10 * 1024 * 1024)}}`), code: 'TOO_LARGE' },
  'sends {}': withoutKeySet({}),
  'sends []': withoutKeySet([]),
  'sends null': withoutKeySet(null),
  'sends an error with status 200': withoutKeySet({ error: 'server_error' }),
};

/** Returns the fault with this description. */
export function fault(name: string): Fault {
  const found = FAULTS[name];
  if (found === undefined) throw new Error(`no fault "${name}"`);
  return found;
}

/** Faults of a key set whose keys have the kid of the given key. */
export function faultsOfSet({ kid, jwk, privateKey }: TestKey): Readonly<Record<string, Fault>> {
  return {
    'publishes keys that are not a list': withoutKeySet({ keys: JSON.stringify([jwk]) }),
    'pads a good set to 10 MiB': {
      answer: sending(`{${' '.repeat(10 * 1024 * 1024)}"keys":[${JSON.stringify(jwk)}]}`),
      code: 'TOO_LARGE',
    },
    'publishes an empty set': withoutKeySet({ keys: [] }),
    'publishes only private keys': withoutKeySet({ keys: [{ ...privateKey.export({ format: 'jwk' }), kid }] }),
    'publishes only symmetric keys': withoutKeySet({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid, alg: 'HS256' }] }),
    'publishes only encryption keys': withoutKeySet({ keys: [{ ...jwk, use: 'enc' }] }),
    'publishes only keys that are too short': withoutKeySet({ keys: [newKey('rsa-1024', { kid }).jwk] }),
    'publishes only unreadable keys': withoutKeySet({ keys: [null, 7, {}, { ...jwk, x: 'AAAA' }] }),
  };
}

/** Faults of metadata. */
export const FAULTS_OF_METADATA: Readonly<Record<string, (issuer: string) => Fault>> = {
  'sends the metadata of another issuer': (issuer) => ({
    answer: sending(JSON.stringify({ issuer: 'https://else.example.com', jwks_uri: issuer + KEYS })),
    code: 'ISSUER_MISMATCH',
  }),
  'sends metadata without jwks_uri': (issuer) => ({
    answer: sending(JSON.stringify({ issuer })),
    code: 'METADATA_INVALID',
  }),
  'sends metadata whose jwks_uri must not be fetched': (issuer) => ({
    answer: sending(JSON.stringify({ issuer, jwks_uri: 'http://keys.example.com/jwks' })),
    code: 'ADDRESS_REFUSED',
  }),
};

/**
 * A {@link LocalIssuer} that can fail and recover, and counts its open exchanges. It keeps no connection alive, so that each
 * open connection with a request is an open exchange. Connections without a request do not count: when `fetch` aborts an
 * exchange, Node opens a connection for the next one.
 */
export class FaultyIssuer extends LocalIssuer {
  private readonly requested = new Set<Socket>();
  private readonly healthy = new Map<string, Handler | undefined>();
  private isDropping = false;

  protected constructor(keys: readonly TestKey[]) {
    super(keys);
    this.server.prependListener('request', ({ socket }, response) => {
      response.shouldKeepAlive = false;
      this.requested.add(socket);
      socket.on('close', () => this.requested.delete(socket));
      // A client may disconnect at any time.
      socket.on('error', () => undefined);
    });
    this.server.on('connection', (socket) => {
      if (this.isDropping) socket.destroy();
    });
  }

  static override async start(keys: readonly TestKey[] = []): Promise<FaultyIssuer> {
    const issuer = new FaultyIssuer(keys);
    await issuer.open();
    // If the first connection of a process is closed immediately, `fetch` of Node never settles.
    await fetch(issuer.url);
    issuer.requests.length = 0;
    return issuer;
  }

  get openExchanges(): number {
    return this.requested.size;
  }

  /** The number of requests for the key set. */
  get fetches(): number {
    return this.countOf(KEYS);
  }

  /** Makes these paths fail until {@link recover}. */
  fail({ answer, isDropped = false }: Fault, ...paths: string[]): void {
    for (const path of paths) {
      if (!this.healthy.has(path)) this.healthy.set(path, this.handlers.get(path));
      this.handlers.set(path, answer);
    }
    this.isDropping = isDropped;
  }

  failEverywhere(fault: Fault): void {
    this.fail(fault, ...METADATA, KEYS);
  }

  /** Ends the faults of all paths, or only of these. */
  recover(...paths: string[]): void {
    for (const [path, handler] of this.healthy) {
      if (paths.length > 0 && !paths.includes(path)) continue;
      this.healthy.delete(path);
      if (handler === undefined) this.handlers.delete(path);
      else this.handlers.set(path, handler);
    }
    this.isDropping = false;
  }

  /** Replaces the key set. */
  publish(...keys: (TestKey | Record<string, unknown>)[]): void {
    this.keys = keys.map((key) => ('privateKey' in key ? (key as TestKey).jwk : key));
  }

  /** Serves the sets in turn, as several servers of one issuer do after a rotation. */
  publishInTurn(...sets: (readonly TestKey[])[]): void {
    let turn = 0;
    this.json(KEYS, () => ({ keys: sets[turn++ % sets.length]?.map(({ jwk }) => jwk) }));
  }
}

/**
 * Returns a loopback port without a listener. It is reserved, because it is the local port of an open connection.
 */
export async function closedPort(): Promise<{ readonly port: number; free(): Promise<void> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[far]] = await Promise.all([accepted, once(client, 'connect')]);
  return {
    port: client.localPort ?? 0,
    free: async () => {
      client.destroy();
      far.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
