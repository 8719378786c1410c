import type { VerifiedAccessToken } from '../model/access-token.js';
import type { SignatureAlgorithm } from '../keys/algorithms.js';
import type { PolicyReference } from '../model/policy.js';
import type { KeyStore } from '../keys/key-store.js';
import type { RegisteredUser } from '../model/registered-user.js';
import type { TokenPlace, TokenReader } from './token-places.js';

/** A public key as JSON (RFC 7517 §4). */
export interface JsonWebKey {
  readonly kty: string;
  readonly kid?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
  readonly alg?: string;
  readonly [member: string]: unknown;
}

/** How keys that come over the network are kept. */
export interface RemoteKeyOptions {
  /**
   * How long a key set is fresh, in seconds. Default 600. It is fetched again when 80 to 95 % of that are over, beside
   * the requests that it serves; `Cache-Control: max-age` of the issuer makes it less, but not less than a minute. This
   * is how long a key that was withdrawn is accepted on a good day.
   */
  readonly refreshSeconds?: number;
  /**
   * How long, in seconds since it was fetched, a key set serves while the issuer cannot be reached. After that requests
   * are answered with 503. Default 86400, a day; 0: only while it is fresh.
   */
  readonly maxStaleSeconds?: number;
  /**
   * Shortest time in seconds between two fetches that unknown key ids cause. Default 30. A kid that comes back after it
   * was missed may cause five more in that time, after pauses of 1, 2, 4, … seconds.
   */
  readonly unknownKidCooldownSeconds?: number;
  /** Total deadline of one HTTP exchange in milliseconds, the body included. Default 5000. */
  readonly timeoutMs?: number;
  /** Largest body that is read, in bytes. Default 524288 (512 KiB); a key set of 100 keys has about 60 KiB. */
  readonly maxBytes?: number;
  /**
   * Keys that serve when the issuer could not be asked even once and no `keyStore` has any: for a start during an outage.
   * They count no more once the issuer has answered. Keep them current: a key that is withdrawn there is not withdrawn
   * here.
   */
  readonly fallback?: { readonly keys: readonly JsonWebKey[] };
}

/**
 * Where the keys of an issuer come from.
 *
 * - `discovery` (the default): from the issuer's metadata, at OpenID Connect Discovery §4's and RFC 8414 §3's
 *   locations, or at `uri` where the metadata lives elsewhere. Its `issuer` must equal ours.
 * - `jwks`: from a known key set address; no metadata is read.
 * - `static`: from the options; nothing is fetched.
 */
export type KeysOptions =
  | ({
      readonly from: 'discovery';
      readonly uri?: string;
      /**
       * Origins (`https://keys.example.com`) that the `jwks_uri` of the metadata may have. Default: any, but
       * no internal address where the metadata came from outside.
       */
      readonly jwksOrigins?: readonly string[];
    } & RemoteKeyOptions)
  | ({ readonly from: 'jwks'; readonly uri: string } & RemoteKeyOptions)
  | { readonly from: 'static'; readonly jwks: { readonly keys: readonly JsonWebKey[] } };

/**
 * The name of a claim (`'roles'`, `'https://example.com/roles'`), a path with dots (`'realm_access.roles'`), or its names
 * one by one where a name has dots (`['resource_access', 'my.client', 'roles']`, or `'resource_access["my.client"].roles'`).
 * `{ keysOf: path }`: the value there is an object, and the names of its members are what is granted.
 */
export type ClaimPath = string | readonly string[] | { readonly keysOf: string | readonly string[] };

/** Where a token says what its bearer may do; each a list of paths whose values are put together. */
export interface ClaimPaths {
  /** Default `['scope', 'scp']`. A string is split at spaces (RFC 6749 §3.3), in a list too. */
  readonly scopes?: readonly ClaimPath[];
  /** Default `['roles']`. A string is one role. */
  readonly roles?: readonly ClaimPath[];
  /** Default `['permissions']`. A string is one permission. */
  readonly permissions?: readonly ClaimPath[];
}

/**
 * Checks of a token that may be set to `reportOnly`. `tokenTypes`: only what is stricter than the default; what that
 * refuses is refused all the same. `audience`: also a token without `aud`. `binding`: a token bound to a key (`cnf`).
 */
export type ReportableCheck = 'audience' | 'senderConstraint' | 'requiredClaims' | 'tokenTypes';

/**
 * The check of a preset (`nestjs-resource-server/presets`). It is a symbol, so that no option of the application replaces
 * it, and `Symbol.for`, so that two copies of the package share it. It is always called before `validate`.
 */
export const PROVIDER_CHECK: unique symbol = Symbol.for('nestjs-resource-server.providerCheck');

/** @throws AuthError to reject the token. */
export type ProviderCheck = (token: VerifiedAccessToken) => void;

/** Options that a preset returns. */
export interface ProviderChecked {
  readonly [PROVIDER_CHECK]: ProviderCheck;
}

