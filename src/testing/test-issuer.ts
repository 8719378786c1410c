import type { SignatureAlgorithm } from '../keys/algorithms.js';
import type { ClaimPaths, IssuerOptions } from '../options/options.js';
import type { ResolvedClaimPaths, ResolvedIssuer } from '../options/resolve-issuer.js';
import { type ResolvedOptions, resolveOptions } from '../options/resolve-options.js';
import type { KeySourceRegistry } from '../remote/key-source-registry.js';
import { TestEndpoints } from './test-endpoints.js';
import { signingInputOf, TestKey } from './test-key.js';
import { checkProperties, createClaims, DEFAULTS, type TokenRequest } from './test-token.js';

const DAY_SECONDS = 86_400;

/** Options that are set here replace those of the application. */
export interface TestIssuerOptions {
  /** The `iss` of the tokens. Default: that of the application (the first of several), or `https://issuer.test` without one. */
  readonly issuer?: string;
  /** The audience of the tokens. Default: that of the application, or `https://api.test` without one. */
  readonly audience?: string;
  /** Default: one that the application accepts; `ES256` if possible, because its keys are generated fast. */
  readonly algorithm?: SignatureAlgorithm;
  /** Where the tokens contain scopes, roles and permissions. Default, for each of them: where the application reads it. */
  readonly claimPaths?: ClaimPaths;
}

/**
 * An authorization server for tests, with real keys and signatures. `withTestIssuer` connects an application to it. The issuer
 * follows the options of the application from `compile()` on. A token that was issued earlier has the default `iss` and `aud` of
 * the test issuer, and is rejected (ISSUER_UNTRUSTED).
 */
export class TestIssuer extends TestEndpoints {
  private readonly claimPaths: Partial<ResolvedClaimPaths>;

  private constructor(private readonly issuerOptions: TestIssuerOptions) {
    const { issuer = DEFAULTS.issuer, algorithm, claimPaths = {} } = issuerOptions;
    super(issuer, algorithm);
    const options = { ...this.options, algorithms: algorithm && [algorithm] };
    const [own] = resolveOptions(options).issuers as readonly [ResolvedIssuer];
    const kinds = (['scopes', 'roles', 'permissions'] as const).filter((kind) => claimPaths[kind] !== undefined);
    this.claimPaths = Object.fromEntries(kinds.map((kind) => [kind, own.claimPaths[kind]]));
    this.keyFor(own.algorithms);
  }

  /** Creates an issuer in memory. @throws ConfigurationError for an unknown option or an invalid value. */
  // eslint-disable-next-line @typescript-eslint/require-await -- errors reject, as those of `listen`
  static async create(options: TestIssuerOptions = {}): Promise<TestIssuer> {
    checkProperties('TestIssuer.create()', options, ['issuer', 'audience', 'algorithm', 'claimPaths']);
    return new TestIssuer(options);
  }

  /**
   * Creates an issuer that serves HTTP on the loopback interface until `close()`, for an application in another process. The `iss` of
   * its tokens is its address.
   * @param options `port`: default any free port. With a fixed one, `iss` is the same after a restart; the keys are new.
   * @throws ConfigurationError as `create`, or the error of the server, for example if the port is in use.
   */
  static async listen(
    options: Omit<TestIssuerOptions, 'issuer'> & { readonly port?: number } = {},
  ): Promise<TestIssuer> {
    checkProperties('TestIssuer.listen()', options, ['audience', 'algorithm', 'claimPaths', 'port']);
    const { port = 0, ...issuerOptions } = options;
    const issuer = new TestIssuer(issuerOptions);
    await issuer.startServer(port);
    return issuer;
  }

  /** The options of an application that trusts this issuer: `AuthModule.forRoot(issuer.options)`. */
  get options(): IssuerOptions & { readonly fetch: typeof globalThis.fetch } {
    const { audience = DEFAULTS.audience, claimPaths } = this.issuerOptions;
    return { issuer: this.url, audience, claimPaths, fetch: this.fetch };
  }

  /**
   * Issues a token that the application accepts.
   * @throws Error for an unknown property of the request, for an issuer that no connected application trusts, and for scopes, roles
   * or permissions if the application reads no claim for them.
   */
  token(request: TokenRequest = {}): Promise<string> {
    return this.sign(request);
  }

  /** Issues a token in a request header: `request(server).get('/').set(await issuer.as({ sub: 'alice' }))`, `inject({ headers })`. */
  async as(request: TokenRequest = {}): Promise<{ authorization: string }> {
    return { authorization: `Bearer ${await this.token(request)}` };
  }

