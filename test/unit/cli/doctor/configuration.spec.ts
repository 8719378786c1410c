import { describe, expect, it } from '@jest/globals';
import { compileFunction } from 'node:vm';
import { configurationOf, type ConfigurationFacts } from '../../../../src/cli/doctor/configuration.js';
import { resolveOptions } from '../../../../src/options/resolve-options.js';
import * as presets from '../../../../src/presets.js';

const resulting = (facts: Partial<ConfigurationFacts>) =>
  configurationOf({
    issuer: 'https://issuer.example.com',
    audience: ['api'],
    keys: undefined,
    clockToleranceSeconds: undefined,
    allowHttp: false,
    ...facts,
  });

const configuration = (facts: Partial<ConfigurationFacts>) => resulting(facts).text.replace(/,?\s+(?=[)}])|\s+/g, ' ');

/** What the application is given that has the text pasted, its blanks filled in. */
function startedWith(text: string) {
  const code = text
    .replace(/^import .*$/gm, '')
    .replace('<the service account that may call>', 'a@example.com')
    .replace('<owner>/<repository>', 'owner/repository');
  const run = compileFunction(code, ['AuthModule', ...Object.keys(presets)]) as (...values: unknown[]) => void;
  let given: Parameters<typeof resolveOptions>[0] | undefined;
  run({ forRoot: (options: typeof given) => (given = options) }, ...Object.values(presets));
  if (given === undefined) throw new Error('nothing was given to forRoot');
  const { issuers } = resolveOptions(given);
  if (typeof issuers === 'function') throw new Error('is a resolver');
  return issuers;
}