/**
 * What a token must be like. In `AuthOptions` beside `issuers` these are defaults for each of them; but `validate` and
 * `requiredClaims` hold there beside those of an issuer, not in their place.
 */
export interface CheckOptions {
  /**
   * Signature algorithms that are accepted. Default: every asymmetric one (RS, PS and ES 256–512, EdDSA, Ed25519),
   * each bound to keys that fit it. `none` and `HS…` cannot be named (RFC 8725 §3.1, §3.2).
   */
  readonly algorithms?: readonly SignatureAlgorithm[];
  /**
   * Values of the header's `typ` that are accepted, compared without case and with or without `application/`;
   * `undefined` stands for no `typ`. Default `['at+jwt', 'JWT', undefined]`; `['at+jwt']` is what RFC 9068 §4 asks.
   */
  readonly tokenTypes?: readonly (string | undefined)[];
  /** How far the issuer's clock may be off, in seconds; for `exp`, `nbf`, `iat` and the age. Default 5, at most 300. */
  readonly clockToleranceSeconds?: number;
  /** Claims that must be there (and not null), beside `iss`, `aud` and `exp`, which always must. Default none. */
  readonly requiredClaims?: readonly string[];
  /** Longest time in seconds since `iat`, which is required then. Default: no limit but `exp`. */
  readonly maxTokenAgeSeconds?: number;
  /**
   * Your own check. It is called last, for every request. The token is accepted only if it returns `true`; any other
   * value, also `undefined`, rejects the token with CLAIM_INVALID (401). Throw an `AuthError` to reject it with another
   * code. Other errors are rethrown unchanged: Nest answers with 500, or with the status of an `HttpException`, because an
   * unavailable database is not the fault of the caller. Default: no check.
   */
  readonly validate?: (token: VerifiedAccessToken) => boolean | Promise<boolean>;
  /** Where scopes, roles and permissions stand. */
  readonly claimPaths?: ClaimPaths;
  /**
   * Checks that are made, but refuse nobody: what they would have refused passes, is counted and logged by client
   * (`ReportedRefusals`). For turning strictness on without an outage; logged at start. Default none.
   */
  readonly reportOnly?: readonly ReportableCheck[];
}

/** One issuer that is trusted: which tokens of it are for us, and where its keys are. */
export interface IssuerOptions extends CheckOptions {
  /** The value of `iss`, exactly, with or without its trailing slash as the issuer writes it. */
  readonly issuer: string;
  /** Who we are: a token must name (one of) it in `aud`. */
  readonly audience: string | readonly string[];
  /**
   * The claim that `audience` is compared with; default `aud` (RFC 7519 §4.1.3). For issuers whose access tokens have none,
   * and name only the client that they were issued to: `client_id` (Amazon Cognito), `azp`. `aud` is not looked at then.
   */
  readonly audienceClaim?: string;
  /** Default `{ from: 'discovery' }`. */
  readonly keys?: KeysOptions;
}

/**
 * For tenants that come and go: given the `iss` of a token that nobody has verified yet, returns the options of that
 * issuer, or nothing when it is not trusted. It is asked for every token, so a tenant that goes is gone at once; it
 * should be quick (there is no deadline for it), and must not take `iss` for an address to fetch. An options object that it returns is read
 * once: return a new one to change something. Keys are kept per issuer and `keys`, whatever objects are returned.
 */
export type IssuerResolver = (
  issuer: string,
) => IssuerOptions | undefined | null | false | Promise<IssuerOptions | undefined | null | false>;

type OneIssuer = IssuerOptions & { readonly issuers?: never };

type SeveralIssuers = CheckOptions & {
  /** A list of issuers, or a function for tenants that come and go. */
  readonly issuers: readonly IssuerOptions[] | IssuerResolver;
  readonly issuer?: never;
  readonly audience?: never;
  readonly audienceClaim?: never;
  // Not `never`: beside a spread preset TypeScript takes this half of the union for what is meant, and would know no `from`.
  readonly keys?: KeysOptions & { readonly 'stands in each of the issuers': never };
};

/** What every token must allow; the names are those of the decorators (`anyScope`: `@RequireAnyScope`). */
export interface RequireOptions<Context = unknown> {
  readonly scopes?: readonly string[];
  readonly anyScope?: readonly string[];
  readonly roles?: readonly string[];
  readonly anyRole?: readonly string[];
  readonly permissions?: readonly string[];
  readonly anyPermission?: readonly string[];
  readonly acr?: { readonly values?: readonly string[]; readonly maxAgeSeconds?: number };
  readonly policy?: PolicyReference<Context>;
  /** A call that does not meet them passes, and is counted and logged by client. Default false. */
  readonly reportOnly?: boolean;
}

