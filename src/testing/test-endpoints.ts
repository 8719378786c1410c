import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { SignatureAlgorithm } from '../keys/algorithms.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { KeySourceRegistry } from '../remote/key-source-registry.js';
import { signingInputOf, TestKey } from './test-key.js';

/** Metadata (RFC 8414), keys, introspection (RFC 7662) and revocation (RFC 7009) of a test issuer, without client authentication. */
export class TestEndpoints {
  /** The number of requests for the key set. */
  keyRequests = 0;
  /** The claims of the tokens that are not revoked, and are signed with a current key, by the signing input. @internal */
  protected readonly activeTokens = new Map<string, Readonly<Record<string, unknown>>>();
  /** The options of the connected applications, the newest last. @internal */
  readonly applications = new Map<KeySourceRegistry, ResolvedOptions>();
  private readonly keys = new Map<SignatureAlgorithm, TestKey>();
  private isDown = false;
  private delayMs = 0;
  private closing = new AbortController();
  private readonly server = createServer((message, response) => {
    this.serve(message, response).catch(() => response.destroy());
  });

  protected constructor(
    /** The issuer identifier in the metadata. For an issuer that listens, the address of its HTTP server. */
    readonly url: string,
    private readonly ownAlgorithm: SignatureAlgorithm | undefined,
  ) {}

  /** Answers requests to any origin without a network. Use it as the `fetch` option, or inject it into the code under test. */
  readonly fetch: typeof globalThis.fetch = async (address, init) => {
    if (this.isDown) throw failure('the test issuer is down');
    const request = new Request(address, init);
    if (this.delayMs > 0) await waitFor(this.delayMs, AbortSignal.any([request.signal, this.closing.signal]));
    return this.respond(request);
  };

  /** Revokes a token (RFC 7009): `introspect` reports it as inactive, in every text of it. Its signature and its times stay valid. */
  revoke(token: string): void {
    this.activeTokens.delete(signingInputOf(token));
  }

  /**
   * Returns the response of the introspection endpoint (RFC 7662 §2.2): the claims with `active: true`, or only `active: false` if
   * the token is revoked or expired, or is not signed with a current key of this issuer.
   */
  introspect(token: string): { readonly active: boolean } & Readonly<Record<string, unknown>> {
    const claims = this.activeTokens.get(signingInputOf(token));
    if (claims === undefined || !(Number(claims.exp) > this.nowSeconds)) return { active: false };
    if (![...this.keys.values()].some((key) => key.verifies(token))) return { active: false };
    return { ...claims, active: true, token_type: 'Bearer' };
  }

  /** Replaces all keys. The application rejects earlier tokens (KEY_UNKNOWN) as soon as it has received a new one. */
  rotateKeys(): void {
    for (const algorithm of this.keys.keys()) this.keys.set(algorithm, new TestKey(algorithm));
    this.activeTokens.clear();
    this.forgetPauses();
  }

  /** Fails every request: an application without cached keys answers 503 (KEYS_UNAVAILABLE). */
  goDown(): void {
    this.isDown = true;
    this.forgetPauses();
  }

  /** Delays every response. */
  slowDown(delayMs: number): void {
    this.delayMs = delayMs;
    this.forgetPauses();
  }

  /** Ends `goDown` and `slowDown`. */
  recover(): void {
    this.isDown = false;
    this.slowDown(0);
  }

  /** Stops the HTTP server and fails the requests that wait for a slow response. An issuer in memory can still be used. */
  async close(): Promise<void> {
    // The timers of slow responses would keep the process alive.
    this.closing.abort(failure('the test issuer was closed'));
    this.closing = new AbortController();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Serves HTTP on the loopback interface. @internal */
  protected async startServer(port: number): Promise<void> {
    await once(this.server.listen(port, '127.0.0.1'), 'listening');
    (this as { url: string }).url = `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** Returns the current key for an application with these algorithms. @internal */
  protected keyFor(algorithms: ReadonlySet<SignatureAlgorithm>): TestKey {
    const [first = 'ES256'] = algorithms;
    const algorithm = this.ownAlgorithm ?? (algorithms.has('ES256') ? 'ES256' : first);
    const key = this.keys.get(algorithm) ?? new TestKey(algorithm);
    this.keys.set(algorithm, key);
    return key;
  }

  /** Seconds since 1970, by the clock of the newest application. @internal */
  protected get nowSeconds(): number {
    const clock = [...this.applications.values()].at(-1)?.clock ?? Date.now;
    return Math.floor(clock() / 1000);
  }

  /** Ends the cooldowns of the applications. Otherwise a failure in one test would affect the next. */
  private forgetPauses(): void {
    for (const sources of this.applications.keys()) sources.forgetPauses();
  }

  private async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/' } = message;
    const body = method === 'POST' ? await text(message) : undefined;
    const answer = await this.fetch(`${this.url}${url}`, { method, body });
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  }

  private async respond(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const base = this.url.replace(/\/$/, '');
    if (pathname.includes('/.well-known/'))
      return Response.json({
        issuer: this.url,
        jwks_uri: `${base}/jwks`,
        introspection_endpoint: `${base}/introspect`,
        revocation_endpoint: `${base}/revoke`,
      });
    if (pathname.endsWith('/jwks')) {
      this.keyRequests += 1;
      return Response.json({ keys: Array.from(this.keys.values(), ({ jwk }) => jwk) });
    }
    if (request.method !== 'POST') return new Response(null, { status: 404 });
    const token = new URLSearchParams(await request.text()).get('token') ?? '';
    if (pathname.endsWith('/introspect')) return Response.json(this.introspect(token));
    if (!pathname.endsWith('/revoke')) return new Response(null, { status: 404 });
    this.revoke(token);
    return new Response();
  }
}

function waitFor(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // The global function, so that the fake timers of a test apply.
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

function failure(reason: string): TypeError {
  return new TypeError('fetch failed', { cause: new Error(reason) });
}
