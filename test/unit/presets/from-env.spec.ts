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

  it.each([
    ['a,b', ['a', 'b']],
    ['a b', ['a', 'b']],
    [' a , b,', ['a', 'b']],
  ])('reads the list %j', (list, expected) => {
    expect(fromEnv({ AUTH_ISSUER, AUTH_AUDIENCE: list }).audience).toEqual(expected);
  });

  it('reads the algorithms and the address of the keys', () => {
    const options = fromEnv({
      AUTH_ISSUER: 'urn:issuer',
      AUTH_AUDIENCE,
      AUTH_ALGORITHMS: 'RS256, ES256',
      AUTH_JWKS_URI: 'https://keys.example.com/jwks',
    });
    expect(options.algorithms).toEqual(['RS256', 'ES256']);
    expect(options.keys).toEqual({ from: 'jwks', uri: 'https://keys.example.com/jwks' });
    expect(() => resolveOptions(options)).not.toThrow();
  });

  it.each([
    ['https://accounts.google.com', 'google'],
    ['https://token.actions.githubusercontent.com', 'github'],
    ['https://token.actions.githubusercontent.com/acme', 'github'],
  ])('rejects %s, which issues tokens to anyone', (issuer, preset) => {
    for (const more of [{}, { AUTH_JWKS_URI: 'https://keys.example.com/jwks' }])
      expect(problemsOf(() => fromEnv({ AUTH_ISSUER: issuer, AUTH_AUDIENCE, ...more }))).toEqual([
        `AUTH_ISSUER: issues tokens to anyone, for any audience. Use ${preset}(), which requires a list of callers`,
      ]);
  });

  it('reads process.env when it is called', () => {
    const before = { ...process.env };
    try {
      Object.assign(process.env, { AUTH_ISSUER, AUTH_AUDIENCE });
      expect(fromEnv().issuer).toBe(AUTH_ISSUER);
    } finally {
      for (const name of ['AUTH_ISSUER', 'AUTH_AUDIENCE']) {
        if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[name];
      }
    }
  });

  const missing = ['AUTH_ISSUER: is missing: the exact `iss`', 'AUTH_AUDIENCE: is missing: `aud` of tokens'];
  const quotes = 'is enclosed in quotation marks';
  it.each<[changes: Record<string, string | undefined>, problems: readonly string[]]>([
    [{ AUTH_ISSUER: undefined, AUTH_AUDIENCE: undefined }, missing],
    [{ AUTH_ISSUER: '', AUTH_AUDIENCE: ' , ' }, missing],
    [{ AUTH_ISSUER: 'tenant.example.com' }, ['AUTH_ISSUER: must be a URL (https://…), unless AUTH_JWKS_URI is set']],
    [{ AUTH_ISSUER: '"a"', AUTH_AUDIENCE: '"a"' }, [`AUTH_ISSUER: ${quotes}`, `AUTH_AUDIENCE: ${quotes}`]],
    [{ AUTH_AUDIENCE: ` 'a,b' ` }, [`AUTH_AUDIENCE: ${quotes}`]],
    [
      { AUTH_ALGORITHMS: '"RS256"', AUTH_JWKS_URI: '"https://keys.example.com/"' },
      [`AUTH_JWKS_URI: ${quotes}`, `AUTH_ALGORITHMS: ${quotes}`],
    ],
    [
      { AUTH_ISSUER: '<issuer>', AUTH_AUDIENCE: '<what tokens have>' },
      ['AUTH_ISSUER: is "<issuer>"', 'AUTH_AUDIENCE: is "<what tokens have>"'],
    ],
    [{ AUTH_ISSUER: `${AUTH_ISSUER}\n` }, ['AUTH_ISSUER: must not begin or end with white space']],
    [{ AUTH_ISSUER: 'https://undefined/' }, ['AUTH_ISSUER: is "https://undefined/": a variable is not set']],
    [{ AUTH_AUDIENCE: 'a,undefined' }, ['AUTH_AUDIENCE: contains "undefined": a variable is not set']],
    [{ AUTH_JWKS_URI: 'keys.json' }, ['AUTH_JWKS_URI: must be a URL (https://…) without credentials and fragment']],
    [{ AUTH_JWKS_URI: 'undefined' }, ['AUTH_JWKS_URI: is "undefined": a variable is not set']],
    [{ AUTH_ALGORITHMS: 'HS256' }, ['AUTH_ALGORITHMS: cannot contain HS256, with which anyone could forge a token']],
    [{ AUTH_ALGORITHMS: 'none' }, ['AUTH_ALGORITHMS: cannot contain none']],
    [{ AUTH_ALGORITHMS: 'RS256,rs512' }, ['AUTH_ALGORITHMS: contains "rs512", which is not a signature algorithm']],
  ])('rejects %j', (changes, problems) => {
    const found = problemsOf(() => fromEnv({ AUTH_ISSUER, AUTH_AUDIENCE, ...changes }));
    expect(found).toEqual(problems.map((problem) => expect.stringContaining(problem) as unknown));
  });

  it('reports all problems together', () => {
    const env = { AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_ALGORITHMS: 'HS256,x', AUTH_JWKS_URI: 'y' };
    expect(problemsOf(() => fromEnv(env))).toHaveLength(5);
  });

  it('explains how to load a .env file only if a variable is not set', () => {
    expect(() => fromEnv({ AUTH_ISSUER })).toThrow('`nest start --env-file .env`');
    expect(() => fromEnv({ AUTH_ISSUER, AUTH_AUDIENCE: '"a"' })).toThrow(/^[^.]*missing or invalid:\n/);
  });
});
