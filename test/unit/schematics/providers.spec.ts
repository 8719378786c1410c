import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import request from 'supertest';
import { AuthModule } from '../../../src/nest/auth.module.js';
import type { AuthOptions } from '../../../src/nest/auth-options.js';
import * as presets from '../../../src/presets.js';
import { checkSetup, optionsOf as checkedOptions } from '../../../src/schematics/check-setup.js';
import { withVariables } from '../../../src/schematics/env-example.js';
import { byHand } from '../../../src/schematics/module-imports.js';
import { PROVIDERS, type ProviderSetup, setupOf } from '../../../src/schematics/providers.js';
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

/** The options that the generated module has: its source, run. */
function optionsOf(setup: ProviderSetup, environment: Environment): AuthOptions {
  const source = /useFactory: \(\) =>([\s\S]*?),?\s*\}\),\s*\],/.exec(byHand(setup))?.[1] ?? '';
  const inEnvironment = {
    ...presets,
    fromEnv: () => presets.fromEnv(environment),
    requiredEnv: (names: Parameters<typeof presets.requiredEnv>[0]) => presets.requiredEnv(names, environment),
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- what the schematic writes into the module
  const run = new Function('presets', `const { ${setup.preset}, requiredEnv } = presets; return (${source});`);
  return (run as (from: object) => AuthOptions)(inEnvironment);
}

function claimsOf({ tokenClaims }: ProviderSetup, environment: Environment): Record<string, unknown> {
  return Object.fromEntries(
    tokenClaims.map((claim) => {
      const [, name = '', source = ''] = /^(\w+): (.*)$/.exec(claim) ?? [];
      const variable = /^process\.env\.(\w+)$/.exec(source)?.[1];
      return [name, variable === undefined ? JSON.parse(source.replaceAll("'", '"')) : environment[variable]];
    }),
  );
}

const names = Object.keys(PROVIDERS);

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';

describe.each([
  ...names.map((name): [string, string | undefined] => [name, undefined]),
  ['entraId', `https://login.microsoftonline.us/${TENANT}/v2.0`],
  ['entraId', `https://sts.chinacloudapi.cn/${TENANT.toUpperCase()}/`],
  ['cognito', 'https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI'],
  ['keycloak', 'https://id.example.com/realms/my%20shop'],
])('nest add with --provider=%s (%s)', (name, given) => {
  const setup = setupOf(name, given, undefined);
  const environment = environmentOf(setup);

  it('makes a module that admits the token of the test that it makes, and nobody without one', async () => {
    const builder = Test.createTestingModule({
      imports: [AuthModule.forRootAsync({ useFactory: () => optionsOf(setup, environment) })],
      controllers: [ProbeController],
    });
    app = (await withTestIssuer(builder, issuer).compile()).createNestApplication({ logger: false });
    await app.init();
    const server = app.getHttpServer() as Parameters<typeof request>[0];
    const token = await issuer.token({ sub: 'alice', claims: claimsOf(setup, environment) });
    await request(server).get('/').expect(401);
    await request(server).get('/').set('Authorization', `Bearer ${token}`).expect(200, 'reached');
  });

  it('checks beforehand what it makes', () => {
    expect(() => {
      checkSetup(setup);
    }).not.toThrow();
    expect(JSON.stringify(checkedOptions(setup))).toBe(JSON.stringify(optionsOf(setup, environment)));
  });

  it('makes a module that does not start while a variable is not set, and names it', () => {
    for (const { name: variable } of setup.variables) {
      const start = () => optionsOf(setup, { ...environment, [variable]: '' });
      expect(start).toThrow(`  - ${variable}: is `);
      expect(start).toThrow('.env');
    }
  });

  it('makes a module that does not start while an example stands in .env', () => {
    const example = parseEnv(withVariables(undefined, setup)) as Environment;
    const examples = setup.variables.filter(({ isExample }) => isExample).map(({ name: variable }) => variable);
    if (given === undefined) expect(examples).not.toEqual([]);
    for (const variable of examples) {
      const start = () => optionsOf(setup, { ...environment, [variable]: example[variable] ?? '' });
      expect(start).toThrow(`  - ${variable}: is "<`);
    }
  });
});

