import { isPromise } from '../model/maybe-promise.js';
import { AuthError } from '../model/errors.js';
import type { IssuerOptions, IssuerResolver } from '../options/options.js';
import { PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

/** A national cloud: `global`, Azure Government, or Azure operated by 21Vianet. */
export type EntraCloud = 'global' | 'us-government' | 'china';

interface EntraIdCommonOptions extends ValidateOption {
  /**
   * The client id (a GUID) of your API's registration, or `api://{client id}`: each includes the other. With another Application ID
   * URI, a list: `['https://api.contoso.com', '{client id}']`.
   */
  readonly audience: string | readonly string[];
  /** Default `'global'`. */
  readonly cloud?: EntraCloud;
  /**
   * The client id (a GUID) of the API, if it has signing keys of its own: after a claims mapping policy or a SAML certificate was assigned
   * to it. The keys are then those of the metadata with `?appid=`. Default: the keys of the tenant.
   */
  readonly appId?: string;
}

export interface EntraIdOptions extends EntraIdCommonOptions {
  /** The tenant's id, a GUID. Not its domain, which is in no token. */
  readonly tenantId: string;
}

export interface EntraIdTenantsOptions extends EntraIdCommonOptions {
  /**
   * The tenants whose tokens are accepted: a list of tenant ids, or a function. The function is called with a lowercase GUID for each
   * token before it is verified, so it must be fast. Only `true` accepts the tenant.
   */
  readonly tenants: readonly string[] | ((tenantId: string) => boolean | Promise<boolean>);
}

const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const TENANT_ID = new RegExp(GUID, 'i');

/** Origins of the issuers of version 1.0, and of the issuers of version 2.0 and all metadata. */
const CLOUDS: Readonly<Record<EntraCloud, Record<'v1' | 'login', string>>> = {
  global: { v1: 'https://sts.windows.net', login: 'https://login.microsoftonline.com' },
  'us-government': { v1: 'https://sts.windows.net', login: 'https://login.microsoftonline.us' },
  china: { v1: 'https://sts.chinacloudapi.cn', login: 'https://login.partner.microsoftonline.cn' },
};

// The same object for the same issuer is validated only once. Issuers above this number are validated for each token.
const MAX_CACHED_ISSUERS = 1_000;

/**
 * Access tokens of Microsoft Entra ID for an API that is registered there.
 *
 * - `iss` is `https://sts.windows.net/{tenant}/` in version 1.0 and `https://login.microsoftonline.com/{tenant}/v2.0` in version 2.0. The API's
 *   manifest selects the version (`requestedAccessTokenVersion`), not the endpoint that the client uses. Both are trusted. `tid` must be the
 *   tenant of the issuer.
 * - `scp` has the scopes of a user's token, `roles` the app roles of a user or of the client.
 * - ID tokens have the same `iss` and may have the same `aud`, but no client: `azp` (2.0) or `appid` (1.0) is required.
 *
 * Not supported: external tenants (`ciamlogin.com`) and Azure AD B2C (`b2clogin.com`), see docs/providers/entra-id.md; tokens for Microsoft Graph,
 * which only Graph can verify. Not checked: the client, and whether the token is for a user. Up to 200 group ids are in `groups`.
 * @see https://learn.microsoft.com/entra/identity-platform/access-tokens
 * @returns `issuers`, to spread into the options of `AuthModule`: a list for one tenant, a resolver for `tenants`
 * @throws ConfigurationError if an option is missing or invalid
 */
export function entraId(options: EntraIdOptions): { readonly issuers: readonly IssuerOptions[] };
export function entraId(options: EntraIdTenantsOptions): { readonly issuers: IssuerResolver };
export function entraId(options: EntraIdOptions | EntraIdTenantsOptions): {
  readonly issuers: readonly IssuerOptions[] | IssuerResolver;
} {
  const reader = new PresetReader('entraId', options);
  const meaning = 'the id of your tenant (Directory ID), a GUID. For several tenants, set `tenants`';
  const accepted = reader.hasInsteadOf('tenants', 'tenantId')
    ? readTenants(reader)
    : reader.text('tenantId', meaning, TENANT_ID).toLowerCase();
  const audience = readAudience(reader);
  const clouds = Object.keys(CLOUDS) as EntraCloud[];
  const cloud = CLOUDS[(reader.has('cloud') ? reader.oneOf('cloud', clouds) : undefined) ?? 'global'];
  const appId = reader.optionalText('appId', "the client id of your API's registration, a GUID", TENANT_ID);
  const query = appId === undefined ? '' : `?appid=${appId}`;
  const validate = reader.validate();
  const issuersOf = (tenant: string) =>
    (['v1', 'v2'] as const).map((version): IssuerOptions => {
      const [path, client] = version === 'v1' ? ['', 'appid'] : ['/v2.0', 'azp'];
      return {
        issuer: version === 'v1' ? `${cloud.v1}/${tenant}/` : `${cloud.login}/${tenant}/v2.0`,
        audience: audience[version],
        keys: { from: 'discovery', uri: `${cloud.login}/${tenant}${path}/.well-known/openid-configuration${query}` },
        algorithms: ['RS256'],
        claimPaths: { scopes: ['scp'], roles: ['roles'] },
        ...providerCheck(['tid', client], validate, ({ tid }) => {
          if (tid !== tenant) throw new AuthError('CLAIM_INVALID', { claim: 'tid', expected: tenant });
        }),
      };
    });
  const issuers = typeof accepted === 'function' ? tenantResolver(accepted, issuersOf) : issuersOf(accepted);
  return reader.finishWith({ issuers });
}

type IsAccepted = (tenantId: string) => boolean | Promise<boolean>;

function tenantResolver(
  isAccepted: IsAccepted,
  issuersOf: (tenant: string) => readonly IssuerOptions[],
): IssuerResolver {
  const cache = new Map<string, IssuerOptions>();
  return (issuer) => {
    const tenant = issuer.split('/')[3] ?? '';
    if (!GUID.test(tenant)) return undefined;
    const options = cache.get(issuer) ?? issuersOf(tenant).find((configured) => configured.issuer === issuer);
    if (options === undefined) return undefined;
    const answer = (verdict: unknown) => {
      // Only accepted tenants fill the cache.
      if (verdict === true && cache.size < MAX_CACHED_ISSUERS) cache.set(issuer, options);
      return verdict === true && options;
    };
    const verdict: unknown = isAccepted(tenant);
    return isPromise(verdict) ? verdict.then(answer) : answer(verdict);
  };
}

function readTenants(reader: PresetReader): IsAccepted {
  const { tenants } = reader.record;
  if (typeof tenants === 'function') return tenants as IsAccepted;
  const ids = reader.texts('tenants', 'the id (GUID) of each accepted tenant, or to a function', TENANT_ID);
  const accepted = new Set(ids.map((id) => id.toLowerCase()));
  return (tenant) => accepted.has(tenant);
}

function readAudience(reader: PresetReader): Readonly<Record<'v1' | 'v2', readonly string[]>> {
  const names = reader.texts('audience', "the client id of your API's registration, a GUID");
  const clientIds = names.map((name) => name.toLowerCase().replace(/^api:\/\//, '')).filter((name) => GUID.test(name));
  if (names.length > 0 && clientIds.length === 0)
    reader.invalid('audience', 'Add the client id of your API (a GUID), the only `aud` in tokens of version 2.0.');
  const both = clientIds.flatMap((id) => [id, `api://${id}`]);
  return { v1: [...new Set([...names, ...both])], v2: [...new Set(clientIds)] };
}

const ISSUER = /^(?<origin>https:\/\/[^/]+)\/(?<tenantId>[^/?#]+)(?:\/v2\.0)?\/?$/;

// Microsoft Graph, its predecessor and Azure Resource Manager, by id and by name, in each cloud.
const MICROSOFT_API =
  /^(?:0000000[23]-0000-0000-c000-000000000000|https:\/\/(?:(?:dod-)?graph\.microsoft\.(?:com|us)|microsoftgraph\.chinacloudapi\.cn|graph\.windows\.net|management\.core\.windows\.net|management\.azure\.com)\/?)$/i;

const REQUEST_SCOPE = 'Request a scope of this API, for example api://<client id of the API>/.default.';

export const entraIdProvider: Provider<EntraIdOptions> = {
  name: 'entraId',
  label: 'Microsoft Entra ID',
  configure: entraId,
  recognize: (issuer) => {
    const { origin, tenantId } = matchIssuer(ISSUER, issuer.toLowerCase()) ?? {};
    // The first one: Azure Government has the same issuer of version 1.0 as the global cloud.
    const [cloud] = Object.entries(CLOUDS).find(([, { v1, login }]) => origin === v1 || origin === login) ?? [];
    return cloud === undefined ? undefined : { tenantId, cloud: cloud === 'global' ? undefined : cloud };
  },
  exampleIssuer: 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0',
  variables: { tenantId: 'ENTRA_TENANT_ID', audience: 'AUTH_AUDIENCE' },
  comments: { audience: "The client id of the API's registration." },
  audience: { example: '00000000-0000-0000-0000-000000000000', isCommon: (audience) => MICROSOFT_API.test(audience) },
  exampleClaims: ['tid: process.env.ENTRA_TENANT_ID', "appid: 'test-client'"],
  alternativeIssuers: ({ origin, pathname }) => {
    const path = pathname.replace(/\/$/, '');
    const isVersion1 = Object.values(CLOUDS).some(({ login }) => login === origin) && !path.endsWith('/v2.0');
    return isVersion1 ? [`${origin}${path}/v2.0`] : [];
  },
  advice: {
    AUDIENCE_MISMATCH: REQUEST_SCOPE,
    SIGNATURE_INVALID: `Only Microsoft Graph can verify its tokens, which have a \`nonce\` in the header. ${REQUEST_SCOPE}`,
    ISSUER_UNTRUSTED: ({ issuer, named = '' }) => {
      if (/\{tenantid\}/i.test(named))
        return 'The endpoints common, organizations and consumers issue no tokens under their own name. Write the id of your tenant instead. For several tenants use entraId({ tenants: … }) of nestjs-resource-server/presets.';
      const [tenant, other] = [issuer, named].map((name) => entraIdProvider.recognize(name)?.tenantId);
      return tenant !== undefined && tenant === other
        ? "Entra ID has one issuer for tokens of version 1.0 and another for version 2.0. Set requestedAccessTokenVersion (accessTokenAcceptedVersion) in the manifest of the API's registration to 2, or trust both with entraId() of nestjs-resource-server/presets."
        : undefined;
    },
  },
};
