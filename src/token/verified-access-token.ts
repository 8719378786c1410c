import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../model/access-token.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { Authorities } from './authorities.js';

type TimeLimits = Pick<ResolvedIssuer, 'clockToleranceSeconds'> & Partial<Pick<ResolvedIssuer, 'maxTokenAgeSeconds'>>;

class FrozenAccessToken implements VerifiedAccessToken {
  // Private fields, so that neither JSON.stringify nor console.log of a request or a user reveals the credential.
  readonly #token: string;
  readonly #authorities: Authorities;
  readonly #limits: TimeLimits;
  readonly issuer: string;

  constructor(
    token: string,
    readonly header: JoseHeader | undefined,
    readonly claims: AccessTokenClaims,
    authorities: Authorities,
    limits: TimeLimits,
  ) {
    this.#token = token;
    this.#authorities = authorities;
    this.#limits = limits;
    this.issuer = claims.iss;
    Object.freeze(this);
  }

  get token(): string {
    return this.#token;
  }

  get scopes(): readonly string[] {
    return this.#authorities.get('scopes');
  }

  get roles(): readonly string[] {
    return this.#authorities.get('roles');
  }

  get permissions(): readonly string[] {
    return this.#authorities.get('permissions');
  }

  static limitsOf(token: VerifiedAccessToken): TimeLimits {
    return token instanceof FrozenAccessToken ? token.#limits : { clockToleranceSeconds: 0 };
  }

  /** Everything except the credential, for logging. */
  toJSON(): Omit<VerifiedAccessToken, 'token'> {
    const { issuer, header, claims, scopes, roles, permissions } = this;
    return { issuer, header, claims, scopes, roles, permissions };
  }
}

export function createVerifiedAccessToken(
  token: string,
  header: JoseHeader | undefined,
  claims: AccessTokenClaims,
  authorities: Authorities,
  limits: TimeLimits,
): VerifiedAccessToken {
  return new FrozenAccessToken(token, header, claims, authorities, limits);
}

export function isVerifiedAccessToken(value: unknown): value is VerifiedAccessToken {
  return value instanceof FrozenAccessToken;
}

/** The clock tolerance of the token's issuer, in seconds. 0 for an object that a test uses as a token. */
export function clockToleranceSecondsOf(token: VerifiedAccessToken): number {
  return FrozenAccessToken.limitsOf(token).clockToleranceSeconds;
}

/** When the token expires or reaches `maxTokenAgeSeconds`, in seconds since 1970. */
export function expiresAtSeconds(token: VerifiedAccessToken): number {
  const { exp, iat = Infinity } = token.claims;
  return Math.min(exp, iat + (FrozenAccessToken.limitsOf(token).maxTokenAgeSeconds ?? Infinity));
}

/** When requests with the token start to be rejected: the expiration plus the issuer's clock tolerance. */
export function acceptedUntilSeconds(token: VerifiedAccessToken): number {
  return expiresAtSeconds(token) + clockToleranceSecondsOf(token);
}
