import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SignatureAlgorithm } from '../algorithms.js';
import type { ClaimPaths, IssuerOptions } from '../options/options.js';
import type { ResolvedClaimPath, ResolvedIssuer } from '../options/resolve-issuer.js';
import { type ResolvedOptions, resolveOptions } from '../options/resolve-options.js';
import { TestKey } from './test-key.js';

/** What a test's issuer is like; what is left out it has by itself. */
export interface TestIssuerOptions {
  /** Its `iss`. Default `https://issuer.test`; over HTTP it is the address where it listens. */
  readonly issuer?: string;
  /** What its tokens name in `aud`. Default `https://api.test`. */
  readonly audience?: string;
  /** Default: what the application accepts, `ES256` before others (it is the quickest to make keys for). */
  readonly algorithm?: SignatureAlgorithm;
  /** Where its tokens have scopes, roles and permissions. Default: where the application looks for them. */
  readonly claimPaths?: ClaimPaths;
}

/** Whose token, and what it grants. */
export interface TokenRequest {
  /** Default `test-user`; `undefined` leaves the claim out. */
  readonly sub?: string | undefined;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  /** Default `test-client`; `undefined` leaves the claim out. */
  readonly clientId?: string | undefined;
  /** Default 3600. */
  readonly expiresInSeconds?: number;
  /** Claims as they are; they beat all others. What is `undefined` is left out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Members of the header as they are: `{ typ: 'JWT' }`. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** The `iss`, where the application trusts several issuers. Default: the first one. */
  readonly issuer?: string;
}

type Issuer = Pick<
  ResolvedIssuer,
  'issuer' | 'audience' | 'audienceClaim' | 'algorithms' | 'tokenTypes' | 'claimPaths' | 'requiredClaims'
>;

export const DEFAULT_ISSUER = 'https://issuer.test';
export const DEFAULT_AUDIENCE = 'https://api.test';
const DAY_SECONDS = 86_400;
/** Where the keys are; nobody resolves such a name (RFC 6761 §6.4). */
export const TEST_JWKS_URI = 'https://issuer.invalid/jwks';

/**
 * An authorization server for tests: real keys, real signatures, a real key set and metadata. In memory nothing is sent over
 * a network; `TestIssuer.listen()` serves it on loopback.
 *
 * An application is plugged into it by `withTestIssuer(builder, issuer)`, and keeps its own options: its guard, its issuers,
 * audiences, algorithms and checks are those of production. Its tokens are then made for these options.
 */
export class TestIssuer {
  private readonly keys = new Map<SignatureAlgorithm, TestKey>();
  /** Of each application that it was plugged into, the last one first. */
  private readonly served: Pick<ResolvedOptions, 'issuers' | 'clock'>[];
  private state: { readonly isDown: boolean; readonly delayMs: number } = { isDown: false, delayMs: 0 };
  private server: Server | undefined;
  private fetched = 0;

  private constructor(
    /** Its `iss`, as long as no application says another. */
    readonly url: string,
    private readonly given: TestIssuerOptions,
  ) {
    this.served = [{ issuers: resolveOptions(this.options).issuers, clock: () => Date.now() }];
    this.keyFor(this.given.algorithm ?? 'ES256');
  }

  /** In memory. */
  static async create(options: TestIssuerOptions = {}): Promise<TestIssuer> {
    return await Promise.resolve(new TestIssuer(options.issuer ?? DEFAULT_ISSUER, options));
  }

