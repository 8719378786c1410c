import { describe, expect, it } from '@jest/globals';
import { auth0, google, requiredEnv } from '../../../src/presets.js';
import { problemsOf } from '../../support/provider.js';

const env = { DOMAIN: 'tenant.auth0.com', AUDIENCE: 'https://api.example.com', EMAIL: 'a@example.com', EMPTY: ' ' };

describe('requiredEnv', () => {
  it('returns the values of variables as options of a preset', () => {
    const { issuer, audience } = auth0(requiredEnv({ domain: 'DOMAIN', audience: 'AUDIENCE' }, env));
    expect([issuer, audience]).toEqual(['https://tenant.auth0.com/', ['https://api.example.com']]);
  });

  it('returns a list for a list of names', () => {
    const values = requiredEnv({ audience: 'AUDIENCE', emails: ['EMAIL'] }, env);
    expect(values).toEqual({ audience: env.AUDIENCE, emails: [env.EMAIL] });
    expect(google(values).audience).toEqual([env.AUDIENCE]);
  });

  it('reports all variables that are not set, and how to load a .env file', () => {
    const read = () => requiredEnv({ domain: 'DOMAIN', audience: 'EMPTY', emails: ['NOWHERE'] }, env);
    expect(problemsOf(read)).toEqual([
      'EMPTY: is missing. Set it to the value of `audience`.',
      'NOWHERE: is missing. Set it to the value of `emails`.',
    ]);
    expect(read).toThrow('`nest start --env-file .env`');
  });

  it.each([
    ["'api'", 'Remove the quotation marks'],
    ['<your API>', 'Replace this placeholder'],
    ['api\n', 'Remove the white space'],
    ['undefined', 'Set the variable that it comes from'],
  ])('rejects the value %j', (value, fix) => {
    const read = () => requiredEnv({ audience: 'AUDIENCE' }, { AUDIENCE: value });
    expect(problemsOf(read)).toEqual(
      [`AUDIENCE: is ${JSON.stringify(value)}. ${fix}`].map((start) => expect.stringContaining(start)),
    );
    expect(read).not.toThrow('--env-file .env`');
  });

  it.each(["it's", '"half', 'a "b" c'])('accepts quotation marks that do not enclose the value: %j', (value) => {
    expect(requiredEnv({ audience: 'AUDIENCE' }, { AUDIENCE: value })).toEqual({ audience: value });
  });
});
