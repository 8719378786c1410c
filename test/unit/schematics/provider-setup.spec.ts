import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { parseEnv } from 'node:util';
import request from 'supertest';
import { AuthModule } from '../../../src/nest/auth.module.js';
import type { AuthOptions } from '../../../src/nest/auth-options.js';
import * as presets from '../../../src/presets.js';
import { manualLines } from '../../../src/schematics/add-auth-module.js';
import { PROVIDERS } from '../../../src/presets/providers.js';
import {
  envExample,
  optionsOf as checkedOptions,
  PROVIDER_NAMES,
  type ProviderSetup,
  setupOf,
} from '../../../src/schematics/provider-setup.js';
import { TestIssuer } from '../../../src/testing/test-issuer.js';
import { withTestIssuer } from '../../../src/testing/with-test-issuer.js';

@Controller()
class ProbeController {
  @Get()
  probe() {
    return 'reached';
  }
}

let issuer: TestIssuer;
let app: INestApplication | undefined;

beforeAll(async () => {
  issuer = await TestIssuer.create();
});

afterEach(() => app?.close());

type Environment = Readonly<Record<string, string>>;

function environmentOf({ variables }: ProviderSetup): Environment {
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

/** Runs the generated module source and returns its options. */
function optionsOf(setup: ProviderSetup, environment: Environment): AuthOptions {
  const source = /useFactory: \(\) =>([\s\S]*?),?\s*\}\),\s*\],/.exec(manualLines(setup))?.[1] ?? '';
  const inEnvironment = {
    ...presets,
    fromEnv: () => presets.fromEnv(environment),
    requiredEnv: (names: Parameters<typeof presets.requiredEnv>[0]) => presets.requiredEnv(names, environment),
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the source that the schematic generates
  const run = new Function('presets', `const { ${setup.preset}, requiredEnv } = presets; return (${source});`);
  return (run as (from: object) => AuthOptions)(inEnvironment);
}

function valuesOf(members: readonly string[], environment: Environment): Record<string, unknown> {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the source that the schematic generates
  const run = new Function('process', `return { ${members.join(', ')} };`);
  return (run as (process: { env: Environment }) => Record<string, unknown>)({ env: environment });
}

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';

describe.each([
  ...PROVIDER_NAMES.map((name): [string, string | undefined] => [name, undefined]),
  ['entraId', `https://sts.chinacloudapi.cn/${TENANT.toUpperCase()}/`],
  ['cognito', 'https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI'],
  ['keycloak', 'https://id.example.com/realms/my%20shop'],
  ['workos', 'https://api.workos.com'],
])('nest add --provider=%s --issuer=%s', (name, given) => {
  const setup = setupOf(name, given, undefined);
  const environment = environmentOf(setup);

  it('generates a module that accepts the token of the generated test, and rejects a call without one', async () => {
    const builder = Test.createTestingModule({
      imports: [AuthModule.forRootAsync({ useFactory: () => optionsOf(setup, environment) })],
      controllers: [ProbeController],
    });
    app = (await withTestIssuer(builder, issuer).compile()).createNestApplication({ logger: false });
    await app.init();
    const server = app.getHttpServer() as Parameters<typeof request>[0];
    const [claims, header] = [setup.tokenClaims, setup.tokenMembers].map((members) => valuesOf(members, environment));
    const token = await issuer.token({ sub: 'alice', claims, header });
    await request(server).get('/').expect(401);
    const { tokenHeader = 'Authorization' } = setup;
    await request(server).get('/').set(tokenHeader, `Bearer ${token}`).expect(200, 'reached');
  });

  it('checks the options of the generated module', () => {
    expect(JSON.stringify(checkedOptions(setup))).toBe(JSON.stringify(optionsOf(setup, environment)));
  });

  it('generates a module that does not start while a variable is unset or has an example of .env.example', () => {
    const start = (variable: string, value = '') => optionsOf(setup, { ...environment, [variable]: value });
    for (const { name: variable } of setup.variables) {
      expect(() => start(variable)).toThrow(`  - ${variable}: is missing. Set it to `);
      expect(() => start(variable)).toThrow('.env');
    }
    const examples = Object.entries(parseEnv(envExample('', setup))).filter(([, value]) => value?.startsWith('<'));
    if (given === undefined) expect(examples).not.toEqual([]);
    for (const [variable, value] of examples) expect(() => start(variable, value)).toThrow(`  - ${variable}: is "<`);
  });
});

