import type { VerifiedAccessToken } from '../model/access-token.js';
import type { ResolvedResource } from '../options/resolve-resources.js';
import { clientOf } from '../token/claims.js';
import { expiresAtSeconds } from '../token/verified-access-token.js';

/** `AuthInfo` of the MCP SDKs, which handlers of tools receive as `ctx.http.authInfo` (2.x) or `extra.authInfo` (1.x). */
export interface McpAuthInfo {
  /** Always empty: an MCP server must not pass the token on to another API. Exchange it instead (RFC 8693). */
  readonly token: string;
  /** `client_id`, or what the issuer sends instead. Empty if the token has none. */
  readonly clientId: string;
  /** With implied scopes (`scopeImplications`). */
  readonly scopes: string[];
  /** In seconds since 1970. */
  readonly expiresAt: number;
  /** The identifier of the resource. */
  readonly resource?: URL;
  readonly resourceMetadataUrl?: string;
  readonly extra: { readonly claims: VerifiedAccessToken['claims']; readonly user: unknown };
}

export function authInfoOf(
  token: VerifiedAccessToken,
  resource: ResolvedResource | undefined,
  user: unknown,
): McpAuthInfo {
  return {
    token: '',
    clientId: clientOf(token.claims) ?? '',
    scopes: [...token.scopes],
    expiresAt: Math.floor(expiresAtSeconds(token)),
    ...(resource && { resource: new URL(resource.identifier), resourceMetadataUrl: resource.metadataUrl }),
    extra: { claims: token.claims, user },
  };
}
