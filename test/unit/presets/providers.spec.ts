import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { type IssuerOptions, PROVIDER_CHECK } from '../../../src/options/options.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import * as presets from '../../../src/presets.js';
import { adviceOf, type Provider } from '../../../src/presets/provider.js';
import { isCommonAudience, PROVIDERS, recognizeIssuer } from '../../../src/presets/providers.js';
import { problemsOf } from '../../support/provider.js';

const EKS = 'https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E';
const GKE = 'https://container.googleapis.com/v1/projects/shop/locations/europe-west1/clusters/main';
const AKS =
  'https://eastus.oic.prod-aks.azure.com/72f988bf-86f1-41af-91ab-2d7cd011db47/11111111-1111-1111-1111-111111111111/';
const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';

function issuersOf(options: ReturnType<Provider['configure']>): readonly IssuerOptions[] {
  if (!('issuers' in options)) {
    const { tokenFrom: _ofTheModule, ...issuer } = options;
    return [issuer];
  }
  if (typeof options.issuers === 'function') throw new Error('is a resolver');
  return options.issuers;
}

/** The options that follow from the example issuer, the example audience and the example of a caller. */
function exampleOptions({ exampleIssuer, audience, callers, ...provider }: Provider) {
  return {
    ...(provider.recognize(exampleIssuer) ?? provider.recognizeCustomDomain?.(exampleIssuer)),
    [audience.parameter ?? 'audience']: audience.example,
    ...(callers && { [callers.parameter]: [callers.example] }),
  };
}

/** Returns the names in the message about an unknown option. */
function optionNames(provider: Provider): readonly string[] {
  const [problem = ''] = problemsOf(() => provider.configure({ ...withoutUndefined(exampleOptions(provider)), '': 1 }));
  return problem.replace(/^.*Use one of (.*)\.$/, '$1').split(', ');
}

const withoutUndefined = (options: object) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

const { fromEnv: _fromEnv, requiredEnv: _requiredEnv, ...published } = presets;

it('PROVIDERS lists every published preset', () => {
  const configured = PROVIDERS.map((provider) => [provider.name, Reflect.get(provider, 'configure') as unknown]);
  expect(Object.fromEntries(configured)).toEqual(published);
});