describe('the configuration to paste', () => {
  it('has a place for the audience where none was given', () => {
    expect(configuration({ audience: undefined })).toContain("audience: '<what tokens for this API name in aud>'");
    expect(configuration({ audience: ['a', 'b'] })).toContain("audience: ['a', 'b']");
  });

  it.each([
    ['https://tenant.eu.auth0.com/', "auth0({ domain: 'tenant.eu.auth0.com', audience: 'api' })"],
    [
      'https://id.example.com/auth/realms/shop',
      "keycloak({ url: 'https://id.example.com/auth', realm: 'shop', audience: 'api' })",
    ],
    [
      'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
      "entraId({ tenantId: '11111111-2222-3333-4444-555555555555', audience: 'api' })",
    ],
    [
      'https://sts.windows.net/11111111-2222-3333-4444-555555555555/',
      "entraId({ tenantId: '11111111-2222-3333-4444-555555555555', audience: 'api' })",
    ],
    [
      'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC',
      "cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbC', clientId: 'api' })",
    ],
    ['https://example.okta.com/oauth2/default', "okta({ domain: 'example.okta.com', audience: 'api' })"],
    [
      'https://example.okta.com/oauth2/aus1',
      "okta({ domain: 'example.okta.com', authorizationServerId: 'aus1', audience: 'api' })",
    ],
    [
      'https://login.microsoftonline.us/11111111-2222-3333-4444-555555555555/v2.0',
      "entraId({ tenantId: '11111111-2222-3333-4444-555555555555', cloud: 'us-government', audience: 'api' })",
    ],
    [
      'https://login.partner.microsoftonline.cn/11111111-2222-3333-4444-555555555555/v2.0',
      "entraId({ tenantId: '11111111-2222-3333-4444-555555555555', cloud: 'china', audience: 'api' })",
    ],
    [
      'https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC',
      "cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbC', issuerType: 'updated', clientId: 'api' })",
    ],
    ['https://accounts.google.com', "google({ audience: 'api', emails: ["],
    ['https://securetoken.google.com/shop-1', "firebase({ projectId: 'shop-1' })"],
    ['https://my.zitadel.cloud', "zitadel({ issuer: 'https://my.zitadel.cloud', audience: 'api' })"],
    ['https://abcdef.supabase.co/auth/v1', "supabase({ url: 'https://abcdef.supabase.co', audience: 'api' })"],
    [
      'https://happy-cat-1.clerk.accounts.dev',
      "clerk({ frontendApiUrl: 'https://happy-cat-1.clerk.accounts.dev', authorizedParties: 'api' })",
    ],
    ['https://shop.logto.app/oidc', "logto({ endpoint: 'https://shop.logto.app', resource: 'api' })"],
    [
      'https://token.actions.githubusercontent.com',
      "github({ audience: 'api', repositories: ['<owner>/<repository>'] })",
    ],
  ])('calls the preset that knows %s', (issuer, call) => {
    const text = configuration({ issuer });
    expect(text).toContain(call.replace(/\s+/g, ' ').slice(0, 20));
    expect(text.replace(/,? ([})\]])/g, '$1').replace(/([({[]) /g, '$1')).toContain(
      call.replace(/,? ([})\]])/g, '$1').replace(/([({[]) /g, '$1'),
    );
    expect(text).toContain("} from 'nestjs-resource-server/presets';");
  });

  it.each(['https://tenant.eu.auth0.com', 'https://auth0.com.example.com/', 'https://id.example.com/realms/shop/'])(
    'takes no preset for %s, whose name would be another one',
    (issuer) => {
      expect(configuration({ issuer })).toContain(`AuthModule.forRoot({ issuer: '${issuer}', audience: 'api' })`);
    },
  );

  it('puts settings beside a preset', () => {
    const issuer = 'https://tenant.eu.auth0.com/';
    expect(configuration({ issuer, clockToleranceSeconds: 30 })).toMatch(
      /\{ \.\.\.auth0\(.*\), clockToleranceSeconds: 30 \}/,
    );
  });

  const tenant = '11111111-2222-3333-4444-555555555555';

  it.each([
    ['https://accounts.google.com', 'api', 'google'],
    ['https://token.actions.githubusercontent.com', 'api', 'github'],
    [`https://login.microsoftonline.com/${tenant}/v2.0`, tenant, 'entraId'],
    [`https://login.microsoftonline.us/${tenant}/v2.0`, tenant, 'entraId'],
    [`https://sts.windows.net/${tenant}/`, tenant, 'entraId'],
    ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC', 'client', 'cognito'],
    ['https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC', 'client', 'cognito'],
    ['https://tenant.eu.auth0.com/', 'api', 'auth0'],
    ['https://id.example.com/realms/shop', 'api', 'keycloak'],
    ['https://example.okta.com/oauth2/aus1', 'api', 'okta'],
    ['https://securetoken.google.com/shop-1', 'shop-1', 'firebase'],
    ['https://my.zitadel.cloud', '692342', 'zitadel'],
    ['https://abcdef.supabase.co/auth/v1', 'orders', 'supabase'],
    ['https://happy-cat-1.clerk.accounts.dev', 'https://example.com', 'clerk'],
    ['https://shop.logto.app/oidc', 'api', 'logto'],
  ])('keeps what only the preset checks where the keys are elsewhere, and starts: %s', (issuer, audience, preset) => {
    const uri = 'https://keys.example.com/jwks';
    const facts = { issuer, audience: [audience], keys: { from: 'jwks', uri } as const, clockToleranceSeconds: 30 };
    const { text, problems } = resulting(facts);
    expect(problems).toEqual([]);
    expect(text).toContain(`import { ${preset} } from 'nestjs-resource-server/presets';`);
    const issuers = startedWith(text);
    const own = issuers.find((one) => one.issuer === issuer);
    const other = startedWith(resulting({ ...facts, keys: undefined }).text).find((one) => one.issuer === issuer);
    expect(own).toMatchObject({ keys: { from: 'jwks', uri }, clockToleranceSeconds: 30, audience: other?.audience });
    expect([own?.audienceClaim, own?.requiredClaims]).toEqual([other?.audienceClaim, other?.requiredClaims]);
    // Who may call, and of which tenant he is, is all that keeps strangers out.
    expect(typeof own?.providerCheck).toBe(typeof other?.providerCheck);
    expect(issuers.every(({ keys }) => 'uri' in keys && keys.uri === uri)).toBe(true);
  });

  it('is no bare one for an issuer of which anyone gets tokens, however it is spelled', () => {
    const keys = { from: 'jwks', uri: 'https://www.googleapis.com/oauth2/v3/certs' } as const;
    for (const issuer of ['accounts.google.com', 'https://accounts.google.com/'])
      expect(configuration({ issuer, keys })).toContain('...google({');
    // Else it does not compile, beside what is spread.
    expect(configuration({ issuer: 'https://accounts.google.com', keys })).toContain("from: 'jwks',");
  });

  it('has the audience that was asked for, also where the preset has one of its own', () => {
    const issuer = 'https://abcdef.supabase.co/auth/v1';
    expect(configuration({ issuer, audience: ['orders'] })).toContain("audience: 'orders'");
    expect(configuration({ issuer, audience: ['authenticated'] })).not.toContain('audience');
  });

  it.each([
    ['https://my.zitadel.cloud', 'orders'],
    ['https://happy-cat-1.clerk.accounts.dev', 'https://example.com/'],
    ['https://securetoken.google.com/shop-1', 'orders'],
    ['https://issuer.example.com', ' orders'],
    ['https://login.microsoftonline.com/common/v2.0', tenant],
  ])('is marked where it would not start: %s for %j', (issuer, audience) => {
    const { text, problems } = resulting({ issuer, audience: [audience] });
    expect(problems).not.toEqual([]);
    expect(text).toMatch(/^\/\/ Not to be pasted as it stands/);
  });
});
