import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { type Handler, LocalIssuer, newKey, type TestKey } from './local-issuer.js';

export const KEYS = '/jwks';
/** Where the metadata of an issuer without a path are looked for. */
export const METADATA = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'] as const;

/** One way in which an issuer can fail to say anything of use. */
export interface Fault {
  readonly answer: Handler;
  /** What the failure is called in health and log: at the keys, and at the metadata where that differs. */
  readonly code: string;
  readonly codeAtMetadata?: string;
  /** What the `Retry-After` of our own answer is then; a second when the issuer does not ask for more. */
  readonly retryAfter?: string;
  /** The server does not even read a request. */
  readonly isDropped?: boolean;
  /** Never ends by itself. */
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

/** Sends the beginning of an answer, and then does something else. */
const beginning =
  (headers: Record<string, string>, next: (socket: Socket) => void): Handler =>
  (_request, response) => {
    // Else `fetch` takes what has come before a reset for the whole.
    response.shouldKeepAlive = true;
    response.writeHead(200, { ...JSON_TYPE, ...headers });
    response.write('{"keys":[', () => {
      if (response.socket !== null) next(response.socket);
    });
  };

const dripping =
  (code = 200, headers: Record<string, string> = JSON_TYPE): Handler =>
  (_request, response) => {
    response.writeHead(code, headers).write('{');
    const timer = setInterval(() => response.write(' '), 2);
    response.on('close', () => clearInterval(timer));
  };

const noSet = (body: unknown): Fault => ({
  answer: sending(JSON.stringify(body)),
  code: 'KEYS_UNUSABLE',
  codeAtMetadata: 'ISSUER_MISMATCH',
});

/** What can be wrong with any answer, by what the issuer does. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'drops every connection': { answer: ({ socket }) => socket.destroy(), code: 'NETWORK', isDropped: true },
  'never answers': { answer: () => undefined, code: 'TIMEOUT', isEndless: true },
  'sends headers and then nothing': { answer: beginning({}, () => undefined), code: 'TIMEOUT', isEndless: true },
  'sends a byte now and then, for ever': { answer: dripping(), code: 'TIMEOUT', isEndless: true },
  'resets the connection in the middle of the body': {
    answer: beginning({}, (socket) => socket.resetAndDestroy()),
    code: 'NETWORK',
  },
  'sends half of the body that it announced': {
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
  'answers with a page that never ends': { answer: dripping(200, { 'content-type': 'text/html' }), code: 'MEDIA_TYPE' },
  'calls a page JSON': { answer: sending('<html>Log in</html>'), code: 'NOT_JSON' },
  'sends JSON that breaks off': { answer: sending('{"keys":[{"kty":"EC"'), code: 'NOT_JSON' },
  'sends nothing': { answer: sending(''), code: 'NOT_JSON' },
  'sends 10 MiB': { answer: sending(`{${' '.repeat(10 * 1024 * 1024)}}`), code: 'TOO_LARGE' },
  'sends {}': noSet({}),
  'sends []': noSet([]),
  'sends null': noSet(null),
  'sends an error with status 200': noSet({ error: 'server_error' }),
};

/** The one of this name. */
export function fault(name: string): Fault {
  const found = FAULTS[name];
  if (found === undefined) throw new Error(`no fault "${name}"`);
  return found;
}

/** What can be wrong with a key set, all of whose keys have the kid of this one. */
export function faultsOfSet({ kid, jwk, privateKey }: TestKey): Readonly<Record<string, Fault>> {
  return {
    'publishes a set whose keys are no list': noSet({ keys: { 0: jwk } }),
    'pads a good set to 10 MiB': {
      answer: sending(`{${' '.repeat(10 * 1024 * 1024)}"keys":[${JSON.stringify(jwk)}]}`),
      code: 'TOO_LARGE',
    },
    'publishes an empty set': noSet({ keys: [] }),
    'publishes private keys only': noSet({ keys: [{ ...privateKey.export({ format: 'jwk' }), kid }] }),
    'publishes symmetric keys only': noSet({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid, alg: 'HS256' }] }),
    'publishes keys for encryption only': noSet({ keys: [{ ...jwk, use: 'enc' }] }),
    'publishes keys that are too short only': noSet({ keys: [newKey('rsa-1024', { kid }).jwk] }),
    'publishes keys that cannot be read only': noSet({ keys: [null, 7, {}, { ...jwk, x: 'AAAA' }] }),
  };
}

