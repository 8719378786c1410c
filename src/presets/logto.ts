import type { IssuerOptions } from '../options/options.js';
import { type ExactlyOne, PresetReader } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export type LogtoOptions = {
  /** The API Identifier (resource indicator) of your API, for example `'https://api.example.com'`. */
  readonly resource: string | readonly string[];
} & ExactlyOne<{
  /** The id of your tenant in Logto Cloud: `https://{tenant}.logto.app`. */
  readonly tenant: string;
  /** The endpoint of a custom domain or a self-hosted Logto, for example `'https://auth.example.com'`. */
  readonly endpoint: string;
}>;

/**
 * Access tokens of Logto for an API resource, with `iss` `{endpoint}/oidc`. Permissions are scopes, in `scope`.
 *
 * - The algorithm is ES384 by default. Keys can be rotated to RSA and, in newer versions, to Ed25519.
 * - `typ` must be `at+jwt` (RFC 9068 §2.1), which ID tokens do not have. Logto does not document it, but uses oidc-provider, which always
 *   writes it (https://github.com/panva/node-oidc-provider/blob/main/lib/models/formats/jwt.js).
 *
 * A client that requests no resource gets an opaque token (TOKEN_MALFORMED). Not checked: the organization (`organization_id`).
 * @see https://docs.logto.io/authorization/validate-access-tokens
 * @throws ConfigurationError if an option is missing or invalid
 */
export function logto(options: LogtoOptions): IssuerOptions {
  const reader = new PresetReader('logto', options);
  const tenant = "the id of your tenant in Logto Cloud, for example 'abc123'. For another host, set `endpoint`";
  const endpoint = reader.hasInsteadOf('endpoint', 'tenant')
    ? reader.url('endpoint', 'https://auth.example.com', /\/oidc$/)
    : `https://${reader.text('tenant', tenant, /^[a-z0-9-]+$/)}.logto.app`;
  const resource = reader.texts('resource', "the API Identifier in Logto, for example 'https://api.example.com'");
  return reader.finishWith({
    issuer: `${endpoint}/oidc`,
    audience: resource,
    algorithms: ['ES384', 'RS256', 'EdDSA'],
    tokenTypes: ['at+jwt'],
    claimPaths: { scopes: ['scope'] },
  });
}

const REQUEST_RESOURCE = 'Send the API Identifier as the parameter `resource` of the authorization request.';

export const logtoProvider: Provider<LogtoOptions> = {
  name: 'logto',
  label: 'Logto',
  configure: logto,
  recognize: (issuer) => matchIssuer(/^(?<endpoint>https:\/\/[\w-]+\.logto\.app)\/oidc\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<endpoint>https?:\/\/.+)\/oidc$/, issuer),
  exampleIssuer: 'https://your-tenant.logto.app/oidc',
  variables: { endpoint: 'LOGTO_ENDPOINT', resource: 'AUTH_AUDIENCE' },
  comments: { resource: 'The API Identifier in Logto.' },
  audience: { parameter: 'resource', example: 'https://api.example.com' },
  alternativeIssuers: ({ origin, hostname }) => (hostname.endsWith('.logto.app') ? [`${origin}/oidc`] : []),
  advice: {
    AUDIENCE_MISMATCH: REQUEST_RESOURCE,
    TOKEN_MALFORMED: `Logto issues an opaque token unless the request names an API resource. ${REQUEST_RESOURCE}`,
  },
};
