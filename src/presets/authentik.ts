import type { IssuerOptions } from '../options/options.js';
import { checkListed, PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface AuthentikOptions extends ValidateOption {
  /** The URL of authentik, for example `'https://auth.example.com'`, including the base path if there is one. */
  readonly url: string;
  /** The slug of the application, for example `'orders'`. */
  readonly application: string;
  /** The Client ID of the application's provider, which is the audience of its tokens. */
  readonly clientId: string | readonly string[];
  /** The issuer mode of the provider. Default `'per-provider'`: the issuer contains the slug of the application. */
  readonly issuerMode?: 'per-provider' | 'global';
}

/**
 * Access tokens of an OAuth2 provider of authentik. `iss` is `{url}/application/o/{application}/`, or `{url}/` with the issuer mode
 * `global`. `aud` is the Client ID. The roles are the groups in `groups`, which the default scope mapping of `profile` adds.
 *
 * - ID tokens have the same `iss`, `aud` and key. They are rejected (CLAIM_MISSING), because only access tokens have `azp` and `uid`. No scope
 *   mapping may add these claims.
 * - The provider needs a signing key. Without one, authentik signs with the client secret (ALGORITHM_NOT_ALLOWED).
 *
 * Not supported: providers with an encryption key (TOKEN_MALFORMED), and access tokens of hybrid flows with an ID token, which have `c_hash`
 * (TYPE_NOT_ALLOWED). Not checked: whether the session has ended.
 * @see https://docs.goauthentik.io/add-secure-apps/providers/oauth2/
 * @see https://github.com/goauthentik/authentik/blob/main/authentik/providers/oauth2/id_token.py for the claims
 * @throws ConfigurationError if an option is missing or invalid
 */
export function authentik(options: AuthentikOptions): IssuerOptions {
  const reader = new PresetReader('authentik', options);
  const url = reader.url('url', 'https://auth.example.com', /\/application(?:\/.*)?$/);
  const slug = "the slug of the application, for example 'orders'";
  const application = reader.text('application', slug, /^[\w-]+$/);
  const audience = reader.texts('clientId', "the Client ID of the application's provider");
  const isGlobal = reader.has('issuerMode') && reader.oneOf('issuerMode', ['per-provider', 'global']) === 'global';
  const path = `${url}/application/o/${application}/`;
  return reader.finishWith({
    issuer: isGlobal ? `${url}/` : path,
    audience,
    keys: { from: 'jwks', uri: `${path}jwks/` },
    algorithms: ['RS256', 'ES256', 'ES384', 'ES512'],
    claimPaths: { scopes: ['scope'], roles: ['groups'] },
    ...providerCheck(['azp', 'uid'], reader.validate(), (claims) => {
      checkListed(claims, 'azp', audience);
    }),
  });
}

const ISSUER = /^(?<url>https?:\/\/[^?#]+)\/application\/o\/(?<application>[\w-]+)\/?$/;

export const authentikProvider: Provider<AuthentikOptions> = {
  name: 'authentik',
  label: 'authentik',
  configure: authentik,
  recognize: (issuer) => matchIssuer(ISSUER, issuer),
  exampleIssuer: 'https://authentik.example.com/application/o/your-application/',
  variables: {
    url: 'AUTHENTIK_URL',
    application: 'AUTHENTIK_APPLICATION',
    clientId: 'AUTHENTIK_CLIENT_ID',
  },
  comments: { application: 'The slug of the application.', clientId: "The Client ID of the application's provider." },
  audience: { parameter: 'clientId', example: 'your-client-id' },
  exampleClaims: ['azp: process.env.AUTHENTIK_CLIENT_ID', "uid: 'test-token'"],
  advice: {
    ALGORITHM_NOT_ALLOWED:
      'Select a signing key in the provider of the application. Without one, authentik signs with the client secret.',
    AUDIENCE_MISMATCH: 'Set `clientId` to the Client ID of the provider that issues the tokens for this API.',
    CLAIM_MISSING: 'Send `access_token` of the token response, not `id_token`.',
    ISSUER_UNTRUSTED: ({ issuer, named }) => {
      const { url } = matchIssuer(ISSUER, issuer) ?? {};
      return url !== undefined && named === `${url}/`
        ? 'The provider has the issuer mode "Same identifier is used for all providers". Select the other mode, or set issuerMode: \'global\'.'
        : undefined;
    },
    TOKEN_MALFORMED: 'Remove the encryption key from the provider, because encrypted tokens are not supported.',
  },
};
