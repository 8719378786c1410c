import type { IssuerOptions } from '../options/options.js';
import { PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface WorkosConnectOptions extends ValidateOption {
  /** The AuthKit domain of the environment, for example `'youthful-ginger-43.authkit.app'`, or a custom one. Without `https://`. */
  readonly authkitDomain: string;
  /**
   * A resource indicator (`'https://api.example.com'`), or the Client ID of the environment, which is the audience of machine-to-machine tokens
   * and of tokens without a requested resource. With the Client ID, **every** application of the environment can call: require scopes.
   */
  readonly audience: string | readonly string[];
}

/**
 * Access tokens of WorkOS Connect: OAuth applications, machine-to-machine applications and MCP clients. `iss` is `https://{authkitDomain}`.
 * `sub` is a user, or the Client ID of a machine-to-machine application. There are no roles and permissions.
 *
 * `jti` is required: ID tokens do not have it.
 *
 * Not supported: session tokens of AuthKit, see `workos()`. Not checked: the application (`client_id`), the organization (`org_id`), and
 * whether the consent was withdrawn.
 * @see https://workos.com/docs/authkit/connect/token-claims
 * @see https://workos.com/docs/reference/workos-connect/token
 * @throws ConfigurationError if an option is missing or invalid
 */
export function workosConnect(options: WorkosConnectOptions): IssuerOptions {
  const reader = new PresetReader('workosConnect', options);
  const domain = reader.host('authkitDomain', 'youthful-ginger-43.authkit.app');
  const audience = reader.texts('audience', "a resource indicator, for example 'https://api.example.com'");
  return reader.finishWith({
    issuer: `https://${domain}`,
    audience,
    algorithms: ['RS256'],
    claimPaths: { scopes: ['scope'], roles: [], permissions: [] },
    ...providerCheck(['sub', 'jti'], reader.validate()),
  });
}

export const workosConnectProvider: Provider<WorkosConnectOptions> = {
  name: 'workosConnect',
  label: 'WorkOS Connect',
  configure: workosConnect,
  recognize: (issuer) => matchIssuer(/^https:\/\/(?<authkitDomain>[\w-]+\.authkit\.app)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^https:\/\/(?<authkitDomain>[^/]+)$/, issuer),
  exampleIssuer: 'https://your-subdomain.authkit.app',
  variables: { authkitDomain: 'WORKOS_AUTHKIT_DOMAIN', audience: 'AUTH_AUDIENCE' },
  comments: { audience: 'A resource indicator, or the Client ID of the environment.' },
  audience: { example: 'https://api.example.com' },
  advice: {
    AUDIENCE_MISMATCH:
      'Add this audience to the resource indicators in the dashboard, and request it with the parameter `resource`.',
    CLAIM_MISSING: 'Send `access_token` of the token response, not `id_token`.',
  },
};
