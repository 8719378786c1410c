import type { IssuerOptions } from '../options/options.js';
import { apiOfAuth0 } from './common-audiences.js';
import { PresetArguments } from './preset-arguments.js';
import { matchIssuer, type Provider } from './provider.js';

export interface Auth0Options {
  /**
   * The tenant's domain, `'tenant.eu.auth0.com'`, or the custom domain under which the tokens are asked for. Without
   * `https://` and without a slash.
   */
  readonly domain: string;
  /**
   * The Identifier of the API in Auth0 (APIs → Settings). Not the client id of an application, and no API of Auth0's own: nearly every
   * token names `https://{domain}/userinfo`.
   */
  readonly audience: string | readonly string[];
  /**
   * The claim into which an Action of yours puts roles, `'https://example.com/roles'`. Auth0 itself writes none. Default
   * `'roles'`.
   */
  readonly rolesClaim?: string;
}

/**
 * Access tokens of Auth0 for an API.
 *
 * - `iss` is `https://{domain}/`, with its slash. With a custom domain it is that domain
 *   (https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles,
 *   https://auth0.com/docs/customize/custom-domains/configure-features-to-use-custom-domains).
 * - `permissions` is there when RBAC and "Add Permissions in the Access Token" are on
 *   (https://auth0.com/docs/get-started/apis/enable-role-based-access-control-for-apis); scopes stand in `scope`.
 * - Both access token profiles are taken, `typ` JWT and at+jwt.
 * - A token that was asked for with the scope `openid` names `https://{domain}/userinfo` beside the API, and one for the Management API
 *   names `https://{domain}/api/v2/` (https://auth0.com/docs/secure/tokens/access-tokens/get-access-tokens); a token is to be accepted by
 *   the API alone that it is meant for (https://auth0.com/docs/secure/tokens/access-tokens/validate-access-tokens). So neither can be the
 *   `audience`.
 *
 * An API that is set to HS256 cannot be verified: set it to RS256 or PS256. Not checked: the organization (`org_id`).
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function auth0(options: Auth0Options): IssuerOptions {
  const given = new PresetArguments('auth0', options, ['domain', 'audience', 'rolesClaim']);
  const domain = given.host('domain', 'tenant.eu.auth0.com');
  const audience = given.texts('audience', "the Identifier of your API in Auth0, 'https://api.example.com' say");
  const rolesClaim = given.optionalText('rolesClaim', "a claim, 'https://example.com/roles' say") ?? 'roles';
  for (const name of audience) {
    const api = apiOfAuth0(name, domain);
    if (api !== undefined)
      given.problem('audience', `must not be ${JSON.stringify(name)}, ${WHAT[api]}: name your own API`);
  }
  given.finish();
  return {
    issuer: `https://${domain}/`,
    audience,
    // As a list: the dots of a namespace are no path.
    claimPaths: { scopes: ['scope'], roles: [[rolesClaim]], permissions: ['permissions'] },
  };
}

const WHAT = {
  userinfo: 'which every token names that was asked for with the scope openid',
  management: 'whose tokens are for the Management API of Auth0',
} as const;

const REQUEST_AUDIENCE =
  'Send the Identifier of the API as the parameter `audience` of the authorization request (without a user: of the token request).';

function reasonAgainst(audience: string, host: string | undefined): string | undefined {
  const api = apiOfAuth0(audience, host);
  return api && WHAT[api];
}

export const auth0Provider: Provider<Auth0Options> = {
  name: 'auth0',
  label: 'Auth0',
  configure: auth0,
  recognize: (issuer) => matchIssuer(/^https:\/\/(?<domain>[\w.-]+\.auth0\.com)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^https:\/\/(?<domain>[^/]+)\/?$/, issuer),
  exampleIssuer: 'https://your-tenant.eu.auth0.com/',
  audience: {
    parameter: 'audience',
    claim: 'aud',
    example: 'https://api.example.com',
    reasonAgainst: (audience, issuer) => {
      const host = issuer !== undefined && URL.canParse(issuer) ? new URL(issuer).host : undefined;
      return reasonAgainst(audience, host);
    },
  },
  environment: [
    { name: 'AUTH0_DOMAIN', parameter: 'domain', from: 'issuer' },
    { name: 'AUTH_AUDIENCE', parameter: 'audience', from: 'audience', comment: 'The Identifier of the API in Auth0.' },
  ],
  advice: {
    AUDIENCE_MISMATCH: REQUEST_AUDIENCE,
    TOKEN_MALFORMED: `Auth0 issues an opaque token unless the request names an API. ${REQUEST_AUDIENCE}`,
    ALGORITHM_NOT_ALLOWED: 'Set the signing algorithm of the API in Auth0 to RS256 or PS256.',
  },
};