it('schematics/nest-add/schema.json lists every provider with its label', () => {
  const other = { value: 'other', label: 'Another OAuth 2.0 or OpenID Connect server' };
  const items = [...PROVIDERS.map(({ name, label }) => ({ value: name, label })), other];
  const provider = { enum: items.map(({ value }) => value), 'x-prompt': { items } };
  const schema: unknown = JSON.parse(readFileSync('schematics/nest-add/schema.json', 'utf8'));
  expect(schema).toMatchObject({ properties: { provider } });
});

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))('The record of %s', (name, provider) => {
  const options = withoutUndefined(exampleOptions(provider));
  const issuers = issuersOf(provider.configure(options));

  it('has an example configuration that the module accepts', () => {
    expect(() => resolveOptions({ issuers })).not.toThrow();
    expect(issuers.map(({ issuer }) => issuer)).toContain(provider.exampleIssuer);
    const audiences = issuers.map(({ audience }) => audience).filter((audience) => audience !== null);
    for (const audience of audiences) expect([audience].flat()).toContain(provider.audience.example);
  });

  it('recognizes its own issuers, if they are not always under a custom domain', () => {
    const recognized = recognizeIssuer(provider.exampleIssuer);
    expect(recognized?.provider.name).toBe(['betterAuth', 'awsAlb'].includes(name) ? undefined : name);
    const others = PROVIDERS.filter((other) => other !== provider);
    expect(others.some((other) => other.recognize(provider.exampleIssuer) !== undefined)).toBe(false);
  });

  it('recognizes no similar host and no other address that contains its issuer', () => {
    const { host } = new URL(provider.exampleIssuer);
    const path = provider.exampleIssuer.slice(`https://${host}`.length);
    const similar = [`https://example.com/${host}${path}`, `x${host}${path}`];
    // A Kubernetes cluster may have any domain.
    if (name !== 'kubernetes') similar.push(`https://${host}.example.com${path}`);
    const isAnyHost = provider.recognize(`https://id.example.com${path}`) !== undefined;
    for (const issuer of isAnyHost ? [] : similar)
      expect([issuer, provider.recognize(issuer)]).toEqual([issuer, undefined]);
  });

  it('has environment variables with unique names, for options of the preset', () => {
    const { variables, comments = {}, usualOptions = {} } = provider;
    const [parameters, names] = [Object.keys(variables), Object.values(variables)];
    expect(new Set(names).size).toBe(names.length);
    expect(optionNames(provider)).toEqual(expect.arrayContaining(parameters));
    expect(parameters).toEqual(expect.arrayContaining([...Object.keys(comments), ...Object.keys(usualOptions)]));
    for (const parameter of parameters) expect({ ...usualOptions, ...options }).toHaveProperty(parameter);
  });

  it('tells whether the preset checks more than issuer and audience', () => {
    const checksMore = issuers.some(
      (issuer) => PROVIDER_CHECK in issuer || issuer.tokenTypes !== undefined || issuer.audienceClaim !== undefined,
    );
    expect(provider.checksOnlyAudience ?? false).toBe(!checksMore);
  });

  it('tells whether the preset requires a list of callers', () => {
    const others = withoutUndefined({ ...options, [provider.callers?.parameter ?? '']: undefined });
    const problems = problemsOf(() => provider.configure(others));
    expect(problems.some((problem) => problem.includes('is missing. Anyone'))).toBe(provider.callers !== undefined);
  });

  it('rejects each option that is present but undefined', () => {
    for (const option of optionNames(provider)) {
      const problems = problemsOf(() => provider.configure({ ...options, [option]: undefined }));
      expect(problems).toContainEqual(
        expect.stringMatching(`^${name}\\(\\)\\.${option}: is (missing|undefined|set beside)`),
      );
    }
  });

  it('has advice in whole sentences', () => {
    for (const code of Object.keys(provider.advice ?? {})) {
      const text = adviceOf(provider, code as never, { issuer: provider.exampleIssuer });
      if (text !== undefined) expect(text).toMatch(/^[A-Z`].*[.!]$/);
    }
  });
});

describe('recognizeIssuer', () => {
  const pool = { region: 'us-east-1', userPoolId: 'us-east-1_A' };
  it.each([
    ['auth0', 'https://tenant.eu.auth0.com/', { domain: 'tenant.eu.auth0.com' }],
    ['auth0', 'https://tenant.auth0.com', { domain: 'tenant.auth0.com' }],
    ['keycloak', 'https://id.example.com/realms/shop', { url: 'https://id.example.com', realm: 'shop' }],
    ['keycloak', 'https://id.example.com/auth/realms/shop/', { url: 'https://id.example.com/auth', realm: 'shop' }],
    ['keycloak', 'https://id.example.com/realms/my%20shop', { url: 'https://id.example.com', realm: 'my shop' }],
    ['keycloak', 'https://id.example.com/realms/100%', { url: 'https://id.example.com', realm: '100%' }],
    ['keycloak', 'http://localhost:8080/realms/shop', { url: 'http://localhost:8080', realm: 'shop' }],
    ['entraId', `https://login.microsoftonline.com/${TENANT}/v2.0`, { tenantId: TENANT }],
    ['entraId', `https://login.microsoftonline.com/${TENANT}`, { tenantId: TENANT }],
    ['entraId', `https://login.microsoftonline.com/${TENANT.toUpperCase()}/v2.0/`, { tenantId: TENANT }],
    ['entraId', 'https://login.microsoftonline.com/common/v2.0', { tenantId: 'common' }],
    ['entraId', `https://sts.windows.net/${TENANT}/`, { tenantId: TENANT }],
    ['entraId', `https://login.microsoftonline.us/${TENANT}/v2.0`, { tenantId: TENANT, cloud: 'us-government' }],
    ['entraId', `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`, { tenantId: TENANT, cloud: 'china' }],
    ['entraId', `https://sts.chinacloudapi.cn/${TENANT}/`, { tenantId: TENANT, cloud: 'china' }],
    ['cognito', 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_A', pool],
    ['cognito', 'https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_A', { ...pool, issuerType: 'updated' }],
    ['okta', 'https://example.okta.com/oauth2/default', { domain: 'example.okta.com' }],
    ['okta', 'https://a.oktapreview.com/oauth2/aus1/', { domain: 'a.oktapreview.com', authorizationServerId: 'aus1' }],
    ['google', 'https://accounts.google.com', {}],
    ['google', 'accounts.google.com', {}],
    ['google', 'https://accounts.google.com/realms/shop', {}],
    ['firebase', 'https://securetoken.google.com/shop-1', { projectId: 'shop-1' }],
    ['zitadel', 'https://my.eu1.zitadel.cloud', { issuer: 'https://my.eu1.zitadel.cloud' }],
    ['supabase', 'https://my-shop.supabase.co/auth/v1', { url: 'https://my-shop.supabase.co' }],
    ['clerk', 'https://cat-1.clerk.accounts.dev', { frontendApiUrl: 'https://cat-1.clerk.accounts.dev' }],
    ['logto', 'https://shop.logto.app/oidc', { endpoint: 'https://shop.logto.app' }],
    ['github', 'https://token.actions.githubusercontent.com/', {}],
    ['github', 'https://token.actions.githubusercontent.com/realms/shop', expect.anything()],
    ['cloudflareAccess', 'https://acme.cloudflareaccess.com', { team: 'acme' }],
    ['cloudflareAccess', 'https://acme.fed.cloudflareaccess.com/', { team: 'acme.fed' }],
    ['googleIap', 'https://cloud.google.com/iap', {}],
    [
      'authentik',
      'https://auth.example.com/application/o/orders/',
      { url: 'https://auth.example.com', application: 'orders' },
    ],
    ['authentik', 'http://localhost:9000/application/o/a', { url: 'http://localhost:9000', application: 'a' }],
    ['ory', 'https://happy-cat-1.projects.oryapis.com/', { issuer: 'https://happy-cat-1.projects.oryapis.com' }],
    ['workos', 'https://api.workos.com/user_management/client_123', { clientId: 'client_123' }],
    ['workos', 'https://api.workos.com/', { issuer: 'https://api.workos.com' }],
    ['workosConnect', 'https://acme-1.authkit.app', { authkitDomain: 'acme-1.authkit.app' }],
    ['google', 'https://accounts.google.com/application/o/orders/', {}],
    ['kubernetes', 'https://kubernetes.default.svc.cluster.local', {}],
    ['kubernetes', 'https://kubernetes.default.svc/', { issuer: 'https://kubernetes.default.svc' }],
    ['gitlab', 'https://gitlab.com/', {}],
    ['adfs', 'http://sts.contoso.com/adfs/services/trust', { host: 'sts.contoso.com' }],
    ['adfs', 'https://sts.contoso.com/adfs/', { host: 'sts.contoso.com' }],
    ['kinde', 'https://shop.kinde.com/', { domain: 'shop.kinde.com' }],
    ['dex', 'https://id.example.com/dex', { issuer: 'https://id.example.com/dex' }],
    ['dex', 'http://127.0.0.1:5556/dex/', { issuer: 'http://127.0.0.1:5556/dex' }],
    ['keycloak', 'https://id.example.com/realms/dex', { url: 'https://id.example.com', realm: 'dex' }],
    ['google', 'https://accounts.google.com/dex', {}],
    ['kubernetes', EKS, { issuer: EKS }],
    ['kubernetes', GKE, { issuer: GKE }],
    ['kubernetes', AKS, { issuer: AKS }],
    ['kubernetes', AKS.slice(0, -1), { issuer: AKS }],
    ['github', 'https://token.actions.octocorp.ghe.com', { issuer: 'https://token.actions.octocorp.ghe.com' }],
  ])('recognizes an issuer of %s: %s', (name, issuer, parts) => {
    const recognized = recognizeIssuer(issuer);
    expect([recognized?.provider.name, recognized?.parts]).toEqual([name, parts]);
  });

  it.each([
    ['https://securetoken.google.com/shop-1', 'shop-1'],
    ['https://my-shop.supabase.co/auth/v1', 'authenticated'],
    ['https://api.workos.com/user_management/client_123', 'client_123'],
    ['https://api.workos.com', undefined],
    ['https://tenant.eu.auth0.com/', undefined],
  ])('returns the usual audience of %s', (issuer, audience) => {
    expect(recognizeIssuer(issuer)?.usualAudience).toBe(audience);
  });

  const OTHER_HOSTS = `https://id.example.com https://tenant.auth0.com.example.com/
    https://login.microsoftonline.com.example.com/common/v2.0 https://example.com/login.microsoftonline.com/common/v2.0
    https://accounts.google.com.example.com https://accounts.google.com@example.com
    https://api.workos.com.example.com https://api.workos.com/convex/client_123 https://a.b.authkit.app
    https://acme.cloudflareaccess.com.example.com https://a.b.cloudflareaccess.com https://cloudflareaccess.com
    https://token.actions.githubusercontent.com.example.com https://example.okta.com.example.com/oauth2/default
    https://shop.kinde.com.example.com https://gitlab.com.example.com https://gitlab.com/evil https://kubernetes.default.svc@example.com https://kubernetes.default.example.com https://container.googleapis.com/v1`;
  it.each(OTHER_HOSTS.split(/\s+/))('does not recognize another host: %s', (issuer) => {
    expect(recognizeIssuer(issuer)).toBeUndefined();
  });
});

describe('isCommonAudience', () => {
  const isCommon = (audience: string) => isCommonAudience(audience, 'https://login.example.com/');

  const COMMON = `account account-console realm-management broker security-admin-console admin-cli
    https://tenant.eu.auth0.com/userinfo https://Tenant.eu.auth0.com/api/v2/ https://login.example.com/userinfo
    https://login.example.com/api/v2/ 00000002-0000-0000-c000-000000000000 00000003-0000-0000-C000-000000000000
    https://graph.microsoft.com/ https://graph.microsoft.us https://dod-graph.microsoft.us
    https://microsoftgraph.chinacloudapi.cn https://graph.windows.net https://management.azure.com/
    https://management.core.windows.net/ https://kubernetes.default.svc.cluster.local
    https://Shop.kinde.com/api https://shop.kinde.com urn:microsoft:userinfo`;
  it.each(COMMON.split(/\s+/))('is true for %s', (audience) => {
    expect(isCommon(audience)).toBe(true);
  });

  const OTHERS = `Account my-account https://api.example.com/userinfo https://login.example.com/api/v2/orders
    https://evilauth0.com/userinfo 00000004-0000-0000-c000-000000000000 https://graph.microsoft.com.example.com
    https://graph.microsoft.com/orders https://graphxwindows.net https://orders.management.azure.com`;
  it.each(OTHERS.split(/\s+/))('is false for %s', (audience) => {
    expect(isCommon(audience)).toBe(false);
  });

  it('does not attribute a custom domain to Auth0 without the issuer', () => {
    expect(isCommonAudience('https://tenant.auth0.com/userinfo')).toBe(true);
    expect(isCommonAudience('https://login.example.com/userinfo')).toBe(false);
    expect(isCommonAudience('https://login.example.com/userinfo', 'not a URL')).toBe(false);
  });
});

describe('adviceOf', () => {
  const advice = (issuer: string, named: string) => {
    const { provider } = recognizeIssuer(issuer) ?? {};
    return provider && adviceOf(provider, 'ISSUER_UNTRUSTED', { issuer, named });
  };
  const entra = `https://login.microsoftonline.com/${TENANT}/v2.0`;

  it.each([
    [entra, `https://sts.windows.net/${TENANT}/`, 'requestedAccessTokenVersion'],
    [entra, `https://sts.windows.net/00000000-0000-0000-0000-000000000000/`, undefined],
    ['https://login.microsoftonline.com/common/v2.0', 'https://login.microsoftonline.com/{tenantid}/v2.0', 'common'],
    ['https://a.okta.com/oauth2/default', 'https://a.okta.com', 'org authorization server'],
    ['http://sts.contoso.com/adfs/services/trust', 'https://sts.contoso.com/adfs', 'not `id_token`'],
    ['https://sts.contoso.com/adfs', 'http://sts.contoso.com/adfs/services/trust', 'adfs() expects it'],
    ['https://sts.contoso.com/adfs', 'http://sts.example.com/adfs/services/trust', undefined],
    ['https://shop.kinde.com', 'https://account.example.com', 'the configured domain'],
  ])('explains for the issuer %s why a token has the issuer %s', (issuer, named, text) => {
    expect(advice(issuer, named) ?? 'nothing').toContain(text ?? 'nothing');
  });
});
