import type { AccessTokenClaims } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import type { IssuerOptions, IssuerResolver } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { type OwnCheck, withOwnCheck } from './preset-checks.js';
import { matchIssuer, type Provider } from './provider.js';

/** A national cloud: `global`, Azure Government, or Azure operated by 21Vianet. */
export type EntraCloud = 'global' | 'us-government' | 'china';

interface EntraIdCommonOptions extends OwnCheck {
  /**
   * The client id (a GUID) of your API's registration, or its `api://{client id}`: either stands for both. Or a list, when
   * the Application ID URI is another one: `['https://api.contoso.com', '{client id}']`.
   */
  readonly audience: string | readonly string[];
  /** Default `'global'`. */
  readonly cloud?: EntraCloud;
}

export interface EntraIdOptions extends EntraIdCommonOptions {
  /** The tenant's id, a GUID. Not its domain: tokens name the id. */
  readonly tenantId: string;
}

export interface EntraIdTenantsOptions extends EntraIdCommonOptions {
  /**
   * For an API of several tenants: which of them are let in. A list of tenant ids, or a function that is asked for each
   * token before it is verified; only `true` lets in. It is called with a GUID in lower case, and must be quick.
   */
  readonly tenants: readonly string[] | ((tenantId: string) => boolean | Promise<boolean>);
}

const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Who issues tokens of version 1.0 and of version 2.0, and where the metadata of both are. */
const CLOUDS: Readonly<Record<EntraCloud, { readonly v1: string; readonly login: string }>> = {
  global: { v1: 'https://sts.windows.net', login: 'https://login.microsoftonline.com' },
  'us-government': { v1: 'https://sts.windows.net', login: 'https://login.microsoftonline.us' },
  china: { v1: 'https://sts.chinacloudapi.cn', login: 'https://login.partner.microsoftonline.cn' },
};

// Options are read once for an object: so that they are not for each token. More tenants than that are read again.
const MAX_REMEMBERED_ISSUERS = 1_000;

/**
 * Access tokens of Microsoft Entra ID for an API that is registered there.
 *
 * - An API gets tokens of version 1.0 (`iss` `https://sts.windows.net/{tenant}/`) or 2.0
 *   (`https://login.microsoftonline.com/{tenant}/v2.0`), as `accessTokenAcceptedVersion` (`requestedAccessTokenVersion`) in its
 *   manifest says, whatever endpoint the client uses. Both are trusted. Keys are found through the tenant's own metadata of that version
 *   (https://learn.microsoft.com/entra/identity-platform/access-tokens#v10-and-v20-tokens).
 * - `aud` is the client id in 2.0, the client id or the Application ID URI in 1.0; `scp` holds the scopes of a user's token,
 *   `roles` the app roles, of a user or of the client itself
 *   (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
 * - `tid` must be the tenant of the issuer (https://learn.microsoft.com/entra/identity-platform/claims-validation).
 * - ID tokens, which have the same `iss` and may have the same `aud`, name no client: `azp` (2.0) or `appid` (1.0) must be there.
 * - National clouds: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud; their issuers of both
 *   versions: https://learn.microsoft.com/en-us/answers/questions/1190472/what-are-the-token-issuers-for-the-sovereign-cloud. That of
 *   version 1.0 is the same in Azure Government as in the global cloud.
 *
 * Not covered: external tenants (`ciamlogin.com`) and Azure AD B2C (`b2clogin.com`), whose issuers and metadata are others: by options of
 * your own, as docs/providers.md shows.
 *
 * Not checked: which client calls (`azp`, `appid`), and whether a token is a user's or a client's own. Groups stand in `groups`, as
 * ids, up to 200; beyond that they must be asked for at Microsoft Graph. Tokens for Microsoft Graph cannot be verified by others.
 *
 * @returns `issuers`, to be spread into the options of `AuthModule`; a list for one tenant, a resolver for `tenants`.
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function entraId(options: EntraIdOptions): { readonly issuers: readonly IssuerOptions[] };
export function entraId(options: EntraIdTenantsOptions): { readonly issuers: IssuerResolver };
export function entraId(options: EntraIdOptions | EntraIdTenantsOptions): {
  readonly issuers: readonly IssuerOptions[] | IssuerResolver;
} {
  const given = new PresetArguments('entraId', options, ['tenantId', 'tenants', 'audience', 'cloud', 'validate']);
  const isMultiTenant = given.isGiven('tenants');
  const allowed = isMultiTenant ? readTenants(given, (options as EntraIdTenantsOptions).tenants) : () => false;
  const tenantId = isMultiTenant ? '' : readTenantId(given);
  const audience = readAudience(given);
  const cloud = given.oneOf('cloud', Object.keys(CLOUDS) as EntraCloud[], 'global');
  const validate = given.optionalFunction('validate') as EntraIdOptions['validate'];
  given.finish();
  const issuer = (tenant: string, version: 'v1' | 'v2') => issuerOf({ tenant, version, audience, cloud, validate });
  if (isMultiTenant) return { issuers: resolverOf(CLOUDS[cloud], allowed, issuer) };
  return { issuers: [issuer(tenantId, 'v1'), issuer(tenantId, 'v2')] };
}

interface Audience {
  /** In tokens of version 1.0: client ids and Application ID URIs. */
  readonly v1: readonly string[];
  /** In tokens of version 2.0: client ids only. */
  readonly v2: readonly string[];
}

