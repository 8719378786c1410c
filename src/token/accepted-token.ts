import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../access-token.js';
import type { ResolvedClaimPaths } from '../options/resolve-issuer.js';
import { grantsAt } from './claim-paths.js';

/** {@link VerifiedAccessToken}, made at the end of the verification and nowhere else. */
export class AcceptedToken implements VerifiedAccessToken {
  // Private, so that neither JSON.stringify nor console.log of a request or a user shows the credential.
  readonly #token: string;
  readonly #paths: ResolvedClaimPaths;
  // Read from the claims when somebody asks: most handlers ask for none or one of them.
  #scopes: readonly string[] | undefined;
  #roles: readonly string[] | undefined;
  #permissions: readonly string[] | undefined;

  readonly issuer: string;

  constructor(
    token: string,
    readonly header: JoseHeader,
    readonly claims: AccessTokenClaims,
    paths: ResolvedClaimPaths,
  ) {
    this.#token = token;
    this.#paths = paths;
    this.issuer = claims.iss;
    Object.freeze(this);
  }

  get token(): string {
    return this.#token;
  }

  get scopes(): readonly string[] {
    return (this.#scopes ??= grantsAt(this.claims, this.#paths.scopes, 'at-spaces'));
  }

  get roles(): readonly string[] {
    return (this.#roles ??= grantsAt(this.claims, this.#paths.roles, 'whole'));
  }

  get permissions(): readonly string[] {
    return (this.#permissions ??= grantsAt(this.claims, this.#paths.permissions, 'whole'));
  }

  /** For logging: everything but the credential. */
  toJSON(): Omit<VerifiedAccessToken, 'token'> {
    const { issuer, header, claims, scopes, roles, permissions } = this;
    return { issuer, header, claims, scopes, roles, permissions };
  }
}
