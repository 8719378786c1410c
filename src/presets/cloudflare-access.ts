import { AuthError } from '../model/errors.js';
import type { IssuerOptions } from '../options/options.js';
import { fromHeader, type TokenPlace } from '../options/token-places.js';
import { checkListed, PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface CloudflareAccessOptions extends ValidateOption {
  /** The team name: `'acme'` for the team domain `acme.cloudflareaccess.com`, `'acme.fed'` for `acme.fed.cloudflareaccess.com` (FedRAMP). */
  readonly team: string;
  /** The Application Audience (AUD) Tag of the Access application. */
  readonly audience: string | readonly string[];
  /**
   * The service tokens that may call, by Client ID (`CF-Access-Client-Id`, in `common_name`), for example `['e367826f….access']`. Their
   * `sub` is empty, so that it does not identify the caller. Default: only users.
   */
  readonly serviceTokens?: readonly string[];
}

/**
 * Application tokens of Cloudflare Access, which Access sends to the origin in the header `Cf-Access-Jwt-Assertion`. `iss` is
 * `https://{team}.cloudflareaccess.com`. There are no scopes and roles.
 *
 * - `type` must be `app`. The global session token (`org`), a cookie of the team domain, is rejected (CLAIM_INVALID).
 * - The token of a service token has an empty `sub`. It is rejected unless `common_name` is in `serviceTokens`.
 *
 * Not supported: the cookie `CF_Authorization`, and tokens of Access as an OpenID Connect provider for SaaS applications. Not checked:
 * whether the session has ended, and that the request came through Cloudflare.
 * @see https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/application-token/
 * @see https://github.com/cloudflare/cloudflared/blob/master/ingress/middleware/jwtvalidator.go for the team domains
 * @returns the options of the issuer, and `tokenFrom`, an option of `AuthModule`. Beside `issuers`, set `tokenFrom` there.
 * @throws ConfigurationError if an option is missing or invalid
 */
export function cloudflareAccess(
  options: CloudflareAccessOptions,
): IssuerOptions & { readonly tokenFrom: readonly TokenPlace[] } {
  const reader = new PresetReader('cloudflareAccess', options);
  const name = "the team name, for example 'acme' for the team domain acme.cloudflareaccess.com";
  const team = reader.text('team', name, /^[a-z0-9-]+(?:\.fed)?$/);
  const tag = 'the Application Audience (AUD) Tag of the Access application, 64 characters from 0 to 9 and a to f';
  const audience = reader.texts('audience', tag, /^[0-9a-f]{64}$/);
  const serviceTokens = reader.optionalTexts('serviceTokens', 'the Client ID of a service token');
  const issuer = `https://${team}.cloudflareaccess.com`;
  return reader.finishWith({
    issuer,
    audience,
    keys: { from: 'jwks', uri: `${issuer}/cdn-cgi/access/certs` },
    algorithms: ['RS256'],
    tokenFrom: [fromHeader('Cf-Access-Jwt-Assertion', { origins: [] })],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...providerCheck(['type'], reader.validate(), (claims) => {
      if (claims.type !== 'app') throw new AuthError('CLAIM_INVALID', { claim: 'type', expected: 'app' });
      if ((claims.sub ?? '') !== '') return;
      if (serviceTokens === undefined)
        throw new AuthError('CLAIM_INVALID', { claim: 'sub', expected: 'the id of a user' });
      checkListed(claims, 'common_name', serviceTokens);
    }),
  });
}

export const cloudflareAccessProvider: Provider<CloudflareAccessOptions> = {
  name: 'cloudflareAccess',
  label: 'Cloudflare Access',
  configure: cloudflareAccess,
  recognize: (issuer) => matchIssuer(/^https:\/\/(?<team>[a-z0-9-]+(?:\.fed)?)\.cloudflareaccess\.com\/?$/, issuer),
  exampleIssuer: 'https://your-team.cloudflareaccess.com',
  variables: { team: 'CLOUDFLARE_ACCESS_TEAM', audience: 'AUTH_AUDIENCE' },
  comments: {
    team: 'The team name: the first part of the team domain.',
    audience: 'The Application Audience (AUD) Tag of the Access application.',
  },
  audience: { example: '32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228' },
  exampleClaims: ["type: 'app'"],
  advice: {
    AUDIENCE_MISMATCH: 'If the token was issued for this API, set `audience` to the AUD tag of its Access application.',
    CLAIM_INVALID:
      'Send the token of the header Cf-Access-Jwt-Assertion, not the cookie of the team domain. To accept a service token, add its Client ID to `serviceTokens`.',
    CLAIM_MISSING: 'Send the token that Cloudflare Access adds to the request in the header Cf-Access-Jwt-Assertion.',
  },
};
