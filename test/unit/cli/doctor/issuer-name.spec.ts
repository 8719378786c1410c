import { describe, expect, it } from '@jest/globals';
import type { Discovery } from '../../../../src/cli/doctor/discovery.js';
import { nameOf } from '../../../../src/cli/doctor/issuer-name.js';

const ASKED = 'https://id.example.com/auth/realms/shop';
const named = (issuer: unknown): Discovery => ({
  rows: [],
  found: { metadata: { issuer }, location: `${ASKED}/.well-known/openid-configuration` },
  isReachable: true,
  clock: undefined,
});

describe('the name of an issuer', () => {
  it.each([ASKED, `${ASKED}/`, ASKED.toUpperCase(), 'https://id.example.com/realms/shop'])(
    'is %s, if it writes itself so: the same realm',
    (issuer) => {
      expect(nameOf(ASKED, named(issuer), undefined)).toBe(issuer);
    },
  );

  it.each(['https://id.example.com/auth/realms/evil', 'https://id.example.com', 'https://else.example.com', 7])(
    'is not known where the metadata are of %s, unless the keys are given',
    (issuer) => {
      expect(nameOf(ASKED, named(issuer), undefined)).toBeUndefined();
      expect(nameOf(ASKED, named(issuer), 'https://keys.example.com')).toBe(ASKED);
    },
  );

  it.each([ASKED.replace('https', 'http'), 'https://login.microsoftonline.com/{tenantid}/v2.0'])(
    'is never %s, nor what that calls wrong',
    (issuer) => {
      for (const uri of [undefined, 'https://keys.example.com'])
        expect(nameOf(ASKED, named(issuer), uri)).toBeUndefined();
    },
  );

  it('is as it was asked for where there are no metadata, if the keys are given', () => {
    expect(nameOf(ASKED, undefined, 'https://keys.example.com')).toBe(ASKED);
    expect(nameOf(ASKED, undefined, undefined)).toBeUndefined();
  });
});
