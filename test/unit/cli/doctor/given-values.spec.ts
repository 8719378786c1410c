import { describe, expect, it } from '@jest/globals';
import { CommandError } from '../../../../src/cli/command-io.js';
import { refuseUnset } from '../../../../src/cli/doctor/given-values.js';

const refusing = (values: { issuer?: string; audience?: string[]; jwksUri?: string }) => () => {
  refuseUnset({ issuer: 'https://issuer.example.com', audience: undefined, jwksUri: undefined, ...values });
};

describe('a value of which a variable is not set', () => {
  it.each(['', ' ', 'undefined', 'null', 'https://undefined/realms/shop', 'https://undefined.auth0.com/', 'https://'])(
    'is refused before anybody is asked: %j',
    (text) => {
      for (const [values, option] of [
        [{ issuer: text }, '--issuer'],
        [{ audience: ['api', text] }, '--audience'],
        [{ jwksUri: text }, '--jwks-uri'],
      ] as const) {
        expect(refusing(values as never)).toThrow(CommandError);
        expect(refusing(values as never)).toThrow(new RegExp(`^${option} (?:is empty|has .* in it): .*not be set\\.$`));
      }
    },
  );

  it.each([
    'https:///realms/shop',
    'https://:8443/realms/shop',
    'https://.auth0.com/',
    'https://id.example.com/realms/undefined',
    'api://undefined',
  ])('is refused with an empty part: %s', (issuer) => {
    expect(refusing({ issuer })).toThrow('a variable that it is made of may not be set');
  });

  it.each(['https://undefined-behaviour.example.com', 'https://nan.example.org', 'joe', 'api://nullable', 'urn:api'])(
    'is not confused with %s',
    (issuer) => {
      expect(refusing({ issuer, audience: [issuer] })).not.toThrow();
    },
  );
});
