import { describe, expect, it } from '@jest/globals';
import type { Facts } from '../../../../src/cli/doctor/token-facts.js';
import { issuerRow } from '../../../../src/cli/doctor/token-issuer-row.js';

const mendOf = (issuer: string, iss: string) => {
  const facts = { decoded: { header: {}, claims: { iss } }, issuer: { issuer }, published: {} } as unknown as Facts;
  return issuerRow(facts).mend ?? '';
};

describe('the mend of a token of another issuer', () => {
  const asked = 'https://sso.example.com/realms/master';

  it.each([
    [asked, 'https://keycloak.evil.test/realms/master'],
    [asked, 'http://keycloak.evil.test/realms/master'],
    [asked, 'https://keycloak.evil.test/realms/other'],
    ['https://issuer.example.com', 'https://keycloak.evil.test/'],
    ['http://keycloak:8080/realms/master', 'https://keycloak.evil.test/realms/master'],
  ])('never has an address in it that nobody verified: %s, %s', (issuer, iss) => {
    expect(mendOf(issuer, iss)).not.toContain('evil');
  });

  it('has no other server for the keys of a realm, but says how one server names itself', () => {
    const mend = mendOf(asked, 'https://keycloak.evil.test/realms/master');
    expect(mend).toContain('The same realm on another server');
    expect(mend).toContain('KC_HOSTNAME=https://sso.example.com');
    expect(mend).not.toContain('internalUrl');
  });

  it('has the address for the keys that is inside a network', () => {
    expect(mendOf(asked, 'http://keycloak:8080/realms/master')).toContain(
      "keycloak({ url: 'https://sso.example.com', internalUrl: 'http://keycloak:8080', … }) (with insecureAllowHttp: true beside it)",
    );
    expect(mendOf('http://keycloak:8080/realms/master', asked)).toContain(
      "keycloak({ url: '<where users reach Keycloak>', internalUrl: 'http://keycloak:8080', … })",
    );
  });
});
