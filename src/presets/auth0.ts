import type { IssuerOptions } from '../options/options.js';
import { PresetReader } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface Auth0Options {
  /** The tenant's domain, for example `'tenant.eu.auth0.com'`, or its custom domain. Without `https://` and slash. */
  readonly domain: string;
  /** The Identifier of the API in Auth0 (APIs → Settings). Not the client id of an application, and not an API of Auth0. */
  readonly audience: string | readonly string[];
  /** The claim in which your Action writes roles, for example `'https://example.com/roles'`. Default `'roles'`. */
  readonly rolesClaim?: string;
}

/**
 * Access tokens of Auth0 for an API, in both access token profiles. `iss` is `https://{domain}/` with the slash, also for a custom domain.
 * `permissions` is present if RBAC and "Add Permissions in the Access Token" are enabled.
 *
 * `audience` must not be `https://{domain}/userinfo`, which is in each token with the scope `openid`, or the Management API. Not supported:
 * APIs that sign with HS256. Not checked: the organization (`org_id`).
 * @see https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
 * @throws ConfigurationError if an option is missing or invalid
 */
export function auth0(options: Auth0Options): IssuerOptions {
  const reader = new PresetReader('auth0', options);
  const issuer = `https://${reader.host('domain', 'tenant.eu.auth0.com')}/`;
  const meaning = "the Identifier of your API in Auth0, for example 'https://api.example.com'";
  const audience = reader.texts('audience', meaning, (name) =>
    isApiOfAuth0(name, issuer) ? 'This is an API of Auth0. Set it to the Identifier of your own API.' : undefined,
  );
  const rolesClaim = reader.optionalText('rolesClaim', "a claim, for example 'https://example.com/roles'") ?? 'roles';
  return reader.finishWith({
    issuer,
    audience,
    // As a list, because the dots of a namespace do not separate the parts of a path.
    claimPaths: { scopes: ['scope'], roles: [[rolesClaim]], permissions: ['permissions'] },
  });
}

/** UserInfo and the Management API. Behind a custom domain, they keep the domain of the tenant. */
function isApiOfAuth0(audience: string, issuer?: string): boolean {
  const origin = /^(https:\/\/[^/]+\/)(?:userinfo|api\/v2)\/?$/.exec(audience.toLowerCase())?.[1];
  return origin !== undefined && (origin === issuer || origin.endsWith('.auth0.com/'));
}

const REQUEST_AUDIENCE =
  'Send the Identifier of the API as the parameter `audience` of the authorization request, or of the token request of a client without a user.';

export const auth0Provider: Provider<Auth0Options> = {
  name: 'auth0',
  label: 'Auth0',
  configure: auth0,
  recognize: (issuer) => matchIssuer(/^https:\/\/(?<domain>[\w.-]+\.auth0\.com)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^https:\/\/(?<domain>[^/]+)\/?$/, issuer),
  exampleIssuer: 'https://your-tenant.eu.auth0.com/',
  variables: { domain: 'AUTH0_DOMAIN', audience: 'AUTH_AUDIENCE' },
  comments: { audience: 'The Identifier of the API in Auth0.' },
  audience: { example: 'https://api.example.com', isCommon: isApiOfAuth0 },
  checksOnlyAudience: true,
  advice: {
    AUDIENCE_MISMATCH: REQUEST_AUDIENCE,
    TOKEN_MALFORMED: `Auth0 issues an opaque token unless the request names an API. ${REQUEST_AUDIENCE}`,
    ALGORITHM_NOT_ALLOWED: 'Set the signing algorithm of the API in Auth0 to RS256 or PS256.',
  },
};
