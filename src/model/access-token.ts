/** The JOSE header of an access token (RFC 7515 §4). Other members are as the issuer signed them. */
export interface JoseHeader {
  readonly alg: string;
  readonly typ?: string;
  readonly kid?: string;
  readonly [member: string]: unknown;
}

/**
 * The claims of a verified access token (RFC 7519 §4.1, RFC 9068 §2.2). The types of these claims were checked; any other claim is
 * as the issuer signed it. The object is deeply frozen, and no member is named `__proto__`, `constructor` or `prototype`. It has
 * the methods of other objects but not their prototype, so that a polluted `Object.prototype` supplies no claim, not even to your code.
 */
export interface AccessTokenClaims {
  /** The issuer, exactly as it is configured. Absent with `issuer: null`. */
  readonly iss: string;
  /** Includes a configured audience. Can be absent with `audience: null`, or if `audienceClaim` names another claim. */
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
 * An access token that passed every check. Do not spread it (`{ ...token }`): `token`, `scopes`, `roles` and `permissions` are
 * getters, which a spread omits.
 */
export interface VerifiedAccessToken {
  /** The token as it was sent. A credential: never log it. `JSON.stringify` and `console.log` omit it. */
  readonly token: string;
  /** Opaque tokens have none. */
  readonly header?: JoseHeader;
  readonly claims: AccessTokenClaims;
  /** The same as `claims.iss`. Empty with `issuer: null`. */
  readonly issuer: string;
  /** From `claimPaths.scopes`; by default what `scope` and `scp` grant (RFC 9068 §2.2.3). Includes what `scopeImplications` adds. */
  readonly scopes: readonly string[];
  /** From `claimPaths.roles`; by default the claim `roles`. */
  readonly roles: readonly string[];
  /** From `claimPaths.permissions`; by default the claim `permissions`. */
  readonly permissions: readonly string[];
}
