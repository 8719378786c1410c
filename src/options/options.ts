import type { AccessTokenClaims, VerifiedAccessToken } from '../model/access-token.js';
import type { SignatureAlgorithm } from '../keys/algorithms.js';
import type { PolicyReference } from '../model/policy.js';
import type { KeyStore } from '../keys/key-store.js';
import type { TokenPlace, TokenReader } from './token-places.js';

/**
 * Registers the type that the `user` option returns, once for the whole application. `AuthModule.forRoot` then checks that `user`
 * returns it, and `@CurrentUser()` that the parameter can take it:
 *
 * ```ts
 * declare module 'nestjs-resource-server' {
 *   interface Register { user: MyUser }
 * }
 * ```
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- there to be merged into
export interface Register {}

/** The registered type of the user, or `unknown`. */
export type RegisteredUser = Register extends { user: infer User } ? User : unknown;

/** A public key as a JSON Web Key (RFC 7517 §4). Private members (`d`, `k`, …) are a ConfigurationError. */
export interface JsonWebKey {
  readonly kty: string;
  readonly kid?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
  readonly alg?: string;
  readonly [member: string]: unknown;
}

/** Caching and fetching of keys from the network. */
export interface RemoteKeyOptions {
  /**
   * Seconds during which a fetched key set is fresh, from 1 to 86400. Default 600. A shorter `Cache-Control: max-age` applies,
   * but at least 60 seconds. The set is fetched again in the background when 80 to 95 % of the time have passed; a key that the
   * issuer withdraws is accepted until then.
   */
  readonly refreshSeconds?: number;
  /**
   * Seconds since the fetch during which a key set is used while the issuer is unreachable, from 0 (only while it is fresh) to
   * 2592000. Then the answer is 503 KEYS_UNAVAILABLE. Default 86400.
   */
  readonly maxStaleSeconds?: number;
  /**
   * Minimum seconds between two fetches for unknown key ids, from 1 to 3600. Default 30. A `kid` that was not found and
   * is requested again can cause five more fetches in this time, after pauses of 1, 2, 4, … seconds.
   */
  readonly unknownKidCooldownSeconds?: number;
  /** Deadline of one HTTP exchange in milliseconds, including the body, from 1 to 60000. Default 5000. */
  readonly timeoutMs?: number;
  /** Maximum size of a response body in bytes, from 1024 to 16777216. Default 524288; 100 keys need about 60 KiB. */
  readonly maxBytes?: number;
  /**
   * A JSON Web Key Set (RFC 7517 §5) that is used until the first successful fetch, if `keyStore` has no keys. Keep it current: a key
   * that the issuer withdraws stays accepted here. Default none.
   */
  readonly fallback?: { readonly keys: readonly JsonWebKey[] };
  /**
   * Request headers for metadata and keys, or a function that returns them, for an issuer that requires them: the token of a Kubernetes
   * API server, or `Forwarded` with the public host of an issuer that is reached at an internal address (Node does not send `Host`).
   * They are sent only to the origin of `uri` or `issuer`, and to `jwksOrigins`. Default none.
   */
  readonly headers?: RequestHeaders | (() => RequestHeaders | Promise<RequestHeaders>);
}

/** Names and values of HTTP request headers. */
export type RequestHeaders = Readonly<Record<string, string>>;

/**
 * The source of the keys of an issuer. `discovery` (default): the metadata of the issuer (OpenID Connect Discovery §4, RFC 8414
 * §3), or metadata at `uri`; its `issuer` must equal the configured one. `jwks`: the key set at `uri`, without metadata. `static`:
 * the options; nothing is fetched. Addresses must use https, or http on a loopback host; see `insecureAllowHttp`.
 *
 * A key set is a JSON Web Key Set (RFC 7517 §5), an object of keys or PEM certificates by key id, or a PEM file.
 */
