import type { IssuerOptions } from '../options/options.js';
import { PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface OktaOptions extends ValidateOption {
  /** The domain of your Okta org, for example `'example.okta.com'`, or its custom domain. Not that of the Admin Console. */
  readonly domain: string;
  /** The audience of the authorization server (Security → API), `'api://default'` for the one named default. */
  readonly audience: string | readonly string[];
  /** The id of the custom authorization server. Default `'default'`, which Okta creates. */
  readonly authorizationServerId?: string;
  /** The groups claim that you added, whose groups are the roles. Default `'groups'`. */
  readonly groupsClaim?: string;
}

/**
 * Access tokens of a custom authorization server of Okta, whose `iss` is `https://{domain}/oauth2/{authorizationServerId}`. Scopes are in
 * `scp`. `cid`, the client, is required, because ID tokens do not have it.
 *
 * Not supported: tokens of the **org** authorization server (`iss` `https://{domain}`), which only Okta can verify. Clients get them from
 * `/oauth2/v1/…`. Not checked: the client, and whether the token was revoked.
 * @see https://developer.okta.com/docs/guides/validate-access-tokens/main/
 * @throws ConfigurationError if an option is missing or invalid
 */
export function okta(options: OktaOptions): IssuerOptions {
  const reader = new PresetReader('okta', options);
  const domain = reader.host('domain', 'example.okta.com');
  const audience = reader.texts('audience', "the audience of the authorization server, for example 'api://default'");
  const meaning = "the id of a custom authorization server, the end of its Issuer URI, for example 'default'";
  const server = reader.optionalText('authorizationServerId', meaning, /^(?!(?:org|v1)$)[a-zA-Z0-9]+$/) ?? 'default';
  const groups = reader.optionalText('groupsClaim', "a claim, for example 'groups'") ?? 'groups';
  if (/-admin\.[^.]+\.com$/.test(domain)) reader.invalid('domain', 'This is the Admin Console. Remove "-admin".');
  return reader.finishWith({
    issuer: `https://${domain}/oauth2/${server}`,
    audience,
    algorithms: ['RS256'],
    claimPaths: { scopes: ['scp'], roles: [[groups]] },
    ...providerCheck(['cid'], reader.validate()),
  });
}

const HOST = /\.okta(?:preview|-emea)?\.com$/;
const ISSUER =
  /^https:\/\/(?<domain>[\w-]+\.okta(?:preview|-emea)?\.com)\/oauth2\/(?:default|(?<authorizationServerId>[a-z0-9]+))\/?$/i;

export const oktaProvider: Provider<OktaOptions> = {
  name: 'okta',
  label: 'Okta',
  configure: okta,
  recognize: (issuer) => matchIssuer(ISSUER, issuer),
  recognizeCustomDomain: (issuer) =>
    matchIssuer(/^https:\/\/(?<domain>[^/]+)\/oauth2\/(?<authorizationServerId>[^/]+)$/, issuer),
  exampleIssuer: 'https://your-org.okta.com/oauth2/default',
  variables: {
    domain: 'OKTA_DOMAIN',
    authorizationServerId: 'OKTA_AUTHORIZATION_SERVER_ID',
    audience: 'AUTH_AUDIENCE',
  },
  comments: { audience: 'The audience of the authorization server.' },
  audience: { example: 'api://default' },
  usualOptions: { authorizationServerId: 'default', audience: 'api://default' },
  exampleClaims: ["cid: 'test-client'"],
  alternativeIssuers: ({ origin, hostname }) => (HOST.test(hostname) ? [`${origin}/oauth2/default`] : []),
  advice: {
    AUDIENCE_MISMATCH: 'Request the token at the authorization server that has this audience (Security → API).',
    ISSUER_UNTRUSTED: ({ named = '' }) =>
      URL.canParse(named) && HOST.test(new URL(named).hostname) && new URL(named).pathname === '/'
        ? 'Only Okta can verify tokens of the org authorization server. Request the token at a custom one: /oauth2/<id of the authorization server>/v1 instead of /oauth2/v1.'
        : undefined,
  },
};
