import { unescape } from 'node:querystring';
import { isFetchableAddress, isInternalHost } from '../model/address.js';
import type { ClaimPath, IssuerOptions } from '../options/options.js';
import { PresetReader } from './preset-reader.js';
import { type AdviceFacts, matchIssuer, type Provider } from './provider.js';

export interface KeycloakOptions {
  /**
   * The public URL of Keycloak, with which `iss` begins, including the base path if there is one (`https://id.example.com/auth` before
   * Keycloak 17, or with `--http-relative-path`).
   */
  readonly url: string;
  /** The name of the realm as in the admin console, for example `'my shop'`: not percent-encoded. */
  readonly realm: string;
  /** `aud` of the tokens: what an Audience mapper adds, or a client id of which the user has a role. */
  readonly audience: string | readonly string[];
  /**
   * The URL from which this application fetches keys, if it is not `url`, for example `'http://keycloak:8080'` in a cluster. Include the
   * base path if Keycloak has one: a proxy may remove that of `url`. Plain http requires `insecureAllowHttp: true` in `AuthModule`.
   */
  readonly internalUrl?: string;
  /** The clients whose roles count, in addition to those of the realm. Default: those of `audience`. */
  readonly clientId?: string | readonly string[];
}

/**
 * Access tokens of a Keycloak realm, whose `iss` is `{url}/realms/{realm}`. Roles of the realm are in `realm_access.roles`, those of a client
 * in `resource_access.{client}.roles`. Both count, without a prefix.
 *
 * ID, refresh and logout tokens are rejected by their claim `typ` (TYPE_NOT_ALLOWED). Not checked: whether the session has ended.
 * Lightweight access tokens contain no roles.
 * @see https://www.keycloak.org/docs/latest/server_admin/#audience-support
 * @throws ConfigurationError if an option is missing or invalid
 */
export function keycloak(options: KeycloakOptions): IssuerOptions {
  const reader = new PresetReader('keycloak', options);
  const readUrl = (name: string, example: string) => reader.url(name, example, /\/realms(?:\/.*)?$/);
  const url = readUrl('url', 'https://id.example.com');
  const name = "the name of the realm alone, not percent-encoded, for example 'my shop'";
  const realm = reader.text('realm', name, /^(?!\.\.?$)[^%/]+$/);
  const audience = reader.texts('audience', '`aud` of the tokens, the client id of your API', (client) =>
    isClientOfKeycloak(client)
      ? 'Tokens for any API can have this audience. Add an Audience mapper for your API, and set it to that audience.'
      : undefined,
  );
  const internalUrl = reader.has('internalUrl') ? readUrl('internalUrl', 'http://keycloak:8080') : undefined;
  const clients = reader.optionalTexts('clientId', 'the client whose roles count') ?? audience;
  // As Keycloak writes it in `iss`. RFC 3986 §3.3 allows more characters than `encodeURIComponent` leaves unescaped.
  const segment = encodeURIComponent(realm).replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
  const path = `/realms/${segment}`;
  const roles: ClaimPath[] = ['realm_access.roles', ...clients.map((client) => ['resource_access', client, 'roles'])];
  return reader.finishWith({
    issuer: `${url}${path}`,
    audience,
    keys:
      internalUrl === undefined
        ? { from: 'discovery' }
        : { from: 'jwks', uri: `${internalUrl}${path}/protocol/openid-connect/certs` },
    claimPaths: { scopes: ['scope'], roles },
  });
}

/** Keycloak creates these clients in each realm. Users have roles of some of them, so tokens for any API have them in `aud`. */
function isClientOfKeycloak(audience: string): boolean {
  return /^(?:account|account-console|realm-management|broker|security-admin-console|admin-cli)$/.test(audience);
}

const ISSUER = /^(?<url>https?:\/\/[^?#]+)\/realms\/(?<realm>[^/?#]+)\/?$/;

export const keycloakProvider: Provider<KeycloakOptions> = {
  name: 'keycloak',
  label: 'Keycloak',
  configure: keycloak,
  recognize: (issuer) => {
    const { url, realm } = matchIssuer(ISSUER, issuer) ?? {};
    // Invalid percent-encoding remains. The preset rejects it.
    return realm === undefined ? undefined : { url, realm: unescape(realm) };
  },
  exampleIssuer: 'https://keycloak.example.com/realms/your-realm',
  variables: { url: 'KEYCLOAK_URL', realm: 'KEYCLOAK_REALM', audience: 'AUTH_AUDIENCE' },
  comments: { audience: 'The audience that an Audience mapper adds to the tokens.' },
  audience: { example: 'your-api', isCommon: isClientOfKeycloak },
  checksOnlyAudience: true,
  // The base path was /auth before Keycloak 17.
  alternativeIssuers: ({ origin, pathname }) => {
    const path = pathname.replace(/\/$/, '');
    if (path.startsWith('/auth/realms/')) return [origin + path.slice('/auth'.length)];
    return path.startsWith('/realms/') ? [`${origin}/auth${path}`] : [];
  },
  advice: {
    AUDIENCE_MISMATCH:
      'Add a mapper of the type Audience for this API to the client or to one of its client scopes (Client scopes → Add mapper → Included Client Audience).',
    ISSUER_UNTRUSTED: adviseOnIssuer,
  },
};

function adviseOnIssuer({ issuer, named = '' }: AdviceFacts): string | undefined {
  const [own, other] = [issuer, named].map((name) => matchIssuer(ISSUER, name));
  if (own?.url === undefined || other?.url === undefined || own.realm !== other.realm) return undefined;
  if (!isFetchableAddress(own.url, true) || !isFetchableAddress(other.url, true)) return undefined;
  const [ownUrl, otherUrl] = [new URL(own.url), new URL(other.url)];
  if (ownUrl.host === otherUrl.host) return undefined;
  const cause =
    'This is the same realm at another address: Keycloak writes into `iss` the address at which the token was requested.';
  if (isInternal(ownUrl) === isInternal(otherUrl))
    return `${cause} If there are two servers, request the token at the configured one. Otherwise set the hostname of Keycloak, so that all tokens have the address that users reach, for example KC_HOSTNAME=${printUrl(ownUrl)}.`;
  // The token is not verified, so a public address that only the token names must not be configured.
  const [hostname, url, internalUrl] = isInternal(otherUrl)
    ? [`KC_HOSTNAME=${printUrl(ownUrl)}`, printUrl(ownUrl), printUrl(otherUrl)]
    : ['KC_HOSTNAME', '<the public URL of Keycloak>', printUrl(ownUrl)];
  const http = isFetchableAddress(internalUrl, false) ? '' : ' and insecureAllowHttp: true';
  return `${cause} Set its hostname (${hostname}), so that all tokens have the address that users reach. If this application reaches Keycloak only inside a network, use keycloak({ url: '${url}', internalUrl: '${internalUrl}', … })${http}. If there are two servers, request the token at the configured one.`;
}

// Documentation and tests use them for public addresses. No server has them.
const RESERVED_FOR_EXAMPLES = /\.test\.?$|^\[2001:db8:/;

function isInternal({ hostname }: URL): boolean {
  return isInternalHost(hostname) && !RESERVED_FOR_EXAMPLES.test(hostname);
}

/** `URL` escapes all characters that could end a string literal or rewrite a terminal, except for the apostrophe. */
function printUrl({ href }: URL): string {
  return href.replace(/\/$/, '').replaceAll("'", '%27');
}
