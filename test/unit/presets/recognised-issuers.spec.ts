import { describe, expect, it } from '@jest/globals';
import type { IssuerOptions } from '../../../src/options/options.js';
import * as published from '../../../src/presets.js';
import { type PresetName, PRESETS, recognisedIssuer } from '../../../src/presets/recognised-issuers.js';

const CLIENT = '11111111-2222-3333-4444-555555555555';

/** Arguments with which each preset makes options. */
const ARGUMENTS: Readonly<Record<PresetName, object>> = {
  auth0: { domain: 'tenant.eu.auth0.com', audience: 'api' },
  betterAuth: { baseUrl: 'https://app.example.com', audience: 'api' },
  clerk: { frontendApiUrl: 'https://clerk.example.com', authorizedParties: 'https://example.com' },
  cognito: { region: 'eu-central-1', userPoolId: 'eu-central-1_Ab', clientId: 'client' },
  entraId: { tenantId: CLIENT, audience: CLIENT },
  firebase: { projectId: 'shop-1' },
  github: { audience: 'api', repositories: ['octo-org/octo-repo'] },
  google: { audience: 'api', emails: ['a@example.com'] },
  keycloak: { url: 'https://id.example.com', realm: 'shop', audience: 'api' },
  logto: { tenant: 'shop', resource: 'api' },
  okta: { domain: 'example.okta.com', audience: 'api' },
  supabase: { projectRef: 'abc' },
  zitadel: { domain: 'my.zitadel.cloud', audience: '1' },
};

describe.each(Object.entries(PRESETS))('what is known of the preset %s', (name, facts) => {
  const given = ARGUMENTS[name as PresetName];
  const made = facts.make(given as never);
  const issuers = ('issuers' in made ? made.issuers : [made]) as readonly IssuerOptions[];

  it('is whether options of issuer and audience only would let in what it keeps out', () => {
    const more = issuers.some(
      ({ validate, requiredClaims, tokenTypes, audienceClaim }) =>
        (validate ?? requiredClaims ?? tokenTypes ?? audienceClaim) !== undefined,
    );
    expect(facts.checksMore ?? false).toBe(more);
  });

  it('is how it calls the audience, and where tokens have it', () => {
    expect(issuers[0]?.audienceClaim ?? 'aud').toBe(facts.audienceClaim);
    if (facts.audienceParameter !== undefined && name !== 'supabase')
      expect(given).toHaveProperty(facts.audienceParameter);
  });

  it('is that it asks who may call, where anyone can get a token', () => {
    const { audience } = { audience: 'api', ...given };
    const start = () => facts.make({ audience } as never);
    if (facts.isOpenToAnyone === true) expect(start).toThrow('is missing: anyone');
  });
});

it('knows every preset that is published', () => {
  const { fromEnv: _fromEnv, requiredEnv: _requiredEnv, ...rest } = published;
  expect(Object.fromEntries(Object.entries(PRESETS).map(([name, { make }]) => [name, make]))).toEqual(rest);
});

describe('the name of an issuer', () => {
  it.each([
    ['https://id.example.com'],
    ['https://auth0.com.example.com/'],
    ['https://tenant.auth0.com.example.com/'],
    ['https://login.microsoftonline.com.example.com/common/v2.0'],
    ['https://example.com/login.microsoftonline.com/common/v2.0'],
    ['https://accounts.google.com.example.com'],
    ['https://accounts.google.com@example.com'],
    ['https://token.actions.githubusercontent.com.example.com'],
    ['https://example.okta.com.example.com/oauth2/default'],
    ['https://clerk.example.com'],
  ])('is nobody that is known: %s', (issuer) => {
    expect(recognisedIssuer(issuer)).toBeUndefined();
  });
});
