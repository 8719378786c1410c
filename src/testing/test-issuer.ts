import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SignatureAlgorithm } from '../keys/algorithms.js';
import type { IssuerOptions } from '../options/options.js';
import type { ResolvedClaimPaths, ResolvedIssuer } from '../options/resolve-issuer.js';
import { type ResolvedOptions, resolveOptions } from '../options/resolve-options.js';
import { TestEndpoints } from './test-endpoints.js';
import {
  checkOptions,
  DEFAULT_AUDIENCE,
  DEFAULT_ISSUER,
  pathsGiven,
  type TestIssuerOptions,
} from './test-issuer-options.js';
import { TestKey } from './test-key.js';
import { claimsOf, headerOf, type ServedIssuer, type TokenRequest, withClaims } from './test-token.js';

const DAY_SECONDS = 86_400;

/**
 * An authorization server for tests: real keys, real signatures, a real key set and metadata. In memory nothing is sent over
 * a network; `TestIssuer.listen()` serves it on loopback.
 *
 * An application is plugged into it by `withTestIssuer(builder, issuer)`, and keeps its own options: its guard, its issuers,
 * audiences, algorithms and checks are those of production. Tokens are made for these options from `compile()` on; one that
 * was made before has the `iss` and `aud` of this issuer by itself, and is refused (ISSUER_UNTRUSTED).
 */
export class TestIssuer {
  private readonly keys = new Map<SignatureAlgorithm, TestKey>();
  /** Of each application that it was plugged into, the last one first. */
  private readonly served: Pick<ResolvedOptions, 'issuers' | 'clock'>[];
  private readonly revoked = new Set<string>();
  private readonly listeners = new Set<() => void>();
  private readonly endpoints: TestEndpoints;
  private readonly claimPaths: Partial<ResolvedClaimPaths>;
  private server: Server | undefined;

  private constructor(
    /** Its own name, which its metadata have. That of its tokens is the application's, unless one was given. */
    readonly url: string,
    private readonly given: TestIssuerOptions,
  ) {
    this.endpoints = new TestEndpoints({
      url,
      keySet: () => [...this.keys.values()].map(({ jwk }) => jwk),
      introspect: (token) => this.introspect(token),
      revoke: (token) => {
        this.revoke(token);
      },
    });
    const issuers = resolveOptions(this.options).issuers as readonly [ResolvedIssuer];
    this.served = [{ issuers, clock: () => Date.now() }];
    this.claimPaths = pathsGiven(issuers[0].claimPaths, given.claimPaths);
    this.keyFor(this.given.algorithm ?? 'ES256');
  }

  /**
   * In memory.
   * @throws Error for an option that there is not, and for an algorithm that nobody may sign tokens with.
   */
  static async create(options: TestIssuerOptions = {}): Promise<TestIssuer> {
    await Promise.resolve();
    checkOptions('TestIssuer.create()', options);
    return new TestIssuer(options.issuer ?? DEFAULT_ISSUER, options);
  }

  /**
   * Over HTTP on loopback, at a free port: for an application in another process. To be closed.
   * @throws Error as `create` does.
   */
  static async listen(options: Omit<TestIssuerOptions, 'issuer'> = {}): Promise<TestIssuer> {
    checkOptions('TestIssuer.listen()', options, ['issuer']);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new TestIssuer(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, options);
    issuer.server = server.on('request', issuer.endpoints.listener);
    return issuer;
  }

  /** For `AuthModule.forRoot(issuer.options)`, where there is no application's own module to test. */
  get options(): IssuerOptions & { readonly fetch: typeof globalThis.fetch } {
    const { audience = DEFAULT_AUDIENCE, claimPaths } = this.given;
    return { issuer: this.url, audience, claimPaths, fetch: this.fetch };
  }

  /** How often its keys were fetched. */
  get keyRequests(): number {
    return this.endpoints.keyRequests;
  }

  /**
   * In the place of `fetch`: whoever asks for metadata or keys by it gets those of this issuer, whether a token is active (RFC 7662:
   * `POST …/introspect`), and has tokens revoked (RFC 7009: `POST …/revoke`).
   */
  get fetch(): typeof globalThis.fetch {
    return this.endpoints.fetch;
  }

  /**
   * A good token, for the application that it was plugged into.
   * @throws Error for a member of the request that there is not, an issuer that the application does not trust, and a grant
   * that it looks for nowhere.
   */
  async token(request: TokenRequest = {}): Promise<string> {
    const issuer = await this.issuerOf(request.issuer);
    const key = this.keyFor(this.algorithmOf(issuer));
    return key.sign(headerOf(issuer, key.kid, request), claimsOf(issuer, request, this.nowSeconds));
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
    return new TestKey(algorithm).sign(headerOf(issuer, kid, request), claimsOf(issuer, request, this.nowSeconds));
  }