describe('The variables of nest add', () => {
  it.each([
    // A custom domain.
    ['auth0', 'https://login.example.com/', { AUTH0_DOMAIN: 'login.example.com' }],
    ['okta', 'https://id.example.com/oauth2/aus123', { OKTA_AUTHORIZATION_SERVER_ID: 'aus123' }],
    ['supabase', 'https://id.example.com/auth/v1', { SUPABASE_URL: 'https://id.example.com' }],
    ['logto', 'https://auth.example.com/oidc', { LOGTO_ENDPOINT: 'https://auth.example.com' }],
    ['clerk', 'https://clerk.example.com', { CLERK_FRONTEND_API_URL: 'https://clerk.example.com' }],
    ['betterAuth', 'https://app.example.org', { BETTER_AUTH_URL: 'https://app.example.org' }],
    ['ory', 'https://id.example.com/hydra', { AUTH_ISSUER: 'https://id.example.com/hydra' }],
    ['workos', 'https://a.example.com/user_management/client_1', { WORKOS_CLIENT_ID: 'client_1' }],
    ['workosConnect', 'https://id.example.com', { WORKOS_AUTHKIT_DOMAIN: 'id.example.com' }],
    ['zitadel', 'http://localhost:8080', { AUTH_ISSUER: 'http://localhost:8080' }],
    ['adfs', 'sts.contoso.com/adfs', { ADFS_HOST: 'sts.contoso.com' }],
    ['kinde', 'https://account.example.com/', { KINDE_DOMAIN: 'account.example.com' }],
    ['dex', 'https://dex.example.com', { AUTH_ISSUER: 'https://dex.example.com' }],
    ['gitlab', 'https://gitlab.example.com/', { AUTH_ISSUER: 'https://gitlab.example.com' }],
    ['kubernetes', 'https://cluster.example.com', { AUTH_ISSUER: 'https://cluster.example.com' }],
    ['github', 'https://a.example.com/_services/token', { AUTH_ISSUER: 'https://a.example.com/_services/token' }],
    // Missing scheme, extra slash.
    ['auth0', 'tenant.eu.auth0.com', { AUTH0_DOMAIN: 'tenant.eu.auth0.com' }],
    ['keycloak', 'id.example.com/realms/shop/', { KEYCLOAK_URL: 'https://id.example.com', KEYCLOAK_REALM: 'shop' }],
    ['authentik', 'auth.example.com/application/o/orders/', { AUTHENTIK_URL: 'https://auth.example.com' }],
    ['okta', 'https://example.okta.com/oauth2/default/', { OKTA_AUTHORIZATION_SERVER_ID: 'default' }],
    ['github', 'token.actions.githubusercontent.com/', { AUTH_ISSUER: 'https://token.actions.githubusercontent.com' }],
    // Exactly as given.
    ['other', 'https://tenant.eu.auth0.com/', { AUTH_ISSUER: 'https://tenant.eu.auth0.com/' }],
    ['other', 'https://id.example.com/realms/shop', { AUTH_ISSUER: 'https://id.example.com/realms/shop' }],
    ['other', 'https://issuer.example.com/slash/', { AUTH_ISSUER: 'https://issuer.example.com/slash/' }],
  ])('follow from the issuer of %s: %s', (name, given, expected) => {
    expect(environmentOf(setupOf(name, given, undefined))).toMatchObject(expected);
  });

  it('follow from the audience, if it is part of the issuer: firebase', () => {
    expect(setupOf('firebase', undefined, 'shop-1').variables).toMatchObject([{ value: 'shop-1', isExample: false }]);
    const { variables } = setupOf('firebase', 'https://securetoken.google.com/shop-1', undefined);
    expect(variables).toMatchObject([{ value: 'shop-1', isExample: false }]);
    expect(setupOf('firebase', undefined, undefined).variables).toMatchObject([{ isExample: true }]);
  });

  it('do not include options that only some issuers need, which become constants', () => {
    const { constants } = setupOf('entraId', `https://login.microsoftonline.us/${TENANT}/v2.0`, undefined);
    expect(constants).toEqual({ cloud: 'us-government' });
    expect(setupOf('entraId', `https://sts.windows.net/${TENANT}/`, undefined).constants).toEqual({});
  });

  it.each([
    ['other', 'issuer.example.com', '--issuer is "issuer.example.com". Write an address that begins with https://.'],
    ['auth0', 'tenant', '--issuer is "tenant"'],
    ['auth0', 'ftp://tenant.eu.auth0.com', '--issuer is "ftp://tenant.eu.auth0.com"'],
    ['keycloak', 'https://id.example.com/realms/a%27;evil()//', 'which cannot be part of a source file'],
    ['okta', 'https://example.okta.com', 'If it is correct, use --provider=other'],
    ['keycloak', 'https://sso.example.com/', 'If it is correct, use --provider=other'],
    ['google', 'https://accounts.example.com', 'If it is correct, use --provider=other'],
    ['nobody', 'https://sso.example.com/', '--provider is "nobody". Write one of auth0, '],
  ])('cannot be derived for %s from %s (%s)', (name, given, message) => {
    expect(() => setupOf(name, given, undefined)).toThrow(message);
  });

  it.each([
    ['google', 'https://accounts.google.com/'],
    ['github', 'https://token.actions.githubusercontent.com/acme'],
    ['github', 'https://token.actions.octocorp.ghe.com'],
    ['kubernetes', 'https://kubernetes.default.svc'],
    ['gitlab', 'https://gitlab.com'],
  ])(
    'cannot be derived for another provider from an issuer of %s, which issues tokens to anyone: %s',
    (name, given) => {
      for (const other of ['other', 'zitadel', 'auth0', 'clerk', 'betterAuth'])
        expect(() => setupOf(other, given, undefined)).toThrow(
          new RegExp(`anyone can get a token for any audience. Use --provider=${name}, not ${other}\\.$`),
        );
    },
  );

  // Issuers of awsAlb are those of other providers.
  const strict = PROVIDERS.filter(({ name, checksOnlyAudience }) => !checksOnlyAudience && name !== 'awsAlb');
  it.each(strict.map(({ name, exampleIssuer }) => [name, exampleIssuer]))(
    'cannot be derived for --provider=other from an issuer of %s, whose preset checks more: %s',
    (name, given) => {
      expect(() => setupOf('other', given, undefined)).toThrow(`Use --provider=${name}, not other.`);
    },
  );
});