/** What can be wrong with metadata. */
export const FAULTS_OF_METADATA: Readonly<Record<string, (issuer: string) => Fault>> = {
  'sends the metadata of another issuer': (issuer) => ({
    answer: sending(JSON.stringify({ issuer: 'https://else.example.com', jwks_uri: issuer + KEYS })),
    code: 'ISSUER_MISMATCH',
  }),
  'sends metadata without jwks_uri': (issuer) => ({
    answer: sending(JSON.stringify({ issuer })),
    code: 'METADATA_INVALID',
  }),
  'sends metadata with a jwks_uri that may not be fetched': (issuer) => ({
    answer: sending(JSON.stringify({ issuer, jwks_uri: 'http://keys.example.com/jwks' })),
    code: 'ADDRESS_REFUSED',
  }),
};

/**
 * A {@link LocalIssuer} that fails in every way there is, recovers, and knows which exchanges have not ended. It keeps no
 * connection alive, so that one on which something was asked and which is open is such an exchange. Those on which
 * nothing was asked do not count: when `fetch` breaks an exchange off, Node opens one for the next.
 */
export class FaultyIssuer extends LocalIssuer {
  private readonly asked = new Set<Socket>();
  private readonly healthy = new Map<string, Handler | undefined>();
  private isDropping = false;

  protected constructor(keys: readonly TestKey[]) {
    super(keys);
    this.server.prependListener('request', ({ socket }, response) => {
      response.shouldKeepAlive = false;
      this.asked.add(socket);
      socket.on('close', () => this.asked.delete(socket));
      // A client may go at any time.
      socket.on('error', () => undefined);
    });
    this.server.on('connection', (socket) => {
      if (this.isDropping) socket.destroy();
    });
  }

  static override async start(keys: readonly TestKey[] = []): Promise<FaultyIssuer> {
    const issuer = new FaultyIssuer(keys);
    await issuer.open();
    // The very first connection of a process that is closed at once goes unnoticed by Node's `fetch`, for ever.
    await fetch(issuer.url);
    issuer.requests.length = 0;
    return issuer;
  }

  /** Exchanges that have begun and not ended. */
  get openExchanges(): number {
    return this.asked.size;
  }

  /** How often the key set was asked for. */
  get fetches(): number {
    return this.countOf(KEYS);
  }

  /** From now on these paths fail in this way; until {@link recover}. */
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

  /** All is well again; or only these paths are. */
  recover(...paths: string[]): void {
    for (const [path, handler] of this.healthy) {
      if (paths.length > 0 && !paths.includes(path)) continue;
      this.healthy.delete(path);
      if (handler === undefined) this.handlers.delete(path);
      else this.handlers.set(path, handler);
    }
    this.isDropping = false;
  }

  /** The new key set: keys, or whatever stands in their place. */
  publish(...keys: (TestKey | Record<string, unknown>)[]): void {
    this.keys = keys.map((key) => ('privateKey' in key ? (key as TestKey).jwk : key));
  }

  /** Each worker of the issuer has a set of its own, and they answer in turn. */
  publishInTurn(...sets: (readonly TestKey[])[]): void {
    let turn = 0;
    this.json(KEYS, () => ({ keys: sets[turn++ % sets.length]?.map(({ jwk }) => jwk) }));
  }
}

/**
 * A port of loopback on which nobody listens, and which nobody else gets meanwhile: it is the near end of a connection.
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