function issuerOf(of: {
  readonly tenant: string;
  readonly version: 'v1' | 'v2';
  readonly audience: Audience;
  readonly cloud: EntraCloud;
  readonly validate: EntraIdOptions['validate'];
}): IssuerOptions {
  const { v1, login } = CLOUDS[of.cloud];
  const isV1 = of.version === 'v1';
  const required = ['tid', isV1 ? 'appid' : 'azp'];
  return {
    issuer: isV1 ? `${v1}/${of.tenant}/` : `${login}/${of.tenant}/v2.0`,
    audience: of.audience[of.version],
    keys: {
      from: 'discovery',
      uri: `${login}/${of.tenant}${isV1 ? '' : '/v2.0'}/.well-known/openid-configuration`,
    },
    algorithms: ['RS256'],
    requiredClaims: required,
    claimPaths: { scopes: ['scp'], roles: ['roles'] },
    ...withOwnCheck(
      (claims) => {
        checkTenant(claims, of.tenant);
      },
      of.validate,
      required,
    ),
  };
}

function checkTenant({ tid }: AccessTokenClaims, tenant: string): void {
  if (tid !== tenant) throw new AuthError('CLAIM_INVALID', { claim: 'tid', expected: tenant });
}

type IsAllowed = (tenantId: string) => boolean | Promise<boolean>;

function resolverOf(
  { v1, login }: { readonly v1: string; readonly login: string },
  allowed: IsAllowed,
  optionsOf: (tenant: string, version: 'v1' | 'v2') => IssuerOptions,
): IssuerResolver {
  const remembered = new Map<string, IssuerOptions>();
  const known = (issuer: string, tenant: string, version: 'v1' | 'v2') => {
    const options = remembered.get(issuer) ?? optionsOf(tenant, version);
    // Only of tenants that are allowed, so strangers push nobody out.
    if (!remembered.has(issuer) && remembered.size < MAX_REMEMBERED_ISSUERS) remembered.set(issuer, options);
    return options;
  };
  return (issuer) => {
    const version = issuer.startsWith(`${v1}/`) ? 'v1' : 'v2';
    const tenant = issuer.slice((version === 'v1' ? v1 : login).length + 1).split('/', 1)[0] ?? '';
    if (!GUID.test(tenant)) return undefined;
    if (issuer !== (version === 'v1' ? `${v1}/${tenant}/` : `${login}/${tenant}/v2.0`)) return undefined;
    const verdict: unknown = allowed(tenant);
    if (!(verdict instanceof Promise)) return verdict === true && known(issuer, tenant, version);
    return verdict.then((value: unknown) => value === true && known(issuer, tenant, version));
  };
}

function readTenants(given: PresetArguments, tenants: EntraIdTenantsOptions['tenants']): IsAllowed {
  if (given.isGiven('tenantId')) given.problem('tenantId', 'is one tenant; give either that or `tenants`');
  if (typeof tenants === 'function') return tenants;
  if (!Array.isArray(tenants)) {
    given.problem('tenants', 'must be a list of tenant ids, or a function that says which are let in');
    return () => false;
  }
  const ids = given.texts('tenants', 'the ids of the tenants').map((id) => id.toLowerCase());
  ids.forEach((id, index) => {
    if (!GUID.test(id)) given.problem(`tenants[${String(index)}]`, notATenant(id));
  });
  const listed = new Set(ids);
  return (tenant) => listed.has(tenant);
}

function readTenantId(given: PresetArguments): string {
  const meaning = 'the id of your tenant (Directory ID), a GUID; `tenants` for an API of several';
  const tenantId = given.text('tenantId', meaning).toLowerCase();
  if (tenantId !== '' && !GUID.test(tenantId)) given.problem('tenantId', notATenant(tenantId));
  return tenantId;
}

