import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../model/access-token.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { Authorities } from './authorities.js';

type CheckedAgainst = Pick<ResolvedIssuer, 'clockToleranceSeconds'> &
  Partial<Pick<ResolvedIssuer, 'maxTokenAgeSeconds'>>;

/** {@link VerifiedAccessToken}, made at the end of the verification and nowhere else. */
export class AcceptedToken implements VerifiedAccessToken {
  // Private, so that neither JSON.stringify nor console.log of a request or a user shows the credential.
  readonly #token: string;
  readonly #grants: Authorities;
  readonly #checkedAgainst: CheckedAgainst;

  readonly issuer: string;

  constructor(
    token: string,
    readonly header: JoseHeader,
    readonly claims: AccessTokenClaims,
    checkedAgainst: Pick<ResolvedIssuer, 'claimPaths'> & CheckedAgainst,
    /** What was read from the same claims before. */
    grants = new Authorities(claims, checkedAgainst.claimPaths),
  ) {
    this.#token = token;
    this.#grants = grants;
    this.#checkedAgainst = checkedAgainst;
    this.issuer = claims.iss;
    Object.freeze(this);
  }

  get token(): string {
    return this.#token;
  }

  get scopes(): readonly string[] {
    return this.#grants.scopes;
  }

  get roles(): readonly string[] {
    return this.#grants.roles;
  }

  get permissions(): readonly string[] {
    return this.#grants.permissions;
  }

  /** How far the clock of the token's issuer may be off. 0 for what a test gives in place of a token. */
  static clockToleranceOf(token: VerifiedAccessToken): number {
    return token instanceof AcceptedToken ? token.#checkedAgainst.clockToleranceSeconds : 0;
  }

  /** When it expires, or is too old (`maxTokenAgeSeconds`), in seconds since 1970. */
  static expiresAt(token: VerifiedAccessToken): number {
    const { exp, iat } = token.claims;
    if (!(token instanceof AcceptedToken)) return exp;
    return Math.min(exp, (iat ?? Infinity) + (token.#checkedAgainst.maxTokenAgeSeconds ?? Infinity));
  }

  /** The moment from which a request with this token is refused: later by as much as the issuer's clock may be off. */
  static acceptedUntil(token: VerifiedAccessToken): number {
    const tolerance = token instanceof AcceptedToken ? token.#checkedAgainst.clockToleranceSeconds : 0;
    return AcceptedToken.expiresAt(token) + tolerance;
  }

  /** For logging: everything but the credential. */
  toJSON(): Omit<VerifiedAccessToken, 'token'> {
    const { issuer, header, claims, scopes, roles, permissions } = this;
    return { issuer, header, claims, scopes, roles, permissions };
  }
}
