import { isFetchableAddress, isInternalHost } from '../model/address.js';
import { isDowngrade, isSimilarAddress } from '../model/similar-address.js';
import type { ClaimPath, IssuerOptions } from '../options/options.js';
import { isClientOfEachRealm } from './common-audiences.js';
import { PresetArguments } from './preset-arguments.js';
import { type AdviceFacts, matchIssuer, type Provider } from './provider.js';

export interface KeycloakOptions {
  /**
   * Where users reach Keycloak: `iss` begins with it. With its base path if it has one (`https://id.example.com/auth`
   * before Keycloak 17, or with `--http-relative-path`). A trailing slash does not matter.
   */
  readonly url: string;
  /** The name of the realm, as the admin console has it, `'my shop'`: not percent-encoded. */
  readonly realm: string;
  /** What the tokens name in `aud`: by way of an Audience mapper, or the client id whose roles the user has. */
  readonly audience: string | readonly string[];
  /**
   * Where this application reaches Keycloak, if not at `url`: `'http://keycloak:8080'` in a cluster. Keys are fetched from there;
   * `iss` stays the public one. The base path of `url` is not put behind it: if Keycloak itself has one, and not only a proxy before
   * it, write it here, too (`'http://keycloak:8080/auth'`). Plain http there needs `insecureAllowHttp: true` in `AuthModule`.
   */
  readonly internalUrl?: string;
  /** The client (or clients) whose roles count, beside those of the realm. Default: those that `audience` names. */
  readonly clientId?: string | readonly string[];
}

/**
 * Access tokens of a Keycloak realm.
 *
 * - `iss` is `{url}/realms/{realm}`; keys are at `/protocol/openid-connect/certs` below it
 *   (https://www.keycloak.org/securing-apps/oidc-layers#_oidc_available_endpoints). The base path `/auth` was dropped with
 *   Keycloak 17 (https://www.keycloak.org/migration/migrating-to-quarkus).
 * - The name of the realm stands in `iss` as JAX-RS encodes a path segment: a space becomes `%20`, letters beyond ASCII are encoded as
 *   UTF-8, `+`, `@`, `:` and the like stay (`Urls.realmIssuer`, `UriBuilder.path("{realm}").build(name)`,
 *   https://github.com/keycloak/keycloak/blob/main/services/src/main/java/org/keycloak/services/Urls.java). A new realm cannot have such
 *   characters in its name (`ReservedCharValidator`); one of an old installation may.
 * - Roles of the realm stand in `realm_access.roles`, those of a client in `resource_access.{client}.roles`
 *   (https://www.keycloak.org/docs/latest/server_admin/#_oidc_token_role_mappings); both count, under their bare names. Scopes
 *   stand in `scope`.
 * - `aud` names the clients of which the user has a role, and what an Audience mapper adds
 *   (https://www.keycloak.org/docs/latest/server_admin/#audience-support).
 * - ID, refresh and logout tokens are refused by their claim `typ` (TYPE_NOT_ALLOWED).
 *
 * Not checked: whether the session still exists. A lightweight access token holds no roles.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function keycloak(options: KeycloakOptions): IssuerOptions {
  const given = new PresetArguments('keycloak', options, ['url', 'realm', 'audience', 'internalUrl', 'clientId']);
  const url = given.address('url', 'https://id.example.com');
  const realm = given.text('realm', 'the name of the realm');
  const audience = given.texts('audience', 'what the tokens name in `aud`: the client id of your API');
  const internalUrl = given.optionalAddress('internalUrl', 'http://keycloak:8080');
  const clients = given.optionalTexts('clientId', 'the client whose roles count') ?? audience;
  if (realm.includes('/') || realm === '.' || realm === '..')
    given.problem('realm', "must be the realm's name alone, 'my-realm'; the rest is put around it");
  if (realm.includes('%'))
    given.problem('realm', "must be the realm's name itself, 'my shop': it is encoded here, not before");
  for (const [name, address] of Object.entries({ url, internalUrl })) {
    if (address !== undefined && /\/realms(?:\/|$)/.test(address))
      given.problem(name, 'must end before /realms/…, which is put behind it; the realm stands in `realm`');
  }
  for (const name of audience.filter(isClientOfEachRealm)) {
    const what =
      name === 'account' ? 'which nearly every token of a realm names' : 'a client that Keycloak makes in each realm';
    given.problem('audience', `must not be '${name}', ${what}: add an Audience mapper for your API`);
  }
  given.finish();
  const path = `/realms/${pathSegmentOf(realm)}`;
  const roles: ClaimPath[] = ['realm_access.roles', ...clients.map((client) => ['resource_access', client, 'roles'])];
  return {
    issuer: `${url}${path}`,
    audience,
    keys:
      internalUrl === undefined
        ? { from: 'discovery' }
        : { from: 'jwks', uri: `${internalUrl}${path}/protocol/openid-connect/certs` },
    claimPaths: { scopes: ['scope'], roles },
  };
}

/** RFC 3986 §3.3: `encodeURIComponent` encodes more than a path segment needs, and Keycloak does not. */
function pathSegmentOf(name: string): string {
  return encodeURIComponent(name).replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
}

// Keycloak creates these clients in each realm, and users have roles of some of them by default.
const CLIENT_OF_EACH_REALM = /^(?:account|account-console|realm-management|broker|security-admin-console|admin-cli)$/;

function reasonAgainst(audience: string): string | undefined {
  if (audience === 'account') return 'which nearly every token of a realm has';
  return CLIENT_OF_EACH_REALM.test(audience) ? 'a client that Keycloak creates in each realm' : undefined;
}