describe('A set-up that would not start', () => {
  it.each([
    [
      'entraId',
      'https://login.microsoftonline.com/common/v2.0',
      'api://orders',
      ['--issuer (tenantId): is "common". Set it to', '--audience: is "api://orders". Add the client id of your API'],
    ],
    ['zitadel', undefined, 'my-api', ['--audience: is "my-api". Set it to the id of your project']],
    ['keycloak', undefined, 'account', ['--audience: is "account". Tokens for any API can have this']],
    ['keycloak', 'https://id.example.com/realms/100%', undefined, ['--issuer (realm): is "100%". Set it to the name']],
    ['clerk', undefined, 'https://example.com/', ['--audience (authorizedParties): is "https://example.com/". Set it']],
    ['cognito', 'https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_A', undefined, ['--issuer (userPoolId): is']],
    ['other', 'http://keycloak:8080/realms/x', undefined, ['--issuer: is "http://keycloak:8080/realms/x". Set it to']],
    ['zitadel', 'http://zitadel:8080', undefined, ['--issuer: is "http://zitadel:8080". Set it to an https address']],
    ['other', 'https://issuer.example.com', '<api>', ['--audience (AUTH_AUDIENCE): is "<api>"']],
  ])('is rejected: %s, %s, %s', (name, given, audience, problems) => {
    let message = '';
    try {
      setupOf(name, given, audience);
    } catch (error) {
      ({ message } = error as Error);
    }
    const lines = message.split('\n').filter((line) => line.startsWith('  - '));
    expect(lines).toEqual(problems.map((problem) => expect.stringContaining(problem) as unknown));
    expect(message).toContain('No file was changed');
  });
});
