import type { ClaimPath, IssuerOptions } from '../options/options.js';
import { isClientOfEachRealm } from './common-audiences.js';
import { PresetArguments } from './preset-arguments.js';

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