export const keycloakProvider: Provider<KeycloakOptions> = {
  name: 'keycloak',
  label: 'Keycloak',
  configure: keycloak,
  recognize: (issuer) => {
    const { url, realm } = matchIssuer(ISSUER, issuer) ?? {};
    return realm === undefined ? undefined : { url, realm: decodePart(realm) };
  },
  exampleIssuer: 'https://keycloak.example.com/realms/your-realm',
  audience: { parameter: 'audience', claim: 'aud', example: 'your-api', reasonAgainst },
  environment: [
    { name: 'KEYCLOAK_URL', parameter: 'url', from: 'issuer' },
    { name: 'KEYCLOAK_REALM', parameter: 'realm', from: 'issuer' },
    {
      name: 'AUTH_AUDIENCE',
      parameter: 'audience',
      from: 'audience',
      comment: 'The audience that an Audience mapper adds to the tokens.',
    },
  ],
  // The base path was /auth before Keycloak 17.
  alternativeIssuers: ({ origin, pathname }) => {
    const path = pathname.replace(/\/$/, '');
    if (path.startsWith('/auth/realms/')) return [{ issuer: origin + path.slice('/auth'.length), isSameTenant: true }];
    return path.startsWith('/realms/') ? [{ issuer: `${origin}/auth${path}`, isSameTenant: true }] : [];
  },
  isInternalAddressOf: (issuer, named) => sameRealm(issuer, named)?.internal === 'issuer',
  advice: {
    AUDIENCE_MISMATCH:
      'Add a mapper of the type Audience for this API to the client or to one of its client scopes (Client scopes → Add mapper → Included Client Audience).',
    ISSUER_UNTRUSTED: adviceOnIssuer,
  },
};

interface SameRealm {
  /** The addresses of the server in the two issuers, normalized. */
  readonly issuerUrl: string;
  readonly namedUrl: string;
  /** The one that can be reached only from inside a network. Undefined: none or both. */
  readonly internal: 'issuer' | 'named' | undefined;
}

/** Compares two issuers of the same realm at different hosts. The one that a token names is not verified. */
function sameRealm(issuer: string, named: string): SameRealm | undefined {
  const [one, other] = [issuer, named].map((name) => /^(https?:\/\/[^?#]+)\/realms\/([^/?#]+)$/.exec(name));
  if (one?.[1] === undefined || other?.[1] === undefined || one[2] !== other[2]) return undefined;
  if (!isFetchableAddress(one[1], true) || !isFetchableAddress(other[1], true)) return undefined;
  const [url, otherUrl] = [new URL(one[1]), new URL(other[1])];
  if (url.host === otherUrl.host) return undefined;
  const isInternal = isInternalUrl(url);
  const internal = isInternal === isInternalUrl(otherUrl) ? undefined : isInternal ? 'issuer' : 'named';
  return { issuerUrl: printableUrl(url), namedUrl: printableUrl(otherUrl), internal };
}

function adviceOnIssuer({ issuer, named = '' }: AdviceFacts): string | undefined {
  if (isSimilarAddress(issuer, named) && isDowngrade(issuer, named))
    return 'Have Keycloak use https in `iss`: set KC_HOSTNAME to its public URL, or have the proxy that ends TLS send X-Forwarded-Proto.';
  const realm = sameRealm(issuer, named);
  if (realm === undefined) return undefined;
  const { issuerUrl, namedUrl, internal } = realm;
  const cause = 'Keycloak writes into `iss` the address at which the token was requested.';
  if (internal === undefined)
    return `This is the same realm at another address. ${cause} If these are two servers, request the token at the configured one. If they are one server, set its hostname so that all tokens have the address that users reach, for example KC_HOSTNAME=${issuerUrl}.`;
  const [publicUrl, internalUrl] = internal === 'named' ? [issuerUrl, namedUrl] : [namedUrl, issuerUrl];
  // A token is not verified, so no address of it may become the configured issuer.
  const [hostname, url] =
    internal === 'named' ? [`KC_HOSTNAME=${publicUrl}`, publicUrl] : ['KC_HOSTNAME', '<where users reach Keycloak>'];
  const http = isFetchableAddress(internalUrl, false) ? '' : ' and insecureAllowHttp: true';
  return `This is the same realm at another address. ${cause} Set its hostname (${hostname}), so that all tokens have the address that users reach. If this application reaches Keycloak only inside a network, use keycloak({ url: '${url}', internalUrl: '${internalUrl}', … })${http}. If these are two servers, request the token at the configured one.`;
}

// RFC 6762 §3, RFC 8375, ICANN's `internal`, and services of Kubernetes: these names cannot be registered.
const NOT_PUBLIC = /\.(?:local|internal|home\.arpa|svc)$/;

function isInternalUrl({ hostname }: URL): boolean {
  if (isInternalHost(hostname)) return true;
  const name = hostname.replace(/\.$/, '');
  // An IPv6 address has no dots, either.
  return !name.startsWith('[') && (!name.includes('.') || NOT_PUBLIC.test(name));
}

/** `URL` escapes everything but the apostrophe that could end a string literal or rewrite a terminal. */
function printableUrl({ href }: URL): string {
  return href.replace(/\/$/, '').replaceAll("'", '%27');
}

/** A part that is not percent-encoded stays as it is; the preset rejects it. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// The host can be any.
const ISSUER = /^(?<url>https?:\/\/[^?#]+)\/realms\/(?<realm>[^/?#]+)\/?$/;
