import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { fromEnv } from '../../../src/presets.js';
import { problemsOf } from '../../support/provider.js';

const AUTH_ISSUER = 'https://tenant.example.com/';
const AUTH_AUDIENCE = 'https://api.example.com';

describe('fromEnv', () => {
  it('reads the issuer and the audience', () => {
    const options = fromEnv({ AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ALGORITHMS: '', AUTH_JWKS_URI: '', OTHER: 'x' });
    expect(options).toEqual({ issuer: AUTH_ISSUER, audience: [AUTH_AUDIENCE] });
    expect(() => resolveOptions(options)).not.toThrow();
  });

  it.each(['a,b', 'a b', ' a , b,'])('reads the list %j', (list) => {
    expect(fromEnv({ AUTH_ISSUER, AUTH_AUDIENCE: list }).audience).toEqual(['a', 'b']);
  });

  it('reads the algorithms and the address of the keys', () => {
    const uri = 'https://keys.example.com/jwks';
    const more = { AUTH_ALGORITHMS: 'RS256, ES256', AUTH_JWKS_URI: uri };
    const options = fromEnv({ AUTH_ISSUER: 'urn:issuer', AUTH_AUDIENCE, ...more });
    expect(options).toMatchObject({ algorithms: ['RS256', 'ES256'], keys: { from: 'jwks', uri } });
    expect(() => resolveOptions(options)).not.toThrow();
  });

  it.each([
    ['https://accounts.google.com', 'google'],
    ['https://token.actions.githubusercontent.com', 'github'],
    ['https://token.actions.githubusercontent.com/acme', 'github'],
    ['https://gitlab.com', 'gitlab'],
    ['https://oidc.eks.eu-west-1.amazonaws.com/id/0123', 'kubernetes'],
  ])('rejects %s, which issues tokens to anyone', (issuer, preset) => {
    for (const more of [{}, { AUTH_JWKS_URI: 'https://keys.example.com/jwks' }])
      expect(problemsOf(() => fromEnv({ AUTH_ISSUER: issuer, AUTH_AUDIENCE, ...more }))).toEqual([
        `AUTH_ISSUER: is "${issuer}". Anyone can get a token for any audience from this issuer. Use ${preset}(), which requires a list of callers.`,
      ]);
  });

  const missing = [
    'AUTH_ISSUER: is missing. Set it to the exact `iss` of the tokens',
    'AUTH_AUDIENCE: is missing. Set it to `aud` of tokens for this API',
  ];
  const quotes = 'Remove the quotation marks';
  const unset = 'Set the variable that it comes from.';
  it.each<[changes: Record<string, string | undefined>, problems: readonly string[]]>([
    [{ AUTH_ISSUER: undefined, AUTH_AUDIENCE: undefined }, missing],
    [{ AUTH_ISSUER: '', AUTH_AUDIENCE: ' , ' }, missing],
    [{ AUTH_ISSUER: 'tenant.example.com' }, ['AUTH_ISSUER: is "tenant.example.com". Set it to a URL (https://…), or']],
    [{ AUTH_ISSUER: '"a"', AUTH_AUDIENCE: ` 'a,b' ` }, [quotes, quotes]],
    [{ AUTH_ALGORITHMS: '"RS256"', AUTH_JWKS_URI: '"https://keys.example.com/"' }, [quotes, quotes]],
    [
      { AUTH_ISSUER: '<issuer>', AUTH_AUDIENCE: '<what tokens have>' },
      ['AUTH_ISSUER: is "<issuer>"', 'AUTH_AUDIENCE: is "<what tokens have>"'],
    ],
    [{ AUTH_ISSUER: `${AUTH_ISSUER}\n` }, ['Remove the white space at its beginning and end.']],
    [{ AUTH_ISSUER: 'https://undefined/' }, [`AUTH_ISSUER: is "https://undefined/". ${unset}`]],
    [{ AUTH_AUDIENCE: 'a,undefined' }, [`AUTH_AUDIENCE: is "undefined". ${unset}`]],
    [{ AUTH_JWKS_URI: 'keys.json' }, ['AUTH_JWKS_URI: is "keys.json". Set it to an https address']],
    [{ AUTH_JWKS_URI: 'undefined' }, [`AUTH_JWKS_URI: is "undefined". ${unset}`]],
    [{ AUTH_ALGORITHMS: 'HS256' }, ['AUTH_ALGORITHMS: is "HS256". This algorithm is not possible']],
    [{ AUTH_ALGORITHMS: 'none,x', AUTH_JWKS_URI: 'y' }, ['is "none"', 'is "x"', 'AUTH_JWKS_URI: is "y"']],
    [{ AUTH_ALGORITHMS: 'RS256,rs512' }, ['AUTH_ALGORITHMS: is "rs512". Set it to one of RS256, ']],
  ])('rejects %j', (changes, problems) => {
    const found = problemsOf(() => fromEnv({ AUTH_ISSUER, AUTH_AUDIENCE, ...changes }));
    expect(found).toEqual(problems.map((problem) => expect.stringContaining(problem) as unknown));
  });

  it('explains how to load a .env file only if a variable is not set', () => {
    expect(() => fromEnv({ AUTH_ISSUER })).toThrow('`nest start --env-file .env`');
    expect(() => fromEnv({ AUTH_ISSUER, AUTH_AUDIENCE: '"a"' })).toThrow(/^[^.]*missing or invalid:\n/);
  });
});
