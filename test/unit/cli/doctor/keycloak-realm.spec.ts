import { describe, expect, it } from '@jest/globals';
import { sameRealmElsewhere } from '../../../../src/cli/doctor/keycloak-realm.js';

describe('a realm of Keycloak at two addresses', () => {
  const outside = 'https://id.example.com/realms/shop';
  const inside = 'http://keycloak:8080/realms/shop';

  it('is told with the one that users reach, whichever was asked for', () => {
    const urls = { url: 'https://id.example.com', internalUrl: 'http://keycloak:8080' };
    expect(sameRealmElsewhere(outside, inside)).toEqual({ ...urls, isAskedInside: false });
    expect(sameRealmElsewhere(inside, outside)).toEqual({ ...urls, isAskedInside: true });
  });

  it('is not another realm, another path, or the same address', () => {
    expect(sameRealmElsewhere(outside, 'http://keycloak:8080/realms/other')).toBeUndefined();
    expect(sameRealmElsewhere(outside, outside.replace('https', 'http'))).toBeUndefined();
    expect(sameRealmElsewhere('https://a.example/shop', 'https://b.example/shop')).toBeUndefined();
  });
});
