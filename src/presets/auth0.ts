import type { IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { audienceVariable, matchIssuer, type Provider } from './provider.js';

export interface Auth0Options {
  /** The tenant's domain, for example `'tenant.eu.auth0.com'`, or its custom domain. Without `https://` and slash. */
  readonly domain: string;
  /** The Identifier of the API in Auth0 (APIs → Settings). Not the client id of an application, and not an API of Auth0. */
  readonly audience: string | readonly string[];
  /** The claim in which your Action writes roles, for example `'https://example.com/roles'`. Default `'roles'`. */
  readonly rolesClaim?: string;
}

/**
 * Access tokens of Auth0 for an API, in both access token profiles.
 *
 * - `iss` is `https://{domain}/` with the slash, also for a custom domain. Scopes are in `scope`. `permissions` is present if RBAC and "Add
 *   Permissions in the Access Token" are enabled.
 * - `https://{domain}/userinfo` and `https://{domain}/api/v2/` are rejected as `audience`: the first is in each token with the scope `openid`,
 *   the second in tokens for the Management API.
 *
 * Not supported: APIs that sign with HS256. Not checked: the organization (`org_id`).
 * @see https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
 * @throws ConfigurationError if an option is missing or invalid
 */
export function auth0(options: Auth0Options): IssuerOptions {
  const given = new PresetArguments('auth0', options);
  const domain = given.host('domain', 'tenant.eu.auth0.com');
  const audience = given.texts(
    'audience',
    "the Identifier of the API in Auth0, for example 'https://api.example.com'",
    (name) => reasonAgainst(name, `https://${domain}/`),
  );
  const rolesClaim = given.optionalText('rolesClaim', "a claim, for example 'https://example.com/roles'") ?? 'roles';
  given.finish();
  return {
    issuer: `https://${domain}/`,
    audience,
    // As a list, because the dots of a namespace do not separate the parts of a path.
    claimPaths: { scopes: ['scope'], roles: [[rolesClaim]], permissions: ['permissions'] },
  };
}

function reasonAgainst(audience: string, issuer?: string): string | undefined {
  const [, origin = '', path] = /^(https:\/\/[^/]+\/)(userinfo|api\/v2)\/?$/.exec(audience.toLowerCase()) ?? [];
  // Behind a custom domain, these APIs keep the domain of the tenant.
  if (path === undefined || (origin !== issuer && !origin.endsWith('.auth0.com/'))) return undefined;
  const reason = path === 'userinfo' ? 'is in every token with the scope openid' : 'is the Management API of Auth0';
  return `must be the Identifier of your own API; ${JSON.stringify(audience)} ${reason}`;
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
  audience: { parameter: 'audience', claim: 'aud', example: 'https://api.example.com', reasonAgainst },
  environment: [
    { name: 'AUTH0_DOMAIN', parameter: 'domain', from: 'issuer' },
    audienceVariable('audience', 'The Identifier of the API in Auth0.'),
  ],
  advice: {
    AUDIENCE_MISMATCH: REQUEST_AUDIENCE,
    TOKEN_MALFORMED: `Auth0 issues an opaque token unless the request names an API. ${REQUEST_AUDIENCE}`,
    ALGORITHM_NOT_ALLOWED: 'Set the signing algorithm of the API in Auth0 to RS256 or PS256.',
  },
};
