import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { readFileSync } from 'node:fs';
import request from 'supertest';
import { AuthModule } from '../../../src/nest/auth.module.js';
import type { AuthOptions } from '../../../src/nest/auth-options.js';
import * as presets from '../../../src/presets.js';
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

/** What the source text that the schematic writes comes to: variables, literals, and a list of one of them. */
function valueOf(source: string, environment: Environment): unknown {
  if (source.startsWith('[')) return [valueOf(source.slice(1, -1), environment)];
  const variable = /^process\.env\.(\w+)(?: \?\? '')?$/.exec(source)?.[1];
  return variable === undefined ? JSON.parse(source.replaceAll("'", '"')) : (environment[variable] ?? '');
}

/** The options that the generated module has. */
function optionsOf({ preset, parameters }: ProviderSetup, environment: Environment): AuthOptions {
  if (preset === 'fromEnv') return presets.fromEnv(environment);
  const call = presets[preset as keyof typeof presets] as (options: object) => AuthOptions;
  return call(Object.fromEntries(parameters.map(({ name, source }) => [name, valueOf(source, environment)])));
}

function claimsOf({ tokenClaims }: ProviderSetup, environment: Environment): Record<string, unknown> {
  return Object.fromEntries(
    tokenClaims.map((claim) => {
      const [, name = '', source = ''] = /^(\w+): (.*)$/.exec(claim) ?? [];
      return [name, valueOf(source, environment)];
    }),
  );
}

const names = Object.keys(PROVIDERS);

describe.each(names)('nest add with --provider=%s', (name) => {
  it('makes a module that admits the token of the test that it makes, and nobody without one', async () => {
    const setup = setupOf(name, undefined, undefined);
    const environment = environmentOf(setup);
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

  it('makes a module that does not start while a variable is not set', () => {
    const setup = setupOf(name, undefined, undefined);
    for (const { name: variable } of setup.variables) {
      const environment = { ...environmentOf(setup), [variable]: '' };
      expect(() => optionsOf(setup, environment)).toThrow('cannot be used');
    }
  });
});

describe('what nest add takes out of an issuer', () => {
  it.each([
    ['auth0', 'https://login.example.com/', { AUTH0_DOMAIN: 'login.example.com' }],
    ['auth0', 'https://login.example.com', { AUTH0_DOMAIN: 'login.example.com' }],
    ['keycloak', 'https://sso.example.com/auth/realms/staff', { KEYCLOAK_URL: 'https://sso.example.com/auth' }],
    ['keycloak', 'http://localhost:8080/realms/staff', { KEYCLOAK_REALM: 'staff' }],
    ['entraId', 'https://login.microsoftonline.com/11111111/v2.0', { ENTRA_TENANT_ID: '11111111' }],
    ['entraId', 'https://sts.windows.net/11111111/', { ENTRA_TENANT_ID: '11111111' }],
    ['cognito', 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1', { COGNITO_REGION: 'us-east-1' }],
    ['okta', 'https://example.okta.com/oauth2/aus123', { OKTA_AUTHORIZATION_SERVER_ID: 'aus123' }],
    ['firebase', 'https://securetoken.google.com/shop-1a2b3', { FIREBASE_PROJECT_ID: 'shop-1a2b3' }],
    ['supabase', 'https://abc.supabase.co/auth/v1', { SUPABASE_URL: 'https://abc.supabase.co' }],
    ['logto', 'https://auth.example.com/oidc', { LOGTO_ENDPOINT: 'https://auth.example.com' }],
    ['clerk', 'https://clerk.example.com', { CLERK_FRONTEND_API_URL: 'https://clerk.example.com' }],
    ['betterAuth', 'https://app.example.org', { BETTER_AUTH_URL: 'https://app.example.org' }],
    ['zitadel', 'http://localhost:8080', { AUTH_ISSUER: 'http://localhost:8080' }],
    ['github', 'https://token.actions.octocorp.ghe.com', { AUTH_ISSUER: 'https://token.actions.octocorp.ghe.com' }],
    ['other', 'https://issuer.example.com/slash/', { AUTH_ISSUER: 'https://issuer.example.com/slash/' }],
  ])('%s: %s', (name, issuer, expected) => {
    expect(environmentOf(setupOf(name, issuer, undefined))).toMatchObject(expected);
  });

  it.each([
    ['okta', 'https://example.okta.com'],
    ['keycloak', 'https://sso.example.com/realms/staff/'],
    ['google', 'https://accounts.example.com'],
    ['supabase', 'https://abc.supabase.co'],
  ])('is refused for %s: %s', (name, issuer) => {
    expect(() => setupOf(name, issuer, undefined)).toThrow('--provider=other if it is right');
  });
});

describe('schematics/nest-add/schema.json', () => {
  const { properties } = JSON.parse(readFileSync('schematics/nest-add/schema.json', 'utf8')) as {
    properties: Record<string, { enum?: unknown; 'x-prompt'?: { items: { value: string }[] } }>;
  };

  it('has the same providers, and asks for each of them', () => {
    expect(properties.provider?.enum).toEqual(names);
    expect(properties.provider?.['x-prompt']?.items.map(({ value }) => value)).toEqual(names);
  });
});
