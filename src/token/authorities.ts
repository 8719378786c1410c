import type { ResolvedClaimPaths } from '../options/resolve-issuer.js';
import { authoritiesAt } from './claim-paths.js';

/** What claims grant; read from them when somebody asks, since most handlers ask for none or one of them. */
export class Authorities {
  #scopes: readonly string[] | undefined;
  #roles: readonly string[] | undefined;
  #permissions: readonly string[] | undefined;

  constructor(
    private readonly claims: Readonly<Record<string, unknown>>,
    readonly claimPaths: ResolvedClaimPaths,
  ) {}

  get scopes(): readonly string[] {
    return (this.#scopes ??= authoritiesAt(this.claims, this.claimPaths.scopes, 'at-spaces'));
  }

  get roles(): readonly string[] {
    return (this.#roles ??= authoritiesAt(this.claims, this.claimPaths.roles, 'whole'));
  }

  get permissions(): readonly string[] {
    return (this.#permissions ??= authoritiesAt(this.claims, this.claimPaths.permissions, 'whole'));
  }
}
