import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../access-token.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { grantsAt } from './claim-paths.js';

/** {@link VerifiedAccessToken}, made at the end of the verification and nowhere else. */
export class AcceptedToken implements VerifiedAccessToken {
  // Private, so that neither JSON.stringify nor console.log of a request or a user shows the credential.
  readonly #token: string;
  readonly #checkedAgainst: Pick<ResolvedIssuer, 'claimPaths' | 'clockToleranceSeconds'>;
  // Read from the claims when somebody asks: most handlers ask for none or one of them.
  #scopes: readonly string[] | undefined;
  #roles: readonly string[] | undefined;
  #permissions: readonly string[] | undefined;

  readonly issuer: string;

  constructor(
    token: string,
    readonly header: JoseHeader,
    readonly claims: AccessTokenClaims,
    checkedAgainst: Pick<ResolvedIssuer, 'claimPaths' | 'clockToleranceSeconds'>,
  ) {
    this.#token = token;
    this.#checkedAgainst = checkedAgainst;
    this.issuer = claims.iss;
    Object.freeze(this);
  }

  get token(): string {
    return this.#token;
  }

  get scopes(): readonly string[] {
    return (this.#scopes ??= grantsAt(this.claims, this.#checkedAgainst.claimPaths.scopes, 'at-spaces'));
  }

  get roles(): readonly string[] {
    return (this.#roles ??= grantsAt(this.claims, this.#checkedAgainst.claimPaths.roles, 'whole'));
  }

  get permissions(): readonly string[] {
    return (this.#permissions ??= grantsAt(this.claims, this.#checkedAgainst.claimPaths.permissions, 'whole'));
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