export type KeysOptions =
  | ({
      /** The kind of source. Required if `keys` is set. */
      readonly from: 'discovery';
      /**
       * The address of the metadata (`discovery`; default: the well-known addresses of the issuer), or of the key set (`jwks`, where it
       * is required). `jwks` also takes a list of addresses, whose keys are used together: servers of one issuer with different keys. One
       * address with `{kid}` in its path is that of the key with the id of the token (AWS); `warmUp` and `keyStore` do not apply to it.
       */
      readonly uri?: string;
      /**
       * Allowed origins of the `jwks_uri` in the metadata, for example `['https://keys.example.com']`. Default: any origin, but
       * metadata from a public host must not point to an address or a name inside a network (SSRF) that is not listed here.
       */
      readonly jwksOrigins?: readonly string[];
    } & RemoteKeyOptions)
  | ({ readonly from: 'jwks'; readonly uri: string | readonly string[] } & RemoteKeyOptions)
  | {
      readonly from: 'static';
      /** The JSON Web Key Set (RFC 7517 §5) of `static`, with public keys only. Required unless `pem` is set. */
      readonly jwks: { readonly keys: readonly JsonWebKey[] };
      readonly pem?: never;
    }
  | {
      readonly from: 'static';
      /**
       * Public keys or X.509 certificates of `static` in PEM encoding (RFC 7468), instead of `jwks`. Tokens may have any `kid`. **Not**
       * checked: the validity and the issuer of a certificate.
       */
      readonly pem: string | readonly string[];
      readonly jwks?: never;
    };

/**
 * Where a claim has its values:
 *
 * - the name of a claim (`'roles'`, `'https://example.com/roles'`), a path with dots (`'realm_access.roles'`), or a path with
 *   names that contain dots (`['resource_access', 'my.client', 'roles']`, `'resource_access["my.client"].roles'`)
 * - `[]` for each item of a list: `'roles[].name'` for a list of objects, `'groups[]'` for a list of lists
 * - `{ keysOf: path }`: the member names of the object at the path
 * - `{ path, split: ',' }`: the parts of a text, without the white space around them
 * - a function of the claims that returns the values. What it throws is rethrown.
 */
export type ClaimPath =
  | string
  | readonly string[]
  | { readonly keysOf: string | readonly string[] }
  | { readonly path: string | readonly string[]; readonly split: string }
  | ((claims: AccessTokenClaims) => string | readonly string[] | undefined | null);

/** The claims that grant scopes, roles and permissions. The values of all paths of a list are combined. */
export interface ClaimPaths {
  /** Default `['scope', 'scp']`. Strings are split at spaces (RFC 6749 §3.3), also in a list. */
  readonly scopes?: readonly ClaimPath[];
  /** Default `['roles']`. A string is one role. */
  readonly roles?: readonly ClaimPath[];
  /** Default `['permissions']`. A string is one permission. */
  readonly permissions?: readonly ClaimPath[];
}

/** What the claims of a token grant (`claimPaths`), without implied scopes. */
export interface GrantedAuthorities {
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly claims: AccessTokenClaims;
}

/** Returns scopes that a token grants beside those of its claims. */
export type ScopeImplier = (granted: GrantedAuthorities) => readonly string[];

export type ScopeImplications = Readonly<Record<string, readonly string[]>> | ScopeImplier;

export const REPORTABLE_CHECKS = ['audience', 'senderConstraint', 'requiredClaims', 'tokenTypes'] as const;

/**
 * A check for `reportOnly`. `tokenTypes` applies to types that the default accepts, `audience` also to tokens without `aud`,
 * `senderConstraint` to tokens with `cnf` (RFC 7800).
 */
export type ReportableCheck = (typeof REPORTABLE_CHECKS)[number];

// A symbol, so that no option replaces the check of a preset. `Symbol.for`, so that two copies of the package share it.
export const PROVIDER_CHECK: unique symbol = Symbol.for('nestjs-resource-server.providerCheck');

/** The check of a preset, which is called before `validate`. Throws an AuthError to reject the token. */
export type ProviderCheck = (token: VerifiedAccessToken) => void;

export interface ProviderChecked {
  readonly [PROVIDER_CHECK]: ProviderCheck;
}

