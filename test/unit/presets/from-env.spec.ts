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
  ])('is not for %s, where anyone gets a token', (issuer, preset) => {
    for (const more of [{}, { AUTH_JWKS_URI: 'https://keys.example.com/jwks' }])
      expect(problemsOf(() => fromEnv({ AUTH_ISSUER: issuer, AUTH_AUDIENCE, ...more }))).toEqual([
        `AUTH_ISSUER: has tokens for anyone, for any audience: use ${preset}(), which says who may call`,
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

  const noIssuer = "AUTH_ISSUER: is missing: the exact `iss` of the tokens, 'https://tenant.example.com/' say";
  const noAudience =
    'AUTH_AUDIENCE: is missing: what tokens for this API name in `aud`; several with commas or spaces between them';
  const quoted = (value: string) =>
    `is ${JSON.stringify(value)}. Remove the quotation marks (\`docker run --env-file\` keeps them).`;
  it.each([
    [{}, [noIssuer, noAudience]],
    [{ AUTH_ISSUER: '', AUTH_AUDIENCE: ' , ' }, [noIssuer, noAudience]],
    [
      { AUTH_ISSUER: 'tenant.example.com', AUTH_AUDIENCE },
      ['AUTH_ISSUER: must be an address, https://…; or set AUTH_JWKS_URI, where the keys are'],
    ],
    [
      { AUTH_ISSUER: `"${AUTH_ISSUER}"`, AUTH_AUDIENCE: `"${AUTH_AUDIENCE}"` },
      [`AUTH_ISSUER: ${quoted(`"${AUTH_ISSUER}"`)}`, `AUTH_AUDIENCE: ${quoted(`"${AUTH_AUDIENCE}"`)}`],
    ],
    [{ AUTH_ISSUER, AUTH_AUDIENCE: ` 'a,b' ` }, [`AUTH_AUDIENCE: ${quoted(" 'a,b' ")}`]],
    [
      { AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ALGORITHMS: '"RS256"', AUTH_JWKS_URI: '"https://keys.example.com/"' },
      [`AUTH_JWKS_URI: ${quoted('"https://keys.example.com/"')}`, `AUTH_ALGORITHMS: ${quoted('"RS256"')}`],
    ],
    [
      { AUTH_ISSUER: '<issuer>', AUTH_AUDIENCE: '<what tokens for this API name in aud>' },
      [
        'AUTH_ISSUER: is "<issuer>". Replace this placeholder with the value.',
        'AUTH_AUDIENCE: is "<what tokens for this API name in aud>". Replace this placeholder with the value.',
      ],
    ],
    [
      { AUTH_ISSUER: `${AUTH_ISSUER}\n`, AUTH_AUDIENCE },
      ['AUTH_ISSUER: is "https://tenant.example.com/\\n". Remove the white space at its beginning and end.'],
    ],
    [
      { AUTH_ISSUER: 'https://undefined/', AUTH_AUDIENCE },
      ['AUTH_ISSUER: is "https://undefined/". Set the variable that it comes from.'],
    ],
    [{ AUTH_ISSUER, AUTH_AUDIENCE: 'a,undefined' }, ['AUTH_AUDIENCE: has "undefined" in it: a variable is not set']],
    [
      { AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URI: 'keys.json' },
      ['AUTH_JWKS_URI: must be an address without credentials and fragment, https://…'],
    ],
    [
      { AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URI: 'undefined' },
      ['AUTH_JWKS_URI: is "undefined". Set the variable that it comes from.'],
    ],
  ])('says of %j what is missing or wrong', (env, problems) => {
    expect(problemsOf(() => fromEnv(env))).toEqual(problems);
  });

  it.each([
    ['HS256', 'AUTH_ALGORITHMS: HS256 is not possible: anyone could make a token; use RS256'],
    ['none', 'AUTH_ALGORITHMS: none is not possible: anyone could make a token; use RS256'],
    ['RS256,rs512', 'AUTH_ALGORITHMS: "rs512" is no signature algorithm; use RS256'],
  ])('does not take the algorithms %s', (AUTH_ALGORITHMS, problem) => {
    const [first] = problemsOf(() => fromEnv({ AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ALGORITHMS }));
    expect(first?.slice(0, problem.length)).toBe(problem);
  });

  it('says everything at once', () => {
    const env = { AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_ALGORITHMS: 'HS256,x', AUTH_JWKS_URI: 'y' };
    expect(problemsOf(() => fromEnv(env))).toHaveLength(5);
    expect(() => fromEnv(env)).toThrow(
      /^The environment variables of fromEnv\(\) cannot be used.*:\n {2}- AUTH_ISSUER/,
    );
  });

  it('says how a .env file is loaded where a variable is not set, and only there', () => {
    expect(() => fromEnv({ AUTH_ISSUER })).toThrow('`nest start --env-file .env`');
    expect(() => fromEnv({ AUTH_ISSUER, AUTH_AUDIENCE: '"a"' })).toThrow(/^[^.]*cannot be used:\n/);
  });
});