  /** Over HTTP on loopback, at a free port: for an application in another process. To be closed. */
  static async listen(options: Omit<TestIssuerOptions, 'issuer'> = {}): Promise<TestIssuer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new TestIssuer(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, options);
    issuer.server = server.on('request', ({ url = '/' }, response) => {
      // Inside, so that no path can throw where nobody catches it.
      Promise.resolve()
        .then(() => issuer.answer(new URL(issuer.url + url)))
        .then(
          async (answer) => {
            response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
          },
          () => response.destroy(),
        );
    });
    return issuer;
  }

  /** For `AuthModule.forRoot(issuer.options)`, where there is no application's own module to test. */
  get options(): IssuerOptions & { readonly fetch: typeof globalThis.fetch } {
    const { audience = DEFAULT_AUDIENCE, claimPaths } = this.given;
    return { issuer: this.url, audience, claimPaths, fetch: this.fetch };
  }

  /** How often its keys were fetched. */
  get keyRequests(): number {
    return this.fetched;
  }

  /** In the place of `fetch`: whoever asks for metadata or keys by it gets those of this issuer. */
  readonly fetch: typeof globalThis.fetch = (address, init) =>
    this.answer(new URL(address instanceof Request ? address.url : address), init?.signal ?? undefined);

  /** A good token, for the application that it was plugged into. */
  async token(request: TokenRequest = {}): Promise<string> {
    const issuer = await this.issuerOf(request.issuer);
    const key = this.keyFor(this.algorithmOf(issuer));
    return key.sign(this.headerOf(issuer, key.kid, request), this.claimsOf(issuer, request));
  }

  /** The header of a request: `request(server).get('/').set(await issuer.as({ sub: 'alice' }))`, `inject({ headers })`. */
  async as(request: TokenRequest = {}): Promise<{ authorization: string }> {
    return { authorization: `Bearer ${await this.token(request)}` };
  }

  /** TOKEN_EXPIRED: it did so a day ago. */
  expiredToken(request: TokenRequest = {}): Promise<string> {
    const now = this.nowSeconds;
    return this.token(withClaims(request, { iat: now - 2 * DAY_SECONDS, exp: now - DAY_SECONDS }));
  }

  /** TOKEN_NOT_YET_VALID: it will be tomorrow. */
  notYetValidToken(request: TokenRequest = {}): Promise<string> {
    return this.token(
      withClaims(request, { nbf: this.nowSeconds + DAY_SECONDS, exp: this.nowSeconds + 2 * DAY_SECONDS }),
    );
  }

  /** AUDIENCE_MISMATCH: it is for another API. */
  async otherAudienceToken(request: TokenRequest = {}): Promise<string> {
    const { audienceClaim } = await this.issuerOf(request.issuer);
    return this.token(withClaims(request, { [audienceClaim]: 'https://other-api.test' }));
  }

  /** ISSUER_UNTRUSTED: another authorization server issued it. */
  otherIssuerToken(request: TokenRequest = {}): Promise<string> {
    return this.token(withClaims(request, { iss: 'https://other-issuer.test' }));
  }

  /** SIGNATURE_INVALID: it names a key of the issuer, and was signed with another. */
  async forgedToken(request: TokenRequest = {}): Promise<string> {
    const issuer = await this.issuerOf(request.issuer);
    const { kid, algorithm } = this.keyFor(this.algorithmOf(issuer));
    return new TestKey(algorithm).sign(this.headerOf(issuer, kid, request), this.claimsOf(issuer, request));
  }

  /** KEY_UNKNOWN: the issuer does not publish the key. */
  async unknownKeyToken(request: TokenRequest = {}): Promise<string> {
    const issuer = await this.issuerOf(request.issuer);
    const key = new TestKey(this.algorithmOf(issuer));
    return key.sign(this.headerOf(issuer, key.kid, request), this.claimsOf(issuer, request));
  }

  /** BINDING_UNPROVEN: it is bound to a key of its client (RFC 9449 §6), which a bearer does not prove to have. */
  dpopBoundToken(request: TokenRequest = {}): Promise<string> {
    return this.token(withClaims(request, { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }));
  }

  /**
   * The issuer signs with new keys, and publishes those alone. Tokens of before are good until the application has fetched the
   * new ones (the first new token makes it do so), and are KEY_UNKNOWN then.
   */
  rotateKeys(): void {
    const algorithms = [...this.keys.keys()];
    this.keys.clear();
    for (const algorithm of algorithms) this.keyFor(algorithm);
  }

  /** Nobody answers: KEYS_UNAVAILABLE (503), unless the application has keys that still serve. */
  goDown(): void {
    this.state = { ...this.state, isDown: true };
  }

  /** Every answer takes so long. */
  slowDown(delayMs: number): void {
    this.state = { ...this.state, delayMs };
  }

  /** After `goDown` and `slowDown`. */
  recover(): void {
    this.state = { isDown: false, delayMs: 0 };
  }

  /** Of one that listens; nothing is to be closed in memory. */
  async close(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** Makes tokens for the options of an application from now on. Called by `withTestIssuer`. */
  serve({ issuers, clock }: Pick<ResolvedOptions, 'issuers' | 'clock'>): void {
    this.served.unshift({ issuers, clock });
    // Before the first fetch: a key that comes later is looked for only after a while.
    if (typeof issuers !== 'function') for (const issuer of issuers) this.keyFor(this.algorithmOf(issuer));
  }

  private async issuerOf(name: string | undefined): Promise<Issuer> {
    const [{ issuers } = { issuers: [] }] = this.served;
    if (name === undefined) {
      if (typeof issuers === 'function')
        throw new Error('The issuers of this application are a function: say which one (`issuer`) the token is of');
      const [first] = issuers;
      if (first !== undefined) return first;
    }
    // An application may have several modules, and a test several applications.
    for (const { issuers: trusted } of this.served) {
      const found =
        typeof trusted === 'function' ? await trusted(name ?? '') : trusted.find(({ issuer }) => issuer === name);
      if (found !== undefined) return found;
    }
    throw new Error(`The application trusts no issuer ${JSON.stringify(name)}`);
  }

  private algorithmOf({ algorithms }: Issuer): SignatureAlgorithm {
    const { algorithm } = this.given;
    if (algorithm !== undefined) return algorithm;
    const [first = 'ES256'] = algorithms;
    return algorithms.has('ES256') ? 'ES256' : first;
  }

  private keyFor(algorithm: SignatureAlgorithm): TestKey {
    let key = this.keys.get(algorithm);
    if (key === undefined) this.keys.set(algorithm, (key = new TestKey(algorithm)));
    return key;
  }

  private headerOf({ tokenTypes }: Issuer, kid: string, { header }: TokenRequest): Record<string, unknown> {
    const [first] = tokenTypes;
    return { typ: tokenTypes.has('at+jwt') ? 'at+jwt' : first, kid, ...header };
  }

  private claimsOf(issuer: Issuer, request: TokenRequest): Record<string, unknown> {
    const { expiresInSeconds = 3600, scopes, roles, permissions } = request;
    const claims: Record<string, unknown> = {
      iss: issuer.issuer,
      sub: 'sub' in request ? request.sub : 'test-user',
      client_id: 'test-client',
      iat: this.nowSeconds,
      exp: this.nowSeconds + expiresInSeconds,
      jti: randomUUID(),
      [issuer.audienceClaim]: issuer.audience[0],
      ...('clientId' in request && { client_id: request.clientId }),
    };
    // What its values mean only the application knows; that it is there is all that can be seen from here.
    for (const claim of issuer.requiredClaims)
      if (!Object.hasOwn(claims, claim)) claims[claim] = claim === 'token_use' ? 'access' : `test-${claim}`;
    const paths = issuer.claimPaths;
    if (scopes !== undefined) grant(claims, paths.scopes[0], scopes.join(' '), scopes);
    if (roles !== undefined) grant(claims, paths.roles[0], roles, roles);
    if (permissions !== undefined) grant(claims, paths.permissions[0], permissions, permissions);
    return { ...claims, ...request.claims };
  }

  private get nowSeconds(): number {
    const [{ clock } = { clock: Date.now }] = this.served;
    return Math.floor(clock() / 1000);
  }

  private async answer(address: URL, signal?: AbortSignal): Promise<Response> {
    const { isDown, delayMs } = this.state;
    if (isDown) throw new TypeError('fetch failed', { cause: new Error('the test issuer is down') });
    if (delayMs > 0) await waitFor(delayMs, signal);
    if (address.pathname.endsWith('/jwks')) {
      this.fetched += 1;
      return Response.json({ keys: [...this.keys.values()].map(({ jwk }) => jwk) });
    }
    if (!address.pathname.includes('/.well-known/')) return new Response(null, { status: 404 });
    return Response.json({ issuer: this.url, jwks_uri: `${this.url.replace(/\/$/, '')}/jwks` });
  }
}

function withClaims(request: TokenRequest, claims: Readonly<Record<string, unknown>>): TokenRequest {
  return { ...request, claims: { ...claims, ...request.claims } };
}

/** Puts a grant where the application looks for it. */
function grant(
  claims: Record<string, unknown>,
  path: ResolvedClaimPath | undefined,
  value: unknown,
  names: readonly string[],
): void {
  if (path === undefined) throw new Error('The application looks nowhere for what this token is to grant (claimPaths)');
  const way = 'keysOf' in path ? path.keysOf : path;
  const granted = 'keysOf' in path ? Object.fromEntries(names.map((name) => [name, {}])) : value;
  let holder = claims;
  for (const name of way.slice(0, -1)) {
    const next = { ...(holder[name] as object | undefined) };
    holder[name] = next;
    holder = next;
  }
  holder[way.at(-1) ?? ''] = granted;
}

function waitFor(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, delayMs);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
