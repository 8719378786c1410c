const KEYCLOAK = /^(?:account|account-console|realm-management|broker|security-admin-console|admin-cli)$/;
const AUTH0 = /^https:\/\/([^/]+)\/(userinfo|api\/v2)\/?$/;
const MICROSOFT: readonly RegExp[] = [
  // Microsoft Graph and what came before it, by id and by name, in each cloud.
  /^0000000[23]-0000-0000-c000-000000000000$/,
  /^https:\/\/(?:(?:dod-)?graph\.microsoft\.(?:com|us)|microsoftgraph\.chinacloudapi\.cn|graph\.windows\.net)\/?$/,
  /^https:\/\/management\.(?:core\.windows\.net|azure\.com)\/?$/,
];

/** Whether Keycloak makes this client in each realm: a user has roles of some of them by default. */
export function isClientOfEachRealm(audience: string): boolean {
  return KEYCLOAK.test(audience);
}

/**
 * What of Auth0's own it is: `userinfo` is added to each token for which `openid` was asked, `management` is its administration.
 *
 * @param domain of the issuer. With a custom one the tenant's own stays in their names.
 */
export function apiOfAuth0(audience: string, domain: string | undefined): 'userinfo' | 'management' | undefined {
  const [, host, path] = AUTH0.exec(audience.toLowerCase()) ?? [];
  if (host === undefined || (host !== domain && !host.endsWith('.auth0.com'))) return undefined;
  return path === 'userinfo' ? 'userinfo' : 'management';
}

/**
 * Whether tokens of that provider name it whatever API they are for: to trust it is to trust them all.
 *
 * @param issuer of the tokens, where that is known.
 */
export function isCommonAudience(audience: string, issuer: string | undefined): boolean {
  const domain = issuer !== undefined && URL.canParse(issuer) ? new URL(issuer).host : undefined;
  const name = audience.toLowerCase();
  return (
    isClientOfEachRealm(name) ||
    apiOfAuth0(name, domain) !== undefined ||
    MICROSOFT.some((pattern) => pattern.test(name))
  );
}