/**
 * The checks of a token. Beside `issuers` they are the defaults of each issuer; `validate` and `requiredClaims` apply in
 * addition to those of the issuer.
 */
export interface CheckOptions {
  /**
   * Accepted signature algorithms; others are rejected with ALGORITHM_NOT_ALLOWED. Default: RS, PS and ES 256 to 512, EdDSA
   * and Ed25519, each only with a key that fits. ES256K, Ed448, and ML-DSA-44, -65 and -87 (Node 24.6 or later) only if they are listed.
   * `none` and `HS…` are not possible (RFC 8725 §3.1, §3.2).
   */
  readonly algorithms?: readonly SignatureAlgorithm[];
  /**
   * Accepted values of the header `typ` (TYPE_NOT_ALLOWED), compared without case and without `application/`; `undefined` accepts
   * tokens without `typ`. Default `['at+jwt', 'JWT', undefined]`. RFC 9068 §4 requires `['at+jwt']`, which excludes all ID tokens.
   */
  readonly tokenTypes?: readonly (string | undefined)[];
  /**
   * `accept` also accepts ID tokens (OpenID Connect Core §2), for an issuer whose ID tokens are sent to APIs; a warning is logged
   * at start. An ID token is issued to a client, so that any client of the issuer named in `audience` can then call. Default
   * `'reject'`: tokens that are recognized as ID tokens are rejected with TYPE_NOT_ALLOWED.
   */
  readonly idTokens?: 'accept' | 'reject';
  /**
   * `accept` also accepts tokens whose parts end with `=`, which RFC 7515 §2 does not allow: AWS load balancers send them. Default
   * `'reject'` (TOKEN_MALFORMED).
   */
  readonly padding?: 'accept' | 'reject';
  /** Accepted clock difference in seconds for `exp`, `nbf`, `iat`, `auth_time` and the age, from 0 to 300. Default 5. */
  readonly clockToleranceSeconds?: number;
  /** Claims that must be present and not null, in addition to `iss`, `aud` and `exp` (CLAIM_MISSING). Default `[]`. */
  readonly requiredClaims?: readonly string[];
  /**
   * Maximum seconds since `iat`, from 1 to 31622400; older tokens are rejected with TOKEN_TOO_OLD, tokens without `iat` with
   * CLAIM_MISSING. Default: no limit except `exp`.
   */
  readonly maxTokenAgeSeconds?: number;
  /**
   * Your own check, called last and for every request. Only `true` accepts the token: any other value, also `undefined`,
   * rejects it with CLAIM_INVALID (401). Throw an `AuthError` to reject it with another code. Other errors are rethrown:
   * Nest answers 500, or the status of an `HttpException`, because the caller does not cause a failure of a database.
   */
  readonly validate?: (token: VerifiedAccessToken) => boolean | Promise<boolean>;
  /**
   * The claims that grant scopes, roles and permissions. A list replaces the default of its kind. Default
   * `{ scopes: ['scope', 'scp'], roles: ['roles'], permissions: ['permissions'] }`.
   */
  readonly claimPaths?: ClaimPaths;
  /**
   * Scopes that other scopes include, at any depth: `{ 'orders:write': ['orders:read'] }`. Or a function that returns more scopes for
   * what the token grants, for an issuer that cannot create scopes: `({ roles }) => (roles.includes('admin') ? ['orders:write'] : [])`.
   * They are in `token.scopes`, and not in the claims. What the function throws is rethrown. Default `{}`.
   */
  readonly scopeImplications?: ScopeImplications;
  /**
   * Checks that only report: tokens that fail them are accepted, counted and logged by client (`ReportedRefusals`). Use it to
   * introduce a stricter option without an outage. A warning is logged at start. Default `[]`.
   */
  readonly reportOnly?: readonly ReportableCheck[];
}

