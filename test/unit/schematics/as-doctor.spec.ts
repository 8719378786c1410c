import { describe, expect, it } from '@jest/globals';
import { recognisedProvider } from '../../../src/cli/doctor/recognised-provider.js';
import type { ResourceServerOptions } from '../../../src/options/options.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { optionsOf } from '../../../src/schematics/check-setup.js';
import { setupOf } from '../../../src/schematics/providers.js';

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';

function issuersOf(options: ResourceServerOptions) {
  const { issuers } = resolveOptions(options);
  if (typeof issuers === 'function') throw new Error('is a resolver');
  return issuers.map(
    ({ issuer, audience, audienceClaim, keys, algorithms, tokenTypes, requiredClaims, claimPaths }) => ({
      ...{ issuer, audience, audienceClaim, keys, algorithms, tokenTypes, requiredClaims, claimPaths },
    }),
  );
}

/** What is wrong with the arguments, or what becomes of them. */
function outcomeOf(make: () => ResourceServerOptions): unknown {
  try {
    return issuersOf(make());
  } catch (error) {
    return (error as { problems?: readonly { message: string }[] }).problems?.map(({ message }) => message) ?? error;
  }
}

const AUDIENCES: Readonly<Record<string, string>> = {
  entraId: TENANT,
  zitadel: '69234237810729019',
  clerk: 'https://app.example.com',
};

describe('nest add and doctor', () => {
  it.each([
    ['auth0', 'https://tenant.eu.auth0.com/'],
    ['auth0', 'https://tenant.auth0.com/'],
    ['keycloak', 'https://id.example.com/realms/shop'],
    ['keycloak', 'https://id.example.com/auth/realms/shop'],
    ['keycloak', 'https://id.example.com/realms/my%20shop'],
    ['keycloak', 'https://id.example.com/realms/100%'],
    ['keycloak', 'http://localhost:8080/realms/shop'],
    ['entraId', `https://login.microsoftonline.com/${TENANT}/v2.0`],
    ['entraId', `https://login.microsoftonline.com/${TENANT}`],
    ['entraId', `https://login.microsoftonline.com/${TENANT.toUpperCase()}/v2.0`],
    ['entraId', 'https://login.microsoftonline.com/common/v2.0'],
    ['entraId', `https://login.microsoftonline.us/${TENANT}/v2.0`],
    ['entraId', `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`],
    ['entraId', `https://sts.windows.net/${TENANT}/`],
    ['entraId', `https://sts.chinacloudapi.cn/${TENANT}/`],
    ['cognito', 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC'],
    ['cognito', 'https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC'],
    ['cognito', 'https://cognito-idp.eu-central-1.amazonaws.com/us-east-1_AbC'],
    ['okta', 'https://example.okta.com/oauth2/default'],
    ['okta', 'https://example.okta.com/oauth2/aus1'],
    ['okta', 'https://example.oktapreview.com/oauth2/aus1'],
    ['google', 'https://accounts.google.com'],
    ['firebase', 'https://securetoken.google.com/shop-1'],
    ['zitadel', 'https://my.zitadel.cloud'],
    ['zitadel', 'https://my-instance-1.eu1.zitadel.cloud'],
    ['supabase', 'https://abcdefghijklmnopqrst.supabase.co/auth/v1'],
    ['supabase', 'https://my-shop.supabase.co/auth/v1'],
    ['clerk', 'https://happy-cat-1.clerk.accounts.dev'],
    ['logto', 'https://shop.logto.app/oidc'],
    ['github', 'https://token.actions.githubusercontent.com'],
    ['github', 'https://token.actions.githubusercontent.com/acme'],
    ['github', 'https://token.actions.octocorp.ghe.com'],
  ])('make the same options by %s for %s', (preset, issuer) => {
    const provider = recognisedProvider(issuer);
    expect(provider?.preset).toBe(preset);
    const audience = preset === 'firebase' ? undefined : (AUDIENCES[preset] ?? 'api');
    const setup = setupOf(preset, issuer, audience);
    expect(setup.preset).toBe(preset);
    const call = provider?.call(audience === undefined ? undefined : [audience]);
    const made = outcomeOf(() => optionsOf(setup));
    const printed =
      call?.problems.length === 0 ? issuersOf({ issuers: call.issuers }) : call?.problems.map(({ message }) => message);
    expect(made).toEqual(printed);
    const { parameters = {} } = call ?? {};
    const named = [...setup.variables, ...setup.constants].map(({ parameter }) => parameter);
    expect(named).toEqual(expect.arrayContaining(Object.keys(parameters)));
  });
});
