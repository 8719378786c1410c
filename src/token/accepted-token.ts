import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../access-token.js';
import type { ResolvedClaimPaths } from '../options/resolve-issuer.js';
import { grantsAt } from './claim-paths.js';

/** {@link VerifiedAccessToken}, made at the end of the verification and nowhere else. */
export class AcceptedToken implements VerifiedAccessToken {
  // Private, so that neither JSON.stringify nor console.log of a request or a user shows the credential.
  readonly #token: string;
  readonly issuer: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly permissions: readonly string[];

  constructor(
    token: string,
    readonly header: JoseHeader,
    readonly claims: AccessTokenClaims,
    paths: ResolvedClaimPaths,
  ) {
    this.#token = token;
    this.issuer = claims.iss;
    this.scopes = grantsAt(claims, paths.scopes, 'at-spaces');
    this.roles = grantsAt(claims, paths.roles, 'whole');
    this.permissions = grantsAt(claims, paths.permissions, 'whole');
    Object.freeze(this);
  }

  get token(): string {
    return this.#token;
  }
}
