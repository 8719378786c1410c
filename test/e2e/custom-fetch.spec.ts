import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttpServer, request as httpRequest, type Server } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest, type RequestOptions } from 'node:https';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { AccessTokenVerifier } from '../../src/index.js';
import { closeApps } from '../support/app.js';
import { startGuarded } from '../support/guarded-app.js';
import { newKey, signToken } from '../support/local-issuer.js';
import { type SelfSigned, selfSigned } from '../support/self-signed.js';

const key = newKey('p-256');
const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  await closeApps();
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** Starts an issuer with TLS that records the requests it receives. */
async function startTlsIssuer(certificate: SelfSigned, issuerAt: (port: number) => string) {
  const requests: string[] = [];
  let name = '';
  const server = createHttpsServer(certificate, (request, response) => {
    requests.push(request.url ?? '');
    const body = request.url === '/jwks' ? { keys: [key.jwk] } : { issuer: name, jwks_uri: `${name}/jwks` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const port = await listen(server);
  name = issuerAt(port);
  return { name, port, requests };
}

/** A `fetch` based on node:https, as an application without undici may write it. */
function fetchWith(optionsFor: (url: URL) => RequestOptions | Promise<RequestOptions>): typeof fetch {
  return async (address, init) => {
    const url = new URL(address);
    const options = await optionsFor(url);
    return new Promise((resolve, reject) => {
      const { headers, signal } = init as { headers: Record<string, string>; signal: AbortSignal };
      httpsRequest(url, { ...options, headers, signal }, (response) => {
        const body = Readable.toWeb(response) as ReadableStream<Uint8Array>;
        const type = response.headers['content-type'] ?? '';
        resolve(new Response(body, { status: response.statusCode, headers: { 'content-type': type } }));
      })
        .on('error', reject)
        .end();
    });
  };
}

const tokenFrom = (issuer: string) =>
  signToken(
    { alg: 'ES256', kid: key.kid },
    { iss: issuer, aud: 'https://api.example.com', exp: Math.floor(Date.now() / 1000) + 300 },
    key.privateKey,
  );

describe('keys behind a certificate of a private CA', () => {
  let certificate: SelfSigned;
  let issuer: Awaited<ReturnType<typeof startTlsIssuer>>;

  beforeEach(async () => {
    certificate = selfSigned('127.0.0.1');
    issuer = await startTlsIssuer(certificate, (port) => `https://127.0.0.1:${String(port)}`);
  });

  it('are fetched with a `fetch` that trusts the CA', async () => {
    const app = await startGuarded(issuer.name, {
      options: { fetch: fetchWith(() => ({ ca: certificate.cert, agent: false })) },
    });
    expect(await app.outcome(tokenFrom(issuer.name))).toBe('200');
    expect(app.health()).toMatchObject([{ state: 'fresh', source: 'issuer' }]);
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  it.each([
    ['the global `fetch`, which does not trust the CA', undefined],
    ['a `fetch` that trusts another CA', () => fetchWith(() => ({ ca: selfSigned('127.0.0.1').cert, agent: false }))],
  ])('are not fetched with %s (503, NETWORK)', async (_what, make) => {
    const app = await startGuarded(issuer.name, { options: { fetch: make?.() } });
    expect(await app.outcome(tokenFrom(issuer.name))).toBe('503 KEYS_UNAVAILABLE');
    expect(app.health()).toMatchObject([{ state: 'unavailable', lastErrorCode: 'NETWORK' }]);
    await expect(app.get(AccessTokenVerifier).verify(tokenFrom(issuer.name))).rejects.toMatchObject({
      code: 'KEYS_UNAVAILABLE',
      detail: { issuer: issuer.name, reason: 'NETWORK' },
    });
    expect(issuer.requests).toEqual([]);
  });
});

describe('keys behind a proxy', () => {
  /** Starts a forward proxy (RFC 9110 §9.3.6) that connects every tunnel to this port. */
  async function startProxy(port: number) {
    const tunnels: string[] = [];
    const server = createHttpServer().on('connect', (request, near: Socket) => {
      tunnels.push(request.url ?? '');
      const far = connectTcp(port, '127.0.0.1', () => {
        near.write('HTTP/1.1 200 Connection established\r\n\r\n');
        near.pipe(far).pipe(near);
      });
      near.on('close', () => far.destroy()).on('error', () => undefined);
      far.on('close', () => near.destroy()).on('error', () => undefined);
    });
    return { port: await listen(server), tunnels };
  }

  const through = (proxyPort: number, ca: string) =>
    fetchWith(async ({ hostname }) => {
      const tunnel = httpRequest({ port: proxyPort, method: 'CONNECT', path: `${hostname}:443`, agent: false }).end();
      const [, socket] = (await once(tunnel, 'connect')) as [unknown, Socket];
      return { createConnection: () => connectTls({ socket, servername: hostname, ca }) };
    });

  it('are fetched through it, although the name of the issuer is not in the DNS', async () => {
    const certificate = selfSigned('issuer.internal.example');
    const issuer = await startTlsIssuer(certificate, () => 'https://issuer.internal.example');
    const proxy = await startProxy(issuer.port);
    const app = await startGuarded(issuer.name, { options: { fetch: through(proxy.port, certificate.cert) } });
    expect(await app.outcome(tokenFrom(issuer.name))).toBe('200');
    expect(proxy.tunnels).toEqual(['issuer.internal.example:443', 'issuer.internal.example:443']);
  });

  it('are not accepted from a server without the certificate of the issuer (503, NETWORK)', async () => {
    const issuer = await startTlsIssuer(selfSigned('issuer.internal.example'), () => 'https://issuer.internal.example');
    const proxy = await startProxy(issuer.port);
    const other = selfSigned('issuer.internal.example').cert;
    const app = await startGuarded(issuer.name, { options: { fetch: through(proxy.port, other) } });
    expect(await app.outcome(tokenFrom(issuer.name))).toBe('503 KEYS_UNAVAILABLE');
    expect(app.health()).toMatchObject([{ state: 'unavailable', lastErrorCode: 'NETWORK' }]);
    expect([proxy.tunnels, issuer.requests]).toEqual([['issuer.internal.example:443'], []]);
  });
});

describe('a `fetch` of the application', () => {
  it('that ignores its signal delays a token until the deadline only (503, TIMEOUT)', async () => {
    const app = await startGuarded('https://issuer.internal.example', {
      keys: { timeoutMs: 50 },
      options: { fetch: () => new Promise(() => undefined) },
    });
    expect(await app.outcome(tokenFrom('https://issuer.internal.example'))).toBe('503 KEYS_UNAVAILABLE');
    expect(app.health()).toMatchObject([{ state: 'unavailable', lastErrorCode: 'TIMEOUT' }]);
  });
});