/** A trusted issuer. */
export interface IssuerOptions extends CheckOptions {
  /**
   * The exact `iss` of the tokens (RFC 7519 §4.1.1), with or without a trailing slash, as in the token. Otherwise ISSUER_UNTRUSTED.
   * `null`: tokens **without** `iss`, with `keys` from `jwks` or `static`. Then only the keys prove who issued a token, and a
   * warning is logged at start.
   */
  readonly issuer: string;
  /**
   * Other values of `iss` in tokens of this issuer, for example `['accounts.google.com']`. The metadata must have the name `issuer`.
   * Default `[]`.
   */
  readonly issuerAliases?: readonly string[];
  /**
   * The identifiers of this API. A token must have one of them in `aud` (RFC 7519 §4.1.3). Otherwise AUDIENCE_MISMATCH. `null`: the
   * audience is **not** checked, for issuers that set none, and a warning is logged at start. Then this API accepts tokens that
   * the issuer meant for another one; use `validate` to tell them apart.
   */
  readonly audience: string | readonly string[] | null;
  /**
   * Also rejects tokens that name another audience beside that of this API (AUDIENCE_MISMATCH): another API could send them here.
   * Default false: one of the audiences must match.
   */
  readonly exclusiveAudience?: boolean;
  /**
   * The claim that is compared with `audience`. Default `'aud'`. For access tokens without `aud` that name only the client:
   * `'client_id'` (Amazon Cognito), `'azp'`. `aud` is **not** checked then.
   */
  readonly audienceClaim?: string;
  /** The source of the keys. Default `{ from: 'discovery' }`. */
  readonly keys?: KeysOptions;
}

/** An issuer whose tokens have no `iss`. See {@link IssuerOptions.issuer}. */
export interface UnnamedIssuerOptions extends Omit<IssuerOptions, 'issuer' | 'issuerAliases' | 'keys'> {
  readonly issuer: null;
  readonly issuerAliases?: never;
  readonly keys: Exclude<KeysOptions, { readonly from: 'discovery' }>;
}

/**
 * Returns the options of an issuer, or nothing if the issuer is not trusted (ISSUER_UNTRUSTED). It is called for each token
 * before any verification, so a removed tenant is rejected immediately. Answer from memory: there is no deadline. Never fetch the
 * address `issuer`. Each returned object is read once: return a new one to change options. Keys are cached per issuer and `keys`.
 * Invalid options are a ConfigurationError and answered with 500.
 */
export type IssuerResolver = (
  issuer: string,
) => IssuerOptions | undefined | null | false | Promise<IssuerOptions | undefined | null | false>;

type OneIssuer = (IssuerOptions | UnnamedIssuerOptions) & { readonly issuers?: never };

/** The identifier of the resource is the default for the audience. */
type WithOptionalAudience<Options> = Options extends unknown
  ? Omit<Options, 'audience'> & { readonly audience?: IssuerOptions['audience'] }
  : never;

type OneIssuerOfResource = WithOptionalAudience<IssuerOptions | UnnamedIssuerOptions> & { readonly issuers?: never };

type SeveralIssuersOfResource = Omit<SeveralIssuers, 'issuers'> & {
  readonly issuers: readonly WithOptionalAudience<IssuerOptions | UnnamedIssuerOptions>[] | IssuerResolver;
};

type SeveralIssuers = CheckOptions & {
  /** A list of issuers, or a function that returns the options of an issuer. */
  readonly issuers: readonly (IssuerOptions | UnnamedIssuerOptions)[] | IssuerResolver;
  readonly issuer?: never;
  readonly audience?: never;
  readonly exclusiveAudience?: never;
  readonly audienceClaim?: never;
  // Not `never`: beside a spread preset, TypeScript would select this member of the union and not know `from`.
  readonly keys?: KeysOptions & { readonly 'is set in each of the issuers': never };
};

