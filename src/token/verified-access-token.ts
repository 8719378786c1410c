import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../model/access-token.js';
import type { ResolvedClaimPaths, ResolvedIssuer } from '../options/resolve-issuer.js';
import { Authorities, authoritiesOf, type AuthorityOptions, type UnreadClaim, unreadClaimOf } from './authorities.js';

type TokenOptions = AuthorityOptions &
  Pick<ResolvedIssuer, 'clockToleranceSeconds'> &
  Partial<Pick<ResolvedIssuer, 'maxTokenAgeSeconds'>>;

export class FrozenAccessToken implements VerifiedAccessToken {
  // Private fields, so that neither JSON.stringify nor console.log of a request or a user reveals the credential.
  readonly #token: string;
  readonly #options: TokenOptions;
  readonly #authorities: Authorities;
  readonly issuer: string;

  /** @param cached what earlier calls with the same token read from its claims. */
  constructor(
    token: string,
    readonly header: JoseHeader | undefined,
    readonly claims: AccessTokenClaims,
    options: TokenOptions,
    cached?: Authorities,
  ) {
    this.#token = token;
    this.#options = options;
    this.#authorities = cached?.areOf(options) === true ? cached : new Authorities(options);
    // Absent in tokens of an issuer without a name, whatever the type says.
    this.issuer = Object.hasOwn(claims, 'iss') ? claims.iss : '';
    Object.freeze(this);
  }

  get token(): string {
    return this.#token;
  }

  get scopes(): readonly string[] {
    return authoritiesOf(this.claims, 'scopes', this.#authorities);
  }

  get roles(): readonly string[] {
    return authoritiesOf(this.claims, 'roles', this.#authorities);
  }

  get permissions(): readonly string[] {
    return authoritiesOf(this.claims, 'permissions', this.#authorities);
  }

  /** @internal */
  unreadClaim(kind: keyof ResolvedClaimPaths): UnreadClaim | undefined {
    return unreadClaimOf(this.claims, this.#options.claimPaths, kind);
  }

  static optionsOf(token: VerifiedAccessToken): Omit<TokenOptions, keyof AuthorityOptions> {
    return token instanceof FrozenAccessToken ? token.#options : { clockToleranceSeconds: 0 };
  }

  /** Everything except the credential, for logging. */
  toJSON(): Omit<VerifiedAccessToken, 'token'> {
    const { issuer, header, claims, scopes, roles, permissions } = this;
    return { issuer, header, claims, scopes, roles, permissions };
  }
}

/** Why a claim that should grant authorities of this kind grants none. Undefined for an object that a test uses as a token. */
export function unreadClaim(token: VerifiedAccessToken, kind: keyof ResolvedClaimPaths): UnreadClaim | undefined {
  return token instanceof FrozenAccessToken ? token.unreadClaim(kind) : undefined;
}

/** The clock tolerance of the token's issuer, in seconds. 0 for an object that a test uses as a token. */
export function clockToleranceSecondsOf(token: VerifiedAccessToken): number {
  return FrozenAccessToken.optionsOf(token).clockToleranceSeconds;
}

/** When the token expires or reaches `maxTokenAgeSeconds`, in seconds since 1970. */
export function expiresAtSeconds(token: VerifiedAccessToken): number {
  const { exp, iat = Infinity } = token.claims;
  return Math.min(exp, iat + (FrozenAccessToken.optionsOf(token).maxTokenAgeSeconds ?? Infinity));
}

/** When requests with the token start to be rejected: the expiration plus the issuer's clock tolerance. */
export function acceptedUntilSeconds(token: VerifiedAccessToken): number {
  return expiresAtSeconds(token) + clockToleranceSecondsOf(token);
}
