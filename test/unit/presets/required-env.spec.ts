import { describe, expect, it } from '@jest/globals';
import { auth0, google, requiredEnv } from '../../../src/presets.js';
import { problemsOf } from '../../support/provider.js';

const env = { DOMAIN: 'tenant.auth0.com', AUDIENCE: 'https://api.example.com', EMAIL: 'a@example.com', EMPTY: ' ' };

describe('requiredEnv', () => {
  it('reads variables under the names of arguments', () => {
    const { issuer, audience } = auth0(requiredEnv({ domain: 'DOMAIN', audience: 'AUDIENCE' }, env));
    expect([issuer, audience]).toEqual(['https://tenant.auth0.com/', ['https://api.example.com']]);
  });

  it('makes a list of a list', () => {
    const values = requiredEnv({ audience: 'AUDIENCE', emails: ['EMAIL'] }, env);
    expect(values).toEqual({ audience: env.AUDIENCE, emails: [env.EMAIL] });
    expect(google(values).audience).toEqual([env.AUDIENCE]);
  });

  it('reads process.env when it is called', () => {
    process.env.REQUIRED_ENV_SPEC = 'value';
    try {
      expect(requiredEnv({ name: 'REQUIRED_ENV_SPEC' })).toEqual({ name: 'value' });
    } finally {
      Reflect.deleteProperty(process.env, 'REQUIRED_ENV_SPEC');
    }
  });

  it('names every variable that is not set, and says how a .env file is loaded', () => {
    const read = () => requiredEnv({ domain: 'DOMAIN', audience: 'EMPTY', emails: ['NOWHERE'] }, env);
    expect(problemsOf(read)).toEqual(['EMPTY: is not set', 'NOWHERE: is not set']);
    expect(read).toThrow('`nest start --env-file .env`');
  });

  it.each([
    ['"api"', 'is "\\"api\\"". Remove the quotation marks'],
    ["'api'", 'is "\'api\'". Remove the quotation marks'],
    ['<your API>', 'is "<your API>". Replace this placeholder with the value.'],
    ['api\n', 'is "api\\n". Remove the white space'],
    ['undefined', 'is "undefined". Set the variable that it comes from.'],
  ])('refuses a value that cannot be meant: %j', (value, problem) => {
    const read = () => requiredEnv({ audience: 'AUDIENCE' }, { AUDIENCE: value });
    expect(problemsOf(read)).toEqual([expect.stringContaining(`AUDIENCE: ${problem}`)]);
    expect(read).not.toThrow('--env-file .env`');
  });

  it.each(["it's", '"half', 'a "b" c'])('takes quotation marks that are around nothing: %j', (value) => {
    expect(requiredEnv({ audience: 'AUDIENCE' }, { AUDIENCE: value })).toEqual({ audience: value });
  });
});