/** Requirements with the meaning of the decorators: `anyScope` is `@RequireAnyScope`. */
export interface RequireOptions<Context = unknown> {
  /** The token must grant all of these scopes (SCOPE_INSUFFICIENT). */
  readonly scopes?: readonly string[];
  /** The token must grant one of these scopes (SCOPE_INSUFFICIENT). */
  readonly anyScope?: readonly string[];
  /** The caller must have all of these roles (ROLE_INSUFFICIENT). */
  readonly roles?: readonly string[];
  /** The caller must have one of these roles (ROLE_INSUFFICIENT). */
  readonly anyRole?: readonly string[];
  /** The caller must have all of these permissions (PERMISSION_INSUFFICIENT). */
  readonly permissions?: readonly string[];
  /** The caller must have one of these permissions (PERMISSION_INSUFFICIENT). */
  readonly anyPermission?: readonly string[];
  /** `acr` must be one of `values`, and `auth_time` at most `maxAgeSeconds` ago (AUTHENTICATION_INSUFFICIENT). */
  readonly acr?: { readonly values?: readonly string[]; readonly maxAgeSeconds?: number };
  /** The policy must grant access (POLICY_DENIED). */
  readonly policy?: PolicyReference<Context>;
  /** Accepts calls that do not meet the requirements, and counts and logs them by client. Default false. */
  readonly reportOnly?: boolean;
}

/** Connections that outlive the request that opened them: sockets, subscriptions and event streams. */
export interface ConnectionOptions {
  /**
   * Seconds during which a socket stays open after its token has expired, from 0 (default) to 86400, so that the client can send
   * a new token (`authenticate`). Messages are rejected in this time. Connections that cannot renew their token (subscriptions of
   * `graphql-ws`, event streams, gRPC streams) are always closed when it expires.
   */
  readonly renewalGraceSeconds?: number;
}

/** The metadata of a protected resource (RFC 9728 §2). What follows from other options and decorators is not set here. */
export interface ResourceOptions {
  /**
   * The resource identifier (RFC 9728 §1.2): the address by which clients know the API, behind a proxy its public one. https without
   * query and fragment. Default: `publicUrl`, followed by the path of the resource.
   */
  readonly identifier?: string;
  /** The name of the API for people (`resource_name`). */
  readonly name?: string;
  /** The address of a page for developers (`resource_documentation`). */
  readonly documentation?: string;
  /** The address of a page about the use of data (`resource_policy_uri`). */
  readonly policyUri?: string;
  /** The address of the terms of service (`resource_tos_uri`). */
  readonly tosUri?: string;
  /** Scopes to publish beside those that the decorators of its routes require. Default `[]`. */
  readonly scopes?: readonly string[];
  /** The authorization servers for clients. Default: the listed issuers. Set it if `issuers` is a function. */
  readonly authorizationServers?: readonly string[];
  /**
   * Returns a JWT with the metadata as claims, and `iss` (RFC 9728 §2.2), signed by a key that clients trust. It is called at most once a
   * minute. Default: the metadata have no signature.
   */
  readonly signedMetadata?: (metadata: Readonly<Record<string, unknown>>) => string | Promise<string>;
}

/** A resource at a path. The tokens for its routes need its audience instead of that of the issuer. */
export interface PathResourceOptions extends ResourceOptions {
  /** What `aud` of a token must contain. Default: the identifier. Some issuers write a client ID or an own name. */
  readonly audience?: string | readonly string[];
  /** As in the options of the issuer, which are the default. */
  readonly exclusiveAudience?: boolean;
}