function notATenant(value: string): string {
  return ['common', 'organizations', 'consumers'].includes(value)
    ? `is '${value}', which lets in every tenant there is: say in \`tenants\` which`
    : "must be the tenant's id, a GUID (Directory ID): tokens name that, and not the domain";
}

function readAudience(given: PresetArguments): Audience {
  const named = given.texts('audience', "the client id of your API's registration, a GUID");
  const clientIds = named.map((name) => name.toLowerCase().replace(/^api:\/\//, '')).filter((name) => GUID.test(name));
  if (named.length > 0 && clientIds.length === 0) {
    given.problem(
      'audience',
      'must have the client id of your API (a GUID) in it, too: tokens of version 2.0 name only that',
    );
  }
  const both = clientIds.flatMap((id) => [id, `api://${id}`]);
  return { v1: [...new Set([...named, ...both])], v2: [...new Set(clientIds)] };
}

const ISSUER =
  /^https:\/\/(?<host>login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|sts\.chinacloudapi\.cn)\/(?<tenantId>[^/?#]+)(?:\/v2\.0)?\/?$/i;

// Microsoft Graph and its predecessors, by id and by name, in each cloud.
const MICROSOFT_APIS: readonly RegExp[] = [
  /^0000000[23]-0000-0000-c000-000000000000$/i,
  /^https:\/\/(?:(?:dod-)?graph\.microsoft\.(?:com|us)|microsoftgraph\.chinacloudapi\.cn|graph\.windows\.net)\/?$/i,
  /^https:\/\/management\.(?:core\.windows\.net|azure\.com)\/?$/i,
];

const REQUEST_SCOPE = 'Request a scope of this API, for example api://<client id of the API>/.default.';

export const entraIdProvider: Provider<EntraIdOptions> = {
  name: 'entraId',
  label: 'Microsoft Entra ID',
  configure: entraId,
  recognize: (issuer) => {
    const { host = '', tenantId } = matchIssuer(ISSUER, issuer) ?? {};
    return tenantId === undefined ? undefined : { tenantId: tenantId.toLowerCase(), cloud: cloudOf(host) };
  },
  exampleIssuer: 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0',
  audience: {
    parameter: 'audience',
    claim: 'aud',
    example: '00000000-0000-0000-0000-000000000000',
    reasonAgainst: (audience) => (MICROSOFT_APIS.some((api) => api.test(audience)) ? 'an API of Microsoft' : undefined),
  },
  environment: [
    { name: 'ENTRA_TENANT_ID', parameter: 'tenantId', from: 'issuer' },
    {
      name: 'AUTH_AUDIENCE',
      parameter: 'audience',
      from: 'audience',
      comment: "The client id of the API's registration.",
    },
  ],
  exampleClaims: { tid: { variable: 'ENTRA_TENANT_ID' }, appid: 'test-client' },
  checksMoreThanAudience: true,
  alternativeIssuers: ({ origin, pathname, hostname }) => {
    const path = pathname.replace(/\/$/, '');
    if (!hostname.startsWith('login.') || path.endsWith('/v2.0')) return [];
    return [{ issuer: `${origin}${path}/v2.0`, isSameTenant: true }];
  },
  advice: {
    AUDIENCE_MISMATCH: REQUEST_SCOPE,
    SIGNATURE_INVALID: `Tokens for Microsoft Graph have a \`nonce\` in the header, and only Graph can verify them. ${REQUEST_SCOPE}`,
    ISSUER_UNTRUSTED: ({ issuer, named = '' }) => {
      if (/\{tenantid\}/i.test(named))
        return 'The endpoints common, organizations and consumers issue no tokens under their own name. Write the id of your tenant instead, or list several tenants in entraId() of nestjs-resource-server/presets.';
      const [tenant, other] = [issuer, named].map((name) => entraIdProvider.recognize(name)?.tenantId);
      return tenant !== undefined && tenant === other
        ? "Entra ID has an issuer for tokens of version 1.0 and one for version 2.0. Set requestedAccessTokenVersion (accessTokenAcceptedVersion) in the manifest of the API's registration to 2, or trust both with entraId() of nestjs-resource-server/presets."
        : undefined;
    },
  },
};

/** Azure Government has the same issuer of version 1.0 as the global cloud. */
function cloudOf(host: string): EntraCloud | undefined {
  if (/\.us$/i.test(host)) return 'us-government';
  return /\.cn$/i.test(host) ? 'china' : undefined;
}
