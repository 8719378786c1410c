import { describe, expect, it } from '@jest/globals';
import { configurationOf, type ConfigurationFacts } from '../../../../src/cli/doctor/configuration.js';

const configuration = (facts: Partial<ConfigurationFacts>) =>
  configurationOf({
    issuer: 'https://issuer.example.com',
    audience: ['api'],
    keys: undefined,
    clockToleranceSeconds: undefined,
    allowHttp: false,
    ...facts,
  }).replace(/\s+/g, ' ');

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
    ['https://accounts.google.com', "google({ audience: 'api', emails: ["],
    ['https://securetoken.google.com/shop-1', "firebase({ projectId: 'shop-1' })"],
    ['https://my.zitadel.cloud', "zitadel({ domain: 'my.zitadel.cloud', audience: 'api' })"],
    ['https://abcdef.supabase.co/auth/v1', "supabase({ projectRef: 'abcdef' })"],
    [
      'https://happy-cat-1.clerk.accounts.dev',
      "clerk({ frontendApiUrl: 'https://happy-cat-1.clerk.accounts.dev', authorizedParties: 'api' })",
    ],
    ['https://shop.logto.app/oidc', "logto({ tenant: 'shop', resource: 'api' })"],
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

  it.each([
    'https://tenant.eu.auth0.com',
    'https://auth0.com.example.com/',
    'https://id.example.com/realms/shop/',
    'https://login.microsoftonline.com/common/v2.0',
  ])('takes no preset for %s, whose name would be another one', (issuer) => {
    expect(configuration({ issuer })).toContain(`AuthModule.forRoot({ issuer: '${issuer}', audience: 'api' })`);
  });

  it('puts settings beside a preset, and leaves it out where the keys are elsewhere', () => {
    const issuer = 'https://tenant.eu.auth0.com/';
    expect(configuration({ issuer, clockToleranceSeconds: 30 })).toMatch(
      /\{ \.\.\.auth0\(.*\), clockToleranceSeconds: 30 \}/,
    );
    const keys = { from: 'jwks', uri: 'https://keys.example.com' } as const;
    expect(configuration({ issuer, keys })).not.toContain('presets');
    const cognito = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC';
    expect(configuration({ issuer: cognito, keys })).toContain("audienceClaim: 'client_id'");
  });
});
