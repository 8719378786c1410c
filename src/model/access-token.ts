/** The JOSE header of an access token (RFC 7515 §4). Members other than these are handed on as they came. */
export interface JoseHeader {
  readonly alg: string;
  readonly typ?: string;
  readonly kid?: string;
  readonly [member: string]: unknown;
}

/**
 * The claims of an access token after verification (RFC 7519 §4.1, RFC 9068 §2.2). The types that stand here were
 * checked; any other claim is as the issuer signed it. The object and all that is in it are frozen, and no member
 * is named `__proto__`, `constructor` or `prototype`.
 */
export interface AccessTokenClaims {
  /** Issuer: exactly one of the configured ones. */
  readonly iss: string;
  /** Audience: one of the configured ones is among them. There may be none where `audienceClaim` names another claim. */
  readonly aud: string | readonly string[];
  /** Expiration time in seconds since 1970 (NumericDate). */
  readonly exp: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly sub?: string;
  readonly jti?: string;
  readonly client_id?: string;
  readonly azp?: string;
  readonly scope?: string | readonly string[];
  readonly [claim: string]: unknown;
}

/**
 * An access token that passed every check. `token` is kept out of `JSON.stringify` and of `console.log`, so that
 * logging the whole does not log a credential. Do not spread it (`{ ...token }`): `token`, `scopes`, `roles` and
 * `permissions` are getters, which a spread leaves behind.
 */
export interface VerifiedAccessToken {
  /** The compact form as it was sent, for passing on. A credential: never log it. Not enumerable. */
  readonly token: string;
  /** The JOSE header. Opaque tokens, which are not JWTs, have none. */
  readonly header?: JoseHeader;
  readonly claims: AccessTokenClaims;
  /** The issuer that vouches for it; the same as `claims.iss`. */
  readonly issuer: string;
  /** From `claimPaths.scopes`; by default what `scope` and `scp` grant (RFC 9068 §2.2.3). */
  readonly scopes: readonly string[];
  /** From `claimPaths.roles`; by default the claim `roles`. */
  readonly roles: readonly string[];
  /** From `claimPaths.permissions`; by default the claim `permissions`. */
  readonly permissions: readonly string[];
}
