import { describe, expect, it } from '@jest/globals';
import { recognisedProvider } from '../../../../src/cli/doctor/recognised-provider.js';
import type { IssuerOptions } from '../../../../src/index.js';
import * as presets from '../../../../src/presets.js';

const tenant = '11111111-2222-3333-4444-555555555555';

/** What the preset of this name makes of the parameters that are printed for it. */
function made(issuer: string, audience: string): IssuerOptions | undefined {
  const call = recognisedProvider(issuer, `'${audience}'`);
  if (call === undefined) return undefined;
  const parameters = Object.fromEntries(
    // The values are TypeScript: a text, or a list of texts.
    Object.entries(call.parameters).map(([name, value]) => [name, JSON.parse(value.replaceAll("'", '"')) as unknown]),
  );
  const preset = presets[call.preset as keyof typeof presets] as (options: object) => IssuerOptions;
  const options = preset(parameters) as IssuerOptions & { issuers?: readonly IssuerOptions[] };
  return options.issuers?.find((one) => one.issuer === issuer) ?? options;
}

describe('the preset that is printed for an issuer', () => {
  it.each([
    ['https://tenant.eu.auth0.com/', 'https://api.example.com'],
    ['https://id.example.com/auth/realms/shop', 'orders-api'],
    [`https://login.microsoftonline.com/${tenant}/v2.0`, tenant],
    [`https://sts.windows.net/${tenant}/`, tenant],
    ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI', 'client'],
    ['https://example.okta.com/oauth2/default', 'api://default'],
    ['https://example.okta.com/oauth2/aus1', 'api://orders'],
    ['https://securetoken.google.com/shop-1', 'shop-1'],
    ['https://my.zitadel.cloud', '69234237810729019'],
    ['https://abcdefghijklmnopqrst.supabase.co/auth/v1', 'authenticated'],
    ['https://happy-cat-1.clerk.accounts.dev', 'https://example.com'],
    ['https://shop.logto.app/oidc', 'https://api.example.com'],
  ])('makes options for that very issuer: %s', (issuer, audience) => {
    expect(made(issuer, audience)?.issuer).toBe(issuer);
    expect([made(issuer, audience)?.audience].flat()).toContain(audience);
    const { audienceClaim } = recognisedProvider(issuer, '') ?? {};
    expect(made(issuer, audience)?.audienceClaim ?? 'aud').toBe(audienceClaim ?? 'aud');
  });

  it('is none for a name that may be anybody', () => {
    expect(made('https://id.example.com', 'api')).toBeUndefined();
  });
});