describe('what nest add takes out of an issuer', () => {
  it.each([
    ['auth0', 'https://login.example.com/', { AUTH0_DOMAIN: 'login.example.com' }],
    ['auth0', 'https://login.example.com', { AUTH0_DOMAIN: 'login.example.com' }],
    ['keycloak', 'https://sso.example.com/auth/realms/staff', { KEYCLOAK_URL: 'https://sso.example.com/auth' }],
    ['keycloak', 'http://localhost:8080/realms/staff', { KEYCLOAK_REALM: 'staff' }],
    ['keycloak', 'https://sso.example.com/realms/my%20shop', { KEYCLOAK_REALM: 'my shop' }],
    ['keycloak', 'https://sso.example.com/realms/100%', { KEYCLOAK_REALM: '100%' }],
    ['entraId', 'https://login.microsoftonline.com/11111111/v2.0', { ENTRA_TENANT_ID: '11111111' }],
    ['entraId', 'https://sts.windows.net/11111111/', { ENTRA_TENANT_ID: '11111111' }],
    ['cognito', 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1', { COGNITO_REGION: 'us-east-1' }],
    ['cognito', 'https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1', { COGNITO_REGION: 'us-east-1' }],
    ['okta', 'https://example.okta.com/oauth2/aus123', { OKTA_AUTHORIZATION_SERVER_ID: 'aus123' }],
    ['firebase', 'https://securetoken.google.com/shop-1a2b3', { FIREBASE_PROJECT_ID: 'shop-1a2b3' }],
    ['supabase', 'https://abc.supabase.co/auth/v1', { SUPABASE_URL: 'https://abc.supabase.co' }],
    ['logto', 'https://auth.example.com/oidc', { LOGTO_ENDPOINT: 'https://auth.example.com' }],
    ['clerk', 'https://clerk.example.com', { CLERK_FRONTEND_API_URL: 'https://clerk.example.com' }],
    ['betterAuth', 'https://app.example.org', { BETTER_AUTH_URL: 'https://app.example.org' }],
    ['zitadel', 'http://localhost:8080', { AUTH_ISSUER: 'http://localhost:8080' }],
    ['github', 'https://token.actions.octocorp.ghe.com', { AUTH_ISSUER: 'https://token.actions.octocorp.ghe.com' }],
    [
      'github',
      'https://token.actions.githubusercontent.com/acme',
      { AUTH_ISSUER: 'https://token.actions.githubusercontent.com/acme' },
    ],
    [
      'github',
      'https://github.example.com/_services/token',
      { AUTH_ISSUER: 'https://github.example.com/_services/token' },
    ],
    [
      'github',
      'https://token.actions.githubusercontent.com/',
      { AUTH_ISSUER: 'https://token.actions.githubusercontent.com' },
    ],
    ['other', 'https://tenant.eu.auth0.com/', { AUTH_ISSUER: 'https://tenant.eu.auth0.com/' }],
    ['other', 'https://id.example.com/realms/shop', { AUTH_ISSUER: 'https://id.example.com/realms/shop' }],
    ['other', 'https://abc.supabase.co/auth/v1', { AUTH_ISSUER: 'https://abc.supabase.co/auth/v1' }],
    ['other', 'https://issuer.example.com/slash/', { AUTH_ISSUER: 'https://issuer.example.com/slash/' }],
  ])('%s: %s', (name, issuer, expected) => {
    expect(environmentOf(setupOf(name, issuer, undefined))).toMatchObject(expected);
  });

  it.each([
    ['login.microsoftonline.com', undefined],
    ['sts.windows.net', undefined],
    ['login.microsoftonline.us', 'us-government'],
    ['login.partner.microsoftonline.cn', 'china'],
    ['sts.chinacloudapi.cn', 'china'],
  ])('tells which cloud of Entra ID it is: %s', (host, cloud) => {
    const { constants, variables } = setupOf('entraId', `https://${host}/${TENANT}/v2.0`, undefined);
    expect(constants.map(({ parameter, value }) => [parameter, value])).toEqual(
      cloud === undefined ? [] : [['cloud', cloud]],
    );
    expect(variables[0]?.value).toBe(TENANT);
  });

  it.each([
    ['auth0', 'tenant.eu.auth0.com', { AUTH0_DOMAIN: 'tenant.eu.auth0.com' }],
    ['keycloak', 'id.example.com/realms/shop/', { KEYCLOAK_URL: 'https://id.example.com', KEYCLOAK_REALM: 'shop' }],
    ['okta', 'https://example.okta.com/oauth2/default/', { OKTA_AUTHORIZATION_SERVER_ID: 'default' }],
    ['zitadel', 'my-instance.zitadel.cloud/', { AUTH_ISSUER: 'https://my-instance.zitadel.cloud' }],
    ['clerk', 'clerk.example.com', { CLERK_FRONTEND_API_URL: 'https://clerk.example.com' }],
  ])('spells it as the preset does: %s, %s', (name, issuer, expected) => {
    expect(environmentOf(setupOf(name, issuer, undefined))).toMatchObject(expected);
  });

  it.each([
    ['other', 'issuer.example.com', '--issuer must be an address with https://'],
    ['auth0', 'tenant', '--issuer must be an address with https://'],
    ['auth0', 'ftp://tenant.eu.auth0.com', '--issuer must be an address with https://'],
    ['keycloak', 'https://id.example.com/realms/a%27;evil()//', 'which cannot be written into a source'],
    ['okta', 'https://example.okta.com', '--provider=other if it is right'],
    ['keycloak', 'https://sso.example.com/', '--provider=other if it is right'],
    ['google', 'https://accounts.example.com', '--provider=other if it is right'],
    ['supabase', 'https://abc.supabase.co', '--provider=other if it is right'],
  ])('is refused for %s: %s (%s)', (name, issuer, message) => {
    expect(() => setupOf(name, issuer, undefined)).toThrow(message);
  });
});

describe('an issuer whose preset checks more than issuer and audience', () => {
  it.each([
    ['google', 'https://accounts.google.com'],
    ['google', 'https://accounts.google.com/'],
    ['github', 'https://token.actions.githubusercontent.com'],
    ['github', 'https://token.actions.githubusercontent.com/acme'],
    ['github', 'https://token.actions.octocorp.ghe.com'],
  ])('is refused for what knows nothing of %s, where anyone gets tokens: %s', (provider, issuer) => {
    for (const other of ['other', 'zitadel', 'auth0', 'clerk', 'betterAuth'])
      expect(() => setupOf(other, issuer, undefined)).toThrow(
        new RegExp(`anyone can get a token for any audience: take --provider=${provider}, not ${other}$`),
      );
    expect(setupOf(provider, issuer, undefined).preset).toBe(provider);
  });

  it.each([
    ['entraId', `https://login.microsoftonline.com/${TENANT}/v2.0`],
    ['entraId', `https://login.microsoftonline.com/${TENANT}`],
    ['entraId', 'https://login.microsoftonline.com/common/v2.0'],
    ['entraId', `https://login.microsoftonline.us/${TENANT}/v2.0`],
    ['entraId', `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`],
    ['entraId', `https://sts.windows.net/${TENANT}/`],
    ['entraId', `https://sts.chinacloudapi.cn/${TENANT}/`],
    ['cognito', 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC'],
    ['cognito', 'https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC'],
    ['firebase', 'https://securetoken.google.com/shop-1'],
    ['okta', 'https://example.okta.com/oauth2/default'],
    ['zitadel', 'https://my.zitadel.cloud'],
    ['clerk', 'https://happy-cat-1.clerk.accounts.dev'],
    ['logto', 'https://shop.logto.app/oidc'],
  ])('is refused for what knows nothing of %s: %s', (provider, issuer) => {
    expect(() => setupOf('other', issuer, undefined)).toThrow(
      new RegExp(`need more checks than those of issuer and audience: take --provider=${provider}, not other$`),
    );
    expect(setupOf(provider, issuer, undefined).preset).toBe(provider);
  });
});

describe('an application that would not start', () => {
  it.each([
    [
      'entraId',
      'https://login.microsoftonline.com/common/v2.0',
      'api://orders',
      [
        "--issuer (tenantId): is 'common', which lets in every tenant there is: say in `tenants` which",
        '--audience: must have the client id of your API (a GUID) in it, too: tokens of version 2.0 name only that',
      ],
    ],
    ['zitadel', undefined, 'my-api', ['--audience: must be the id of a project, a number; "my-api" is none']],
    [
      'keycloak',
      undefined,
      'account',
      [
        "--audience: must not be 'account', which nearly every token of a realm names: add an Audience mapper for your API",
      ],
    ],
    [
      'keycloak',
      'https://id.example.com/realms/100%',
      undefined,
      ["--issuer (realm): must be the realm's name itself, 'my shop': it is encoded here, not before"],
    ],
    [
      'clerk',
      undefined,
      'https://example.com/',
      [
        `--audience (authorizedParties): must be origins, 'https://example.com', without a path and a slash; "https://example.com/" is none`,
      ],
    ],
    [
      'cognito',
      'https://cognito-idp.eu-central-1.amazonaws.com/us-east-1_Ab1',
      undefined,
      ["--issuer (userPoolId): is of region 'us-east-1', but region is 'eu-central-1': 'eu-central-1_Ab1'?"],
    ],
    [
      'other',
      'http://keycloak:8080/realms/x',
      undefined,
      [expect.stringMatching(/--issuer: is .* Set it to an https address/)],
    ],
    [
      'zitadel',
      'http://zitadel:8080',
      undefined,
      [expect.stringMatching(/--issuer: is .* Set it to an https address/)],
    ],
    ['other', 'https://issuer.example.com', '<api>', [expect.stringContaining('--audience: is "<api>"')]],
  ])('is not written: %s, %s, %s', (name, issuer, audience, problems) => {
    const said = messageOf(() => {
      checkSetup(setupOf(name, issuer, audience));
    });
    const lines = said.split('\n').filter((line) => line.startsWith('  - '));
    expect(lines.map((line) => line.slice('  - '.length))).toEqual(problems);
    expect(said).toContain('nothing was changed');
  });
});

function messageOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('schematics/nest-add/schema.json', () => {
  const { properties } = JSON.parse(readFileSync('schematics/nest-add/schema.json', 'utf8')) as {
    properties: Record<
      string,
      { enum?: unknown; 'x-prompt'?: string | { message: string; items: { value: string }[] } }
    >;
  };
  const prompts = Object.values(properties).flatMap(({ 'x-prompt': prompt }) => (prompt === undefined ? [] : [prompt]));

  it('has the same providers, and asks for each of them', () => {
    expect(properties.provider?.enum).toEqual(names);
    const lists = prompts.flatMap((prompt) => (typeof prompt === 'string' ? [] : [prompt.items]));
    expect(lists.map((items) => items.map(({ value }) => value))).toEqual([names]);
  });

  it('asks in less than a line of 80 columns, of which the mark before it takes two', () => {
    const messages = prompts.map((prompt) => (typeof prompt === 'string' ? prompt : prompt.message));
    expect(messages).toHaveLength(3);
    for (const message of messages) expect([message, message.length < 78]).toEqual([message, true]);
  });
});
