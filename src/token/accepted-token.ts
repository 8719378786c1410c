import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../access-token.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { Grants } from './grants.js';

/** {@link VerifiedAccessToken}, made at the end of the verification and nowhere else. */
export class AcceptedToken implements VerifiedAccessToken {
  // Private, so that neither JSON.stringify nor console.log of a request or a user shows the credential.
  readonly #token: string;
  readonly #grants: Grants;
  readonly #checkedAgainst: Pick<ResolvedIssuer, 'clockToleranceSeconds'>;

  readonly issuer: string;

  constructor(
    token: string,
    readonly header: JoseHeader,
    readonly claims: AccessTokenClaims,
    checkedAgainst: Pick<ResolvedIssuer, 'claimPaths' | 'clockToleranceSeconds'>,
    /** What was read from the same claims before. */
    grants = new Grants(claims, checkedAgainst.claimPaths),
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

  /** For logging: everything but the credential. */
  toJSON(): Omit<VerifiedAccessToken, 'token'> {
    const { issuer, header, claims, scopes, roles, permissions } = this;
    return { issuer, header, claims, scopes, roles, permissions };
  }
}
