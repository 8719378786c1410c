const COMMON: readonly RegExp[] = [
  // Clients that Keycloak makes in each realm: a user has roles of them by default.
  /^(?:account|account-console|realm-management|broker|security-admin-console|admin-cli)$/,
  // Auth0 adds the first to each token for which `openid` was asked; the second is its own administration.
  /^https:\/\/[^/]+\/userinfo$/,
  /^https:\/\/[^/]+\/api\/v2\/$/,
  // Microsoft Graph and what came before it, by id and by name, in each cloud.
  /^0000000[23]-0000-0000-c000-000000000000$/,
  /^https:\/\/(?:(?:dod-)?graph\.microsoft\.(?:com|us)|microsoftgraph\.chinacloudapi\.cn|graph\.windows\.net)\/?$/,
  /^https:\/\/management\.(?:core\.windows\.net|azure\.com)\/?$/,
];

/** Whether tokens of that provider name it whatever API they are for: to trust it is to trust them all. */
export function isCommonAudience(audience: string): boolean {
  return COMMON.some((pattern) => pattern.test(audience.toLowerCase()));
}
