import type { AccessTokenClaims } from '../model/access-token.js';
import type { IssuerOptions } from '../options/options.js';
import { PresetReader } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface KindeOptions {
  /** The domain of your Kinde environment, for example `'shop.kinde.com'`, or its custom domain. Without `https://`. */
  readonly domain: string;
  /** The Audience of the API in Kinde (Settings → APIs). Not the Kinde Management API. */
  readonly audience: string | readonly string[];
}

/**
 * Access tokens of Kinde for an API that is registered there, of users and of machine-to-machine (M2M) applications. `iss` is
 * `https://{domain}`.
 *
 * - Permissions are in `permissions`. Roles are in `roles` if the application adds them to its access tokens; those in the documentation are
 *   objects (the role is `key`) or strings.
 * - Scopes are in `scp`. M2M tokens also have `scope`, the granted ones; `scp` then has the requested ones and is not read.
 *
 * ID tokens are rejected by `at_hash` (TYPE_NOT_ALLOWED). Not checked: the organization (`org_code`) and feature flags.
 * @see https://docs.kinde.com/build/tokens/about-access-tokens/
 * @see https://docs.kinde.com/machine-to-machine-applications/about-m2m/token-structure-and-claims-for-m2m-applications/
 * @throws ConfigurationError if an option is missing or invalid
 */
export function kinde(options: KindeOptions): IssuerOptions {
  const reader = new PresetReader('kinde', options);
  const issuer = `https://${reader.host('domain', 'shop.kinde.com')}`;
  const meaning = "the Audience of your API in Kinde, for example 'https://api.example.com'";
  const audience = reader.texts('audience', meaning, (name) =>
    isAudienceOfKinde(name, issuer)
      ? 'This audience is for Kinde itself. Set it to the Audience of your API.'
      : undefined,
  );
  return reader.finishWith({
    issuer,
    audience,
    algorithms: ['RS256'],
    claimPaths: {
      scopes: [grantedScopes],
      roles: ['roles[].key', 'roles'],
      permissions: ['permissions'],
    },
  });
}

function grantedScopes({ scope, scp }: AccessTokenClaims) {
  return scope ?? (scp as string | readonly string[] | undefined);
}

/** The audience of ID tokens, and that of the Management API. Behind a custom domain, the latter keeps the domain of Kinde. */
function isAudienceOfKinde(audience: string, issuer?: string): boolean {
  const origin = /^(https:\/\/[^/]+?)(?:\/api)?\/?$/.exec(audience.toLowerCase())?.[1];
  return origin !== undefined && (origin === issuer || /^https:\/\/[\w-]+\.kinde\.com$/.test(origin));
}

export const kindeProvider: Provider<KindeOptions> = {
  name: 'kinde',
  label: 'Kinde',
  configure: kinde,
  recognize: (issuer) => matchIssuer(/^https:\/\/(?<domain>[\w-]+\.kinde\.com)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^https:\/\/(?<domain>[^/]+)\/?$/, issuer),
  exampleIssuer: 'https://your-business.kinde.com',
  variables: { domain: 'KINDE_DOMAIN', audience: 'AUTH_AUDIENCE' },
  comments: { audience: 'The Audience of the API in Kinde.' },
  audience: { example: 'https://api.example.com', isCommon: isAudienceOfKinde },
  checksOnlyAudience: true,
  advice: {
    AUDIENCE_MISMATCH:
      'Authorize the application for the API in Kinde, and send its Audience as the parameter `audience` of the authorization or token request.',
    ISSUER_UNTRUSTED: ({ issuer, named = '' }) =>
      [issuer, named].some((name) => kindeProvider.recognize(name) !== undefined)
        ? 'Tokens of Kinde name the domain at which they were requested. Request the token at the configured domain.'
        : undefined,
  },
};
