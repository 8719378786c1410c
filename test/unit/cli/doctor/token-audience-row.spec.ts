import { describe, expect, it } from '@jest/globals';
import { recognisedProvider } from '../../../../src/cli/doctor/recognised-provider.js';
import { audienceRow } from '../../../../src/cli/doctor/token-audience-row.js';
import type { Facts } from '../../../../src/cli/doctor/token-facts.js';

const KEYCLOAK = 'https://id.example.com/realms/shop';
const AUTH0 = 'https://tenant.eu.auth0.com/';
const ENTRA = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0';

function rowOf(claims: Record<string, unknown>, issuer = 'https://issuer.example.com', audience?: string) {
  const provider = recognisedProvider(issuer);
  const facts = {
    decoded: { header: {}, claims },
    issuer: { issuer, audienceClaim: provider?.audienceClaim ?? 'aud' },
    audience: audience === undefined ? undefined : [audience],
    provider,
  } as unknown as Facts;
  return audienceRow(facts, { passed: false, code: claims.aud === undefined ? 'CLAIM_MISSING' : 'AUDIENCE_MISMATCH' });
}

const mendOf = (...parameters: Parameters<typeof rowOf>) => rowOf(...parameters).mend ?? '';

describe('the mend of a token for another audience', () => {
  it.each([
    [['realm-management', 'account', 'orders-api/'], 'orders-api', "'orders-api/', with the slash at its end"],
    [['account', 'Orders-API'], 'orders-api', "'Orders-API'"],
    [['other', 'http://api.example.com'], 'https://api.example.com', "'http://api.example.com'"],
    [['https://api.example.com'], 'api.example.com/', "'https://api.example.com'"],
  ])('is the one of %j that is %j but for its spelling', (aud, audience, written) => {
    expect(mendOf({ aud }, KEYCLOAK, audience)).toBe(`Write audience: ${written}: it is compared to the letter.`);
  });

  it.each([
    ['account', KEYCLOAK, 'mapper of the type Audience'],
    [['realm-management', 'account', 'broker', 'security-admin-console'], KEYCLOAK, 'mapper of the type Audience'],
    ['account', 'https://issuer.example.com', 'Audience mapper in Keycloak'],
    [
      ['https://tenant.eu.auth0.com/userinfo', 'https://tenant.eu.auth0.com/api/v2/'],
      AUTH0,
      'parameter audience (the API',
    ],
    ['00000003-0000-0000-c000-000000000000', ENTRA, 'the scope of the API, api://'],
    ['https://graph.microsoft.com', ENTRA, 'the scope of the API, api://'],
    ['https://graph.microsoft.com/', 'https://issuer.example.com', 'the scope of the API'],
    ['https://tenant.eu.auth0.com/api/v2', AUTH0, 'parameter audience (the API'],
    ['https://login.example.com/userinfo', 'https://login.example.com/', 'Ask the issuer for a token'],
    // Tokens of version 2.0 name a GUID only, so the preset refuses it.
    ['https://api.contoso.com', ENTRA, 'the scope of the API, api://'],
  ])('is never to accept what every token names, or what the preset refuses: %j', (aud, issuer, instead) => {
    for (const audience of ['11111111-2222-3333-4444-666666666666', undefined]) {
      const mend = mendOf({ aud }, issuer, audience);
      expect(mend).toContain(instead);
      for (const name of [aud].flat()) expect(mend).not.toContain(name);
    }
  });

  it('is no common name, whose spelling is another one', () => {
    expect(mendOf({ aud: 'account' }, 'https://issuer.example.com', 'Account')).not.toContain('Write');
  });

  it('names what may be this API, and leaves out what is none', () => {
    expect(mendOf({ aud: ['account', 'stock-api'] }, KEYCLOAK, 'orders-api')).toMatch(
      /^If the token is for this API, write audience: 'stock-api'; if not, for a token for "orders-api", add a mapper/,
    );
    expect(mendOf({ aud: ['account', 'stock-api'] }, KEYCLOAK)).toContain('give it as --audience');
  });

  it('writes the name that the preset has for it', () => {
    const cognito = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC';
    const mend = mendOf({ aud: 'x', client_id: 'web' }, cognito, 'mobile');
    expect(mend).toContain("write clientId: 'web'");
  });

  it.each(['client_id', 'azp', 'appid', 'cid'])('of a token without aud is the claim that it has: %s', (claim) => {
    const mend = mendOf({ [claim]: 'web' }, KEYCLOAK, 'orders-api');
    expect(mend).toContain('mapper of the type Audience');
    expect(mend).toContain(`audienceClaim: '${claim}'`);
  });

  it('of a token that names neither is no claim that it has not', () => {
    expect(mendOf({ sub: 'alice' }, KEYCLOAK, 'orders-api')).not.toContain('audienceClaim');
  });
});
