import type { IncomingMessage, RequestListener } from 'node:http';

/** What the endpoints tell of the issuer that they are of. */
export interface IssuerBehind {
  readonly url: string;
  /** The public keys (RFC 7517 §5). */
  keySet(): readonly Readonly<Record<string, unknown>>[];
  introspect(token: string): Readonly<Record<string, unknown>>;
  revoke(token: string): void;
}

/**
 * The addresses of a test's issuer: metadata (RFC 8414, OpenID Connect Discovery), keys, introspection (RFC 7662) and revocation
 * (RFC 7009). Who asks is not checked.
 */
export class TestEndpoints {
  private state: { readonly isDown: boolean; readonly delayMs: number } = { isDown: false, delayMs: 0 };
  private fetched = 0;
  private waiting = new AbortController();

  constructor(private readonly issuer: IssuerBehind) {}

  /** How often the keys were asked for. */
  get keyRequests(): number {
    return this.fetched;
  }

  change(state: { readonly isDown?: boolean; readonly delayMs?: number }): void {
    this.state = { ...this.state, ...state };
  }

  readonly fetch: typeof globalThis.fetch = async (address, init) => {
    const { isDown, delayMs } = this.state;
    if (isDown) throw failed('the test issuer is down');
    const request = new Request(address, init);
    if (delayMs > 0) await waitFor(delayMs, AbortSignal.any([request.signal, this.waiting.signal]));
    return this.answer(request);
  };

  /** What still waits for a slow answer is not answered: a timer would keep the process. */
  close(): void {
    this.waiting.abort(failed('the test issuer was closed'));
    this.waiting = new AbortController();
  }

  /** For `http.createServer()`. */
  readonly listener: RequestListener = (request, response) => {
    const client = new AbortController();
    response.once('close', () => {
      client.abort();
    });
    // Inside, so that no path can throw where nobody catches it.
    sent(request, this.issuer.url)
      .then((asked) => this.fetch(asked, { signal: client.signal }))
      .then(
        async (answer) => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
        },
        () => response.destroy(),
      );
  };

  private async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith('/jwks')) {
      this.fetched += 1;
      return Response.json({ keys: this.issuer.keySet() });
    }
    if (pathname.includes('/.well-known/')) return Response.json(this.metadata());
    const isTold = request.method === 'POST';
    if (isTold && pathname.endsWith('/introspect'))
      return Response.json(this.issuer.introspect(await tokenIn(request)));
    if (isTold && pathname.endsWith('/revoke')) {
      this.issuer.revoke(await tokenIn(request));
      return new Response();
    }
    return new Response(null, { status: 404 });
  }

  private metadata(): Readonly<Record<string, string>> {
    const { url } = this.issuer;
    const base = url.replace(/\/$/, '');
    return {
      issuer: url,
      jwks_uri: `${base}/jwks`,
      introspection_endpoint: `${base}/introspect`,
      revocation_endpoint: `${base}/revoke`,
    };
  }
}

async function tokenIn(request: Request): Promise<string> {
  return new URLSearchParams(await request.text()).get('token') ?? '';
}

async function sent(message: IncomingMessage, base: string): Promise<Request> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  const { method, url = '/' } = message;
  const body = parts.length === 0 ? undefined : Buffer.concat(parts);
  return new Request(base + url, { method, body });
}

function waitFor(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // Looked up now: a test may have fake timers.
    const timer = setTimeout(resolve, delayMs);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}

function failed(reason: string): TypeError {
  return new TypeError('fetch failed', { cause: new Error(reason) });
}