  /** Issues a token that expired a day ago (TOKEN_EXPIRED). */
  expiredToken(request: TokenRequest = {}): Promise<string> {
    const now = this.nowSeconds;
    return this.token(withClaims(request, { iat: now - 2 * DAY_SECONDS, exp: now - DAY_SECONDS }));
  }

  /** Issues a token that is valid from tomorrow (TOKEN_NOT_YET_VALID). */
  notYetValidToken(request: TokenRequest = {}): Promise<string> {
    const now = this.nowSeconds;
    return this.token(withClaims(request, { nbf: now + DAY_SECONDS, exp: now + 2 * DAY_SECONDS }));
  }

  /** Issues a token for another API (AUDIENCE_MISMATCH). */
  async otherAudienceToken(request: TokenRequest = {}): Promise<string> {
    const { audienceClaim } = await this.findIssuer(request);
    return this.token(withClaims(request, { [audienceClaim]: 'https://other-api.test' }));
  }

  /** Issues a token with the `iss` of another authorization server (ISSUER_UNTRUSTED). */
  otherIssuerToken(request: TokenRequest = {}): Promise<string> {
    return this.token(withClaims(request, { iss: 'https://other-issuer.test' }));
  }

  /** Issues a token that names a published key, but is signed with another (SIGNATURE_INVALID). */
  forgedToken(request: TokenRequest = {}): Promise<string> {
    return this.sign(request, ({ algorithm, kid }) => new TestKey(algorithm, kid));
  }

  /** Issues a token that is signed with a key that is not published (KEY_UNKNOWN). */
  unknownKeyToken(request: TokenRequest = {}): Promise<string> {
    return this.sign(request, ({ algorithm }) => new TestKey(algorithm));
  }

  /** Issues a token that is bound to a key of its client (RFC 9449 §6), and sent without a proof (BINDING_UNPROVEN). */
  dpopBoundToken(request: TokenRequest = {}): Promise<string> {
    return this.token(withClaims(request, { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }));
  }

  /** Issues a token and revokes it. Only an application that asks the introspection endpoint rejects it. */
  async revokedToken(request: TokenRequest = {}): Promise<string> {
    const token = await this.token(request);
    this.revoke(token);
    return token;
  }

  /** Issues tokens for an application from now on. @internal */
  connect(sources: KeySourceRegistry, options: ResolvedOptions): void {
    this.applications.set(sources, options);
    // The first key set must contain these keys, because the application fetches an unknown key only after a cooldown.
    if (typeof options.issuers !== 'function') for (const { algorithms } of options.issuers) this.keyFor(algorithms);
  }

  private async sign(request: TokenRequest, signer?: (published: TestKey) => TestKey): Promise<string> {
    const issuer = await this.findIssuer(request);
    const { algorithms, tokenTypes } = issuer;
    const published = this.keyFor(algorithms);
    const typ = tokenTypes.has('at+jwt') ? 'at+jwt' : [...tokenTypes][0];
    const claims = createClaims(issuer, request, this.nowSeconds);
    const token = (signer?.(published) ?? published).sign({ typ, ...request.header }, claims);
    if (signer === undefined) this.activeTokens.set(signingInputOf(token), claims);
    return token;
  }

  /** Returns the options for which a token is issued: those of the application, with the overrides of this issuer. */
  private async findIssuer(request: TokenRequest): Promise<ResolvedIssuer> {
    // An application may import several modules, and a test may connect several applications. The newest is first.
    const trusted = [resolveOptions(this.options), ...this.applications.values()]
      .map(({ issuers }) => issuers)
      .reverse();
    const first = typeof trusted[0] === 'function' ? undefined : trusted[0]?.[0]?.issuer;
    const { issuer: ownName, audience } = this.issuerOptions;
    const name = request.issuer ?? ownName ?? first;
    if (name === undefined)
      throw new Error('The `issuers` option of the application is a function. Set `issuer` in the token request.');
    for (const issuers of trusted) {
      const found = typeof issuers === 'function' ? await issuers(name) : issuers.find(({ issuer }) => issuer === name);
      if (found === undefined) continue;
      const claimPaths = { ...found.claimPaths, ...this.claimPaths };
      return { ...found, audience: audience === undefined ? found.audience : [audience], claimPaths };
    }
    throw new Error(`The application does not trust the issuer ${JSON.stringify(name)}`);
  }
}

function withClaims(request: TokenRequest, claims: TokenRequest['claims']): TokenRequest {
  return { ...request, claims: { ...claims, ...request.claims } };
}