/** Options of the whole module. */
export interface ModuleOptions<User = RegisteredUser, Context = unknown> {
  /**
   * Places of the token. A call with several tokens is rejected (400 TOKEN_MULTIPLE). Default `[fromBearerHeader()]`. A
   * function receives the `ExecutionContext` and returns the token or nothing: for TCP messages, NATS and Kafka.
   */
  readonly tokenFrom?: readonly (TokenPlace | TokenReader<Context>)[];
  /** Requirements of every route except `@Public()` ones, in addition to its decorators; not for guests. Default none. */
  readonly require?: RequireOptions<Context>;
  /** Connections that outlive the request that opened them. Default `{ renewalGraceSeconds: 0 }`. */
  readonly connections?: ConnectionOptions;
  /**
   * Maps a verified token to your own user, for `@CurrentUser()` and `request.user`. Default: the claims. Return nothing (a
   * falsy value) to reject the token (401 USER_REFUSED), or throw an `AuthError`. Other errors are rethrown.
   */
  readonly user?: (
    token: VerifiedAccessToken,
  ) => User | undefined | null | false | Promise<User | undefined | null | false>;
  /**
   * Adds a `hint` to the body of a refusal: the expected value, the value of the token and the fix. A warning is logged at start,
   * and `NODE_ENV=production` switches it off. Default false.
   */
  readonly explainRefusals?: boolean;
  /** Metrics and span attributes for OpenTelemetry. Requires `@opentelemetry/api` and a configured SDK. Default false. */
  readonly openTelemetry?: boolean;
  /**
   * The public address of the application, for example `'https://api.example.com'`: the default for the identifiers of resources. It
   * is never guessed from `Host`.
   */
  readonly publicUrl?: string;
  /**
   * Publishes metadata of the API at `/.well-known/oauth-protected-resource` (RFC 9728), and names them in challenges. `audience` is
   * then by default the identifier. Default: no metadata.
   */
  readonly resource?: ResourceOptions;
  /**
   * Resources of their own, by the path of their routes with the global prefix: `{ '/mcp': {} }`. A token for one is rejected by the
   * others. `@Resource('/mcp')` adds handlers with other paths. Default `{}`.
   */
  readonly resources?: Readonly<Record<string, PathResourceOptions>>;
  /** The `realm` of challenges (RFC 9110 §11.5): printable ASCII without quotation marks and backslashes. Default none. */
  readonly realm?: string;
  /** Replaces the global `fetch` for metadata and keys, for example for a proxy or a private CA. */
  readonly fetch?: typeof globalThis.fetch;
  /**
   * When the keys of listed issuers are fetched. `off` (default): with the first token. `background`: at start, without waiting.
   * `required`: at start, which fails with a ConfigurationError if an issuer has no keys, not even from `keyStore` or `fallback`.
   */
  readonly warmUp?: 'required' | 'background' | 'off';
  /** Persists key sets, for a start while an issuer is unreachable: `new FileKeyStore(folder)`, or your own. Default none. */
  readonly keyStore?: KeyStore;
  /**
   * Remembers verified tokens that are sent again, while the key set that verified them is current. `false` disables it.
   * `maxEntries`: from 1 to 10000000, default 10000; with large tokens fewer, because an entry may need 6 KiB on average (60 MiB
   * by default). `maxAgeSeconds`: from 1 to 86400, default 300. For each request, the times of the token are checked, and
   * `validate` and `user` are called; other checks are omitted only if the same token was accepted in the last 10 seconds, for which
   * up to 32 MiB more are used.
   */
  readonly tokenCache?: { readonly maxEntries?: number; readonly maxAgeSeconds?: number } | false;
  /** Returns the time in milliseconds since 1970, for tests. Default `Date.now`. */
  readonly clock?: () => number;
  /** Allows `http:` for hosts other than loopback. Attackers on the network path can then forge tokens. Default false. */
  readonly insecureAllowHttp?: boolean;
}

/** Options that are set beside `useFactory`, because Nest needs them before it runs. */
export interface ModuleExtras<GuardClass = never, StrategyClass = never> {
  /**
   * `global` (default) guards every route, `manual` only those with `@UseGuards(AuthGuard)`. A class that extends `AuthGuard`
   * replaces it everywhere: for routes, sockets and `AuthMiddleware`.
   */
  readonly guard?: 'global' | 'manual' | GuardClass;
  /** A class that extends `JwtStrategy`, for example to override `validate`. Default: `JwtStrategy`. */
  readonly strategy?: StrategyClass;
  /** Whether all modules can inject the exports without importing the module. Default true. */
  readonly isGlobal?: boolean;
}

/**
 * The options of `AuthModule`. `issuer` and `audience`, or `issuers`, are required. They are validated at start: all problems
 * are in one `ConfigurationError`, and an unknown option is a problem.
 */
export type ResourceServerOptions<User = RegisteredUser, Context = unknown> = ModuleOptions<User, Context> &
  (
    | OneIssuer
    | SeveralIssuers
    | ((OneIssuerOfResource | SeveralIssuersOfResource) & { readonly resource: ResourceOptions })
  );
