import type { IssuerOptions } from '../options/options.js';
import { fromHeader, type TokenPlace } from '../options/token-places.js';
import { PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface GoogleIapOptions extends ValidateOption {
  /**
   * The resource that Identity-Aware Proxy protects, with the number of the project (not its id):
   *
   * - Cloud Run: `'/projects/{number}/locations/{region}/services/{service}'`
   * - Compute Engine and GKE: `'/projects/{number}/global/backendServices/{id}'`
   * - App Engine: `'/projects/{number}/apps/{project id}'`
   */
  readonly audience: string | readonly string[];
}

/**
 * Signed headers of Google Cloud's Identity-Aware Proxy (IAP), which sends its token in the header `x-goog-iap-jwt-assertion`. `iss` is
 * `https://cloud.google.com/iap`. IAP admits the callers that IAM allows, so that no list of callers is needed. There are no scopes and roles.
 *
 * Not checked: the hosted domain of the account (`hd`), its access levels (`google.access_levels`), the identity of Identity Platform
 * (`gcip`), and that the request came through IAP. Check claims in `validate`.
 * @see https://docs.cloud.google.com/iap/docs/signed-headers-howto
 * @returns the options of the issuer, and `tokenFrom`, an option of `AuthModule`. Beside `issuers`, set `tokenFrom` there.
 * @throws ConfigurationError if an option is missing or invalid
 */
export function googleIap(options: GoogleIapOptions): IssuerOptions & { readonly tokenFrom: readonly TokenPlace[] } {
  const reader = new PresetReader('googleIap', options);
  const meaning =
    "the path of the resource with the number of its project, for example '/projects/123456789012/locations/europe-west1/services/orders'";
  const audience = reader.texts('audience', meaning, /^\/projects\/\d+(?:\/[\w.:-]+){2,}$/);
  return reader.finishWith({
    issuer: 'https://cloud.google.com/iap',
    audience,
    keys: { from: 'jwks', uri: 'https://www.gstatic.com/iap/verify/public_key-jwk' },
    algorithms: ['ES256'],
    tokenFrom: [fromHeader('x-goog-iap-jwt-assertion', { origins: [] })],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...providerCheck(['sub', 'iat'], reader.validate()),
  });
}

export const googleIapProvider: Provider<GoogleIapOptions> = {
  name: 'googleIap',
  label: 'Google Identity-Aware Proxy',
  configure: googleIap,
  recognize: (issuer) => matchIssuer(/^https:\/\/cloud\.google\.com\/iap\/?$/i, issuer),
  exampleIssuer: 'https://cloud.google.com/iap',
  variables: { audience: 'AUTH_AUDIENCE' },
  comments: { audience: 'The resource that Identity-Aware Proxy protects, with the number of the project.' },
  audience: { example: '/projects/123456789012/locations/europe-west1/services/orders' },
  advice: {
    AUDIENCE_MISMATCH:
      'If the token was issued for this API, set `audience` to the resource that IAP protects, with the number of the project (not its id).',
    ALGORITHM_NOT_ALLOWED: 'Send the token that IAP adds to the request in the header x-goog-iap-jwt-assertion.',
  },
};
