import { describe, expect, it } from '@jest/globals';
import { recognisedProvider } from '../../../../src/cli/doctor/recognised-provider.js';
import { tokenOptions } from '../../../../src/cli/doctor/token-options.js';

const GUID = '11111111-2222-3333-4444-555555555555';

const options = (issuer: string, ...audience: string[]) =>
  tokenOptions(
    issuer,
    { audience: audience.length === 0 ? undefined : audience, clockToleranceSeconds: 30 },
    recognisedProvider(issuer),
  );

describe('what a token is checked by', () => {
  it('is what was asked for, without the white space around it', () => {
    const { issuer, audience } = options('https://issuer.example.com', ' api\n');
    expect(audience).toEqual(['api']);
    expect(issuer).toMatchObject({
      issuer: 'https://issuer.example.com',
      audience: ['api'],
      clockToleranceSeconds: 30,
    });
  });

  it('is every audience that the preset accepts in place of the one that was given', () => {
    expect(options(`https://sts.windows.net/${GUID}/`, GUID).audience).toEqual([GUID, `api://${GUID}`]);
    expect(options(`https://login.microsoftonline.com/${GUID}/v2.0`, `api://${GUID}`).audience).toEqual([GUID]);
  });

  it('is what was given where the preset refuses it', () => {
    expect(options('https://my.zitadel.cloud', 'orders').audience).toEqual(['orders']);
  });

  it('is what the provider names by itself, and else no audience', () => {
    expect(options('https://abc.supabase.co/auth/v1').audience).toEqual(['authenticated']);
    expect(options('https://abc.supabase.co/auth/v1', 'orders').audience).toEqual(['orders']);
    expect(options('https://issuer.example.com').audience).toBeUndefined();
  });

  it('is all but the audience where the options cannot be used', () => {
    const { issuer, audience } = options('https://issuer.example.com', 'undefined');
    expect([issuer.issuer, audience]).toEqual(['https://issuer.example.com', undefined]);
  });
});