  /** KEY_UNKNOWN: the issuer does not publish the key. */
  async unknownKeyToken(request: TokenRequest = {}): Promise<string> {
    const issuer = await this.issuerOf(request.issuer);
    const key = new TestKey(this.algorithmOf(issuer));
    return key.sign(headerOf(issuer, key.kid, request), claimsOf(issuer, request, this.nowSeconds));
  }

  /** BINDING_UNPROVEN: it is bound to a key of its client (RFC 9449 §6), which a bearer does not prove to have. */
  dpopBoundToken(request: TokenRequest = {}): Promise<string> {
    return this.token(withClaims(request, { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }));
  }

  /**
   * One that the issuer has taken back; its signature and its time are good. Refused only by an application that asks: the
   * introspection endpoint, or a list of its own.
   */
  async revokedToken(request: TokenRequest = {}): Promise<string> {
    const token = await this.token(request);
    this.revoke(token);
    return token;
  }

  /** Takes a token back (RFC 7009): it is not active any more. */
  revoke(token: string): void {
    this.revoked.add(token);
  }

  /**
   * What the introspection endpoint says of a token (RFC 7662 §2.2): its claims with `active: true`, or no more than
   * `active: false` for one that was revoked, has expired, or was not signed with a key that is published now.
   */
  introspect(token: string): { readonly active: boolean } & Readonly<Record<string, unknown>> {
    const isSigned = [...this.keys.values()].some((key) => key.hasSigned(token));
    if (!isSigned || this.revoked.has(token)) return { active: false };
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp?: number };
    if (claims.exp === undefined || claims.exp <= this.nowSeconds) return { active: false };
    return { ...claims, active: true, token_type: 'Bearer' };
  }

  /**
   * The issuer signs with new keys, and publishes those alone. Tokens of before are good until the application has fetched the
   * new ones (the first new token makes it do so), and are KEY_UNKNOWN then.
   */
  rotateKeys(): void {
    const algorithms = [...this.keys.keys()];
    this.keys.clear();
    for (const algorithm of algorithms) this.keyFor(algorithm);
    this.changed();
  }

  /** Nobody answers: KEYS_UNAVAILABLE (503), unless the application has keys that still serve. */
  goDown(): void {
    this.endpoints.change({ isDown: true });
    this.changed();
  }

  /** Every answer takes so long. */
  slowDown(delayMs: number): void {
    this.endpoints.change({ delayMs });
    this.changed();
  }

  /** After `goDown` and `slowDown`. */
  recover(): void {
    this.endpoints.change({ isDown: false, delayMs: 0 });
    this.changed();
  }

  /** Whoever still waits for a slow answer gets none. What listens does so no more; in memory the issuer can be used on. */
  async close(): Promise<void> {
    this.endpoints.close();
    const { server } = this;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /**
   * Has a listener told of every `rotateKeys`, `goDown`, `slowDown` and `recover`. Called by `withTestIssuer`.
   * @returns what ends it.
   */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /**
   * Makes tokens for the options of an application from now on. Called by `withTestIssuer`.
   * @returns what ends it.
   */
  serve({ issuers, clock }: Pick<ResolvedOptions, 'issuers' | 'clock'>): () => void {
    const served = { issuers, clock };
    this.served.unshift(served);
    // Before the first fetch: a key that comes later is looked for only after a while.
    if (typeof issuers !== 'function') for (const issuer of issuers) this.keyFor(this.algorithmOf(issuer));
    return () => {
      const index = this.served.indexOf(served);
      if (index >= 0) this.served.splice(index, 1);
    };
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  private async issuerOf(asked: string | undefined): Promise<ServedIssuer> {
    const { audience } = this.given;
    const issuer = await this.servedIssuer(asked ?? this.given.issuer);
    return {
      ...issuer,
      ...(audience !== undefined && { audience: [audience] }),
      claimPaths: { ...issuer.claimPaths, ...this.claimPaths },
    };
  }

  private async servedIssuer(name: string | undefined): Promise<ServedIssuer> {
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

  private algorithmOf({ algorithms }: ServedIssuer): SignatureAlgorithm {
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

  private get nowSeconds(): number {
    const [{ clock } = { clock: Date.now }] = this.served;
    return Math.floor(clock() / 1000);
  }
}