/** What happens to sockets, subscriptions and event streams. */
export interface ConnectionOptions {
  /**
   * How long, in seconds, a socket stays open after its token expired, for a new token to come (`authenticate`). Messages
   * are refused in that time. Default 0: it is closed when the token expires, as are at any rate connections that cannot
   * renew their token: subscriptions of `graphql-ws`, event streams, streams of gRPC.
   */
  readonly renewalGraceSeconds?: number;
}

/** Settings of the module as a whole. */
export interface ModuleOptions<User = RegisteredUser, Context = unknown> {
  /**
   * Where the token of a call is read; a token in two places is refused (400 TOKEN_MULTIPLE). Default
   * `[fromBearerHeader()]`. A function is given the `ExecutionContext`, and returns the token (or `Bearer …`), or nothing: for
   * the payload of a TCP message, the headers of NATS or Kafka.
   */
  readonly tokenFrom?: readonly (TokenPlace | TokenReader<Context>)[];
  /**
   * What every token must allow, on each route that is not `@Public()`, beside what its decorators require. A guest on an
   * `@OptionalAuth()` route has no token, and passes. Default nothing.
   */
  readonly require?: RequireOptions<Context>;
  /** Sockets, subscriptions and event streams, which outlive the request that opened them. */
  readonly connections?: ConnectionOptions;
  /**
   * Maps a verified token to your own user, which `@CurrentUser()` and `request.user` then are; by default the claims.
   * May be async. To refuse, return nothing (`undefined`, `null`, `false`: USER_REFUSED, 401) or throw an
   * `AuthError`; other errors are thrown on, as with `validate`.
   */
  readonly user?: (
    token: VerifiedAccessToken,
  ) => User | undefined | null | false | Promise<User | undefined | null | false>;
  /**
   * Has the body of a refusal say how to mend it (`hint`), with what the options expect and what the token has. For
   * development: a warning at start, and not used with `NODE_ENV=production`. Default false.
   */
  readonly explainRefusals?: boolean;
  /**
   * Hands counts, times, the age of keys and attributes of the active span to OpenTelemetry: needs `@opentelemetry/api`, and an
   * SDK that the application has set up. Default false.
   */
  readonly openTelemetry?: boolean;
  /** The protection space that challenges name (RFC 9110 §11.5). Default none. */
  readonly realm?: string;
  /** Fetches metadata and keys, in place of the global `fetch`: for a proxy or a private CA. */
  readonly fetch?: typeof globalThis.fetch;
  /**
   * Whether the keys of listed issuers are fetched when the application starts. `off` (the default): no, the first token
   * waits for them. `background`: yes, and nobody waits; that an issuer cannot be reached is in the log at once.
   * `required`: the application does not start without keys of each (a `ConfigurationError` says why); those of
   * `keyStore` and `fallback` will do.
   */
  readonly warmUp?: 'required' | 'background' | 'off';
  /**
   * Keeps the last good key set of each issuer outside of the process: then an application that starts while the issuer
   * cannot be reached serves all the same. `new FileKeyStore(folder)`, or a store of your own. Default none.
   */
  readonly keyStore?: KeyStore;
  /**
   * Remembers tokens whose signature was verified, so that it need not be verified for each request. Default
   * `{ maxEntries: 10000, maxAgeSeconds: 300 }`; `false` switches it off. All other checks are made each time, `validate`
   * and `user` are called each time, and a signature counts only as long as the key set that verified it is in service.
   * A token is remembered when it comes for the second time; then it takes about 1.3 bytes a character (measured: 1.1 KiB
   * for one of 850), and 10,000 of them 11 MiB.
   */
  readonly tokenCache?: { readonly maxEntries?: number; readonly maxAgeSeconds?: number } | false;
  /** Milliseconds since 1970, in place of `Date.now`: for tests. */
  readonly clock?: () => number;
  /** Allows `http:` for addresses that are not loopback. Whoever is on the path can then forge every token. */
  readonly insecureAllowHttp?: boolean;
}

/** What is decided where the module is imported: beside `useFactory`, not in what a factory returns. */
export interface ModuleExtras<GuardClass = never> {
  /**
   * `global` (the default): every route of the application is closed. `manual`: only what `@UseGuards(AuthGuard)`
   * stands on. A class that extends `AuthGuard`: as `global`, with that one in its place everywhere, also for the opening of
   * sockets and for `AuthMiddleware`.
   */
  readonly guard?: 'global' | 'manual' | GuardClass;
  /** Whether what the module exports can be injected everywhere. Default true. */
  readonly isGlobal?: boolean;
}

/**
 * The options of `AuthModule`, for any framework. `issuer` and `audience`, or `issuers`; everything else has a default. Checked at start,
 * all problems in one `ConfigurationError`; an unknown option is a problem.
 */
export type ResourceServerOptions<User = RegisteredUser, Context = unknown> = (OneIssuer | SeveralIssuers) &
  ModuleOptions<User, Context>;
