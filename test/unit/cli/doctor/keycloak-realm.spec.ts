import { describe, expect, it } from '@jest/globals';
import { sameRealmElsewhere } from '../../../../src/cli/doctor/keycloak-realm.js';

describe('a realm of Keycloak at two addresses', () => {
  const outside = 'https://id.example.com/realms/shop';
  const inside = 'http://keycloak:8080/realms/shop';

  it('is told with the one that is inside a network, whichever was asked for', () => {
    const [id, keycloak] = ['https://id.example.com', 'http://keycloak:8080'];
    expect(sameRealmElsewhere(outside, inside)).toEqual({ asked: id, named: keycloak, inside: 'named' });
    expect(sameRealmElsewhere(inside, outside)).toEqual({ asked: keycloak, named: id, inside: 'asked' });
  });

  it.each([
    'http://localhost:8080',
    'http://127.0.0.1:8080',
    'https://10.1.2.3',
    'http://[::1]:8080',
    'https://keycloak',
    'https://keycloak.local',
    'https://keycloak.corp.internal',
    'https://keycloak.home.arpa',
    'http://keycloak.auth.svc',
    'http://keycloak.auth.svc.cluster.local:8080',
    'http://keycloak.auth.svc.cluster.local.:8080',
  ])('has one inside: %s', (url) => {
    expect(sameRealmElsewhere(outside, `${url}/realms/shop`)?.inside).toBe('named');
  });

  it.each([
    'https://keycloak.evil.test',
    'http://keycloak.evil.test',
    'https://local.evil.test',
    'https://keycloak-local.example',
    'https://8.8.8.8',
    'http://[2001:db8::1]:8080',
  ])('has none inside for what anybody may have: %s', (url) => {
    const realm = sameRealmElsewhere(outside, `${url}/realms/shop`);
    expect(realm).toBeDefined();
    expect(realm?.inside).toBeUndefined();
  });

  it('says of two that are inside neither', () => {
    expect(sameRealmElsewhere('http://localhost:8080/realms/shop', inside)).toMatchObject({ inside: undefined });
  });

  it('is not another realm, another path, the same address, or one with credentials', () => {
    expect(sameRealmElsewhere(outside, 'http://keycloak:8080/realms/other')).toBeUndefined();
    expect(sameRealmElsewhere(outside, outside.replace('https', 'http'))).toBeUndefined();
    expect(sameRealmElsewhere('https://a.example/shop', 'https://b.example/shop')).toBeUndefined();
    expect(sameRealmElsewhere(outside, 'http://joe:secret@keycloak:8080/realms/shop')).toBeUndefined();
  });
});
