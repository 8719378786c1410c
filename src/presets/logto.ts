import type { IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { matchIssuer, type Provider } from './provider.js';

interface LogtoCommonOptions {
  /** The API Identifier (resource indicator) of your API, `'https://api.example.com'`: what tokens name in `aud`. */
  readonly resource: string | readonly string[];
}

export type LogtoOptions = LogtoCommonOptions &
  (
    | {
        /** The id of your tenant in Logto Cloud: `https://{tenant}.logto.app`. */
        readonly tenant: string;
        readonly endpoint?: never;
      }
    | {
        /** Or the endpoint, for a custom domain or a Logto of your own: `'https://auth.example.com'`. */
        readonly endpoint: string;
        readonly tenant?: never;
      }
  );

/**
 * Access tokens of Logto for an API resource.
 *
 * - `iss` is `{endpoint}/oidc`, `aud` the resource indicator, permissions are scopes, in `scope`
 *   (https://docs.logto.io/authorization/validate-access-tokens).
 * - Signed with an elliptic curve (ES384) by default, or RSA where the key was rotated to it
 *   (https://docs.logto.io/developers/signing-keys); newer versions have Ed25519 (EdDSA), too (`SupportedSigningKeyAlgorithm` in
 *   https://github.com/logto-io/logto/blob/master/packages/schemas/src/types/logto-config/index.ts).
 * - `typ` must be `at+jwt` (RFC 9068 §2.1), which ID tokens do not have. Logto does not document it; its core has oidc-provider write
 *   access tokens for an API in the format `jwt`
 *   (https://github.com/logto-io/logto/blob/master/packages/core/src/oidc/resource.ts), which always has that `typ`
 *   (https://github.com/panva/node-oidc-provider/blob/main/lib/models/formats/jwt.js).
 *
 * A client that does not name the resource gets an opaque token, which is refused (TOKEN_MALFORMED). Not checked: which organization a
 * token is for (`organization_id`). Tokens for an organization's own permissions have `urn:logto:organization:{id}` as `aud`.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function logto(options: LogtoOptions): IssuerOptions {
  const given = new PresetArguments('logto', options, ['tenant', 'endpoint', 'resource']);
  const endpoint = given.isGiven('endpoint')
    ? given.address('endpoint', 'https://auth.example.com')
    : cloudEndpoint(given);
  if (given.isGiven('endpoint') && given.isGiven('tenant')) given.problem('tenant', 'give either that or `endpoint`');
  if (endpoint.endsWith('/oidc')) given.problem('endpoint', 'must end before /oidc, which is put behind it');
  const resource = given.texts('resource', "the API Identifier of your API in Logto, 'https://api.example.com' say");
  given.finish();
  return {
    issuer: `${endpoint}/oidc`,
    audience: resource,
    algorithms: ['ES384', 'RS256', 'EdDSA'],
    tokenTypes: ['at+jwt'],
    claimPaths: { scopes: ['scope'] },
  };
}

function cloudEndpoint(given: PresetArguments): string {
  const tenant = given.text('tenant', "the id of your tenant in Logto Cloud, 'abc123' say");
  if (tenant !== '' && !/^[a-z0-9-]+$/.test(tenant))
    given.problem('tenant', "must be the id alone, 'abc123' say; a whole address goes into `endpoint`");
  return `https://${tenant}.logto.app`;
}

const REQUEST_RESOURCE = 'Send the API Identifier as the parameter `resource` of the authorization and token request.';

export const logtoProvider: Provider<LogtoOptions> = {
  name: 'logto',
  label: 'Logto',
  configure: logto,
  recognize: (issuer) => matchIssuer(/^(?<endpoint>https:\/\/[\w-]+\.logto\.app)\/oidc\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<endpoint>https?:\/\/.+)\/oidc$/, issuer),
  exampleIssuer: 'https://your-tenant.logto.app/oidc',
  audience: { parameter: 'resource', claim: 'aud', example: 'https://api.example.com' },
  environment: [
    { name: 'LOGTO_ENDPOINT', parameter: 'endpoint', from: 'issuer' },
    { name: 'AUTH_AUDIENCE', parameter: 'resource', from: 'audience', comment: 'The API Identifier in Logto.' },
  ],
  checksMoreThanAudience: true,
  alternativeIssuers: ({ origin, hostname }) =>
    hostname.endsWith('.logto.app') ? [{ issuer: `${origin}/oidc`, isSameTenant: true }] : [],
  advice: {
    AUDIENCE_MISMATCH: REQUEST_RESOURCE,
    TOKEN_MALFORMED: `Logto issues an opaque token unless the request names an API resource. ${REQUEST_RESOURCE}`,
  },
};
