import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../../src/model/errors.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { pathsOf, problemsOf } from '../../support/catching.js';

const BASE = { issuer: 'https://issuer.example.com/', audience: 'https://api.example.com' };
const resolve = (options: unknown, extras?: unknown) => resolveOptions(options as never, extras as never);
const messagesOf = (options: object) =>
  problemsOf(() => resolve({ ...BASE, ...options })).map(({ path, message }) => `${path}: ${message}`);

const HTTP_RULE = 'http is accepted for loopback only, or with insecureAllowHttp: true in a closed network';

describe('A problem of an option', () => {
  it.each<[object, string]>([
    [
      { audience: undefined },
      'audience: is missing. Set it to the identifier of this API, for example "https://api.example.com".',
    ],
    [
      { issuer: '' },
      'issuer: is missing. Set it to the exact `iss` of the tokens, for example "https://tenant.example.com/".',
    ],
    [{ requiredClaims: 'sub' }, 'requiredClaims: is "sub". Set it to a list of strings.'],
    [{ audience: [] }, 'audience: is an empty list. Set it to a non-empty list of strings.'],
    [{ audience: ['api', 5] }, 'audience[1]: is 5. Set it to a non-empty string.'],
    [{ clockToleranceSeconds: '5' }, 'clockToleranceSeconds: is "5". Set it to a number from 0 to 300.'],
    [{ tokenCache: { maxEntries: 1.5 } }, 'tokenCache.maxEntries: is 1.5. Set it to a whole number.'],
    [{ validate: null }, 'validate: is null. Set it to a function.'],
    [{ explainRefusals: 'no' }, 'explainRefusals: is "no". Set it to true or false.'],
    [{ connections: () => 1 }, 'connections: is a function. Set it to an object.'],
    [{ warmUp: 'on' }, "warmUp: is \"on\". Set it to 'required' or 'background' or 'off'."],
    [
      { keys: { from: 'jwks', uri: 'http://a.example.com' } },
      `keys.uri: is "http://a.example.com". Set it to an https address without credentials or fragment (${HTTP_RULE}).`,
    ],
    [{ audience: 'api\n' }, 'audience: is "api\\n". Remove the white space at its beginning and end.'],
    [{ requiredClaims: ['<tenant>'] }, 'requiredClaims[0]: is "<tenant>". Replace this placeholder with the value.'],
    [
      { audience: '"api"' },
      'audience: is "\\"api\\"". Remove the quotation marks (`docker run --env-file` keeps them).',
    ],
    [{ audience: 'https://undefined/' }, 'audience: is "https://undefined/". Set the variable that it comes from.'],
    [{ require: { scopes: [] } }, 'require.scopes: is an empty list. Set it to a non-empty list of strings.'],
    [{ guard: 'manual' }, 'guard: is not read from a factory. Set it beside `useFactory`.'],
    [{ isGlobal: false }, 'isGlobal: is not read from a factory. Set it beside `useFactory`.'],
  ])('names the value and the fix: %j', (options, message) => {
    expect(messagesOf(options)).toEqual([message]);
  });

  it.each([
    [
      'tenant.eu.auth0.com',
      'Did you mean "https://tenant.eu.auth0.com/" (with or without the slash, as `iss` has it)?',
    ],
    ['id.example.com/realms/shop', 'Did you mean "https://id.example.com/realms/shop"'],
    ['localhost', 'Set it to an https address'],
    ['https://tenant.eu.auth0.com/.well-known/openid-configuration', 'Did you mean "https://tenant.eu.auth0.com"'],
    ['https://id.example.com/.well-known/oauth-authorization-server/a', 'Did you mean "https://id.example.com"'],
  ])('names the issuer that was probably meant by %s', (issuer, message) => {
    expect(messagesOf({ issuer })).toEqual([expect.stringContaining(message)]);
    expect(messagesOf({ issuer })[0]).toContain(`issuer: is "${issuer}".`);
  });

  it.each([
    ['audiance', 'audience'],
    ['Issuer', 'issuer'],
    ['aud', 'audience'],
    ['algorithm', 'algorithms'],
    ['maxTokenAge', 'maxTokenAgeSeconds'],
    ['clockTolerence', 'clockToleranceSeconds'],
    ['insecureAllowHTTPS', 'insecureAllowHttp'],
  ])('names the option nearest to the unknown name %s', (name, nearest) => {
    expect(messagesOf({ [name]: true })).toEqual([`${name}: is unknown. Did you mean \`${nearest}\`?`]);
  });

  it.each(['jwksUri', 'ignoreExpiration', 'secretOrKey', 'x', ''])(
    'lists all options if none is near the unknown name %j',
    (name) => {
      const [message, ...others] = messagesOf({ [name]: true });
      expect(others).toEqual([]);
      expect(message).toContain(': is unknown. Use one of issuer, audience, ');
    },
  );

  it('is reported for an unknown option that is undefined', () => {
    expect(pathsOf(() => resolve({ ...BASE, audiences: undefined }))).toEqual(['audiences']);
  });

  it.each([
    { issuer: 'https://user:secret@issuer.example.com/' },
    { issuer: 'https://user:se/cret@issuer.example.com/#secret@' },
    { keys: { from: 'jwks', uri: 'http://keys.example.com/?token=secret' } },
    { keys: { from: 'static', jwks: { keys: [{ kty: 'EC', d: 'secret' }] } } },
    { keys: { from: 'static', jwks: { keys: 'secret' } } },
    { keys: '-----BEGIN PRIVATE KEY-----secret' },
    { realm: 'eyJhbGciOiJub25lIn0"secret' },
    { fetch: ['secret'] },
  ])('does not contain a secret: %j', (options) => {
    const messages = messagesOf(options);
    expect(messages.length).toBeGreaterThan(0);
    expect(messages.join()).not.toContain('secret');
  });

  const UNSET = `undefined|null|https://undefined|https://null:1/x|https://undefined.example.com/|api://undefined/orders|https://|api://\
|https://id.example.com/realms/undefined|https:///realms/shop|https://.example.com/|https://:8443/|'api'|<your API>| api`;
  it.each(UNSET.split('|'))(
    'is reported for a value from a variable that is not set or was read incorrectly: %s',
    (audience) => {
      expect(pathsOf(() => resolve({ ...BASE, audience }))).toEqual(['audience']);
      expect(pathsOf(() => resolve({ ...BASE, audience: ['api', audience] }))).toEqual(['audience[1]']);
    },
  );

  it.each(['undefined-tenant', 'nullable', 'https://api.example.com/nulls', 'urn:api', 'read:', 'a"b"'])(
    'is not reported for the audience %s',
    (audience) => {
      expect(pathsOf(() => resolve({ ...BASE, audience }))).toEqual([]);
    },
  );
});

describe('All problems', () => {
  const options = {
    issuers: [
      { issuer: '', audience: undefined, algorithms: ['none', 'RS256', 'HS512'], tokenTypes: [''], realm: 'x' },
      {
        issuer: 'http://issuer.example.com',
        audience: ['ok', ''],
        keys: { from: 'discovery', url: 'x', timeoutMs: '5' },
        claimPaths: { scope: [], roles: ['a', []] },
      },
      { ...BASE, keys: { from: 'static', jwks: { keys: [{ kty: 'RSA', d: 'x' }] }, uri: 'x' } },
      { ...BASE, keys: { from: 'jwks' } },
      'https://issuer.example.com',
    ],
    ...BASE,
    clockToleranceSeconds: -1,
    requiredClaims: ['sub', ''],
    realm: '"',
    user: 'alice',
    unknown: 1,
  };
  const paths = `
    unknown guard issuer audience clockToleranceSeconds
    requiredClaims[1] issuers[0].realm issuers[0].issuer issuers[0].audience issuers[0].algorithms[0]
    issuers[0].algorithms[2] issuers[0].tokenTypes[0] issuers[1].audience[1] issuers[1].keys.url issuers[1].issuer
    issuers[1].keys.timeoutMs issuers[1].claimPaths.scope issuers[1].claimPaths.roles[1] issuers[2].keys.uri issuers[2].keys.jwks.keys[0]
    issuers[3].keys.uri issuers[4] issuers[4].issuer issuers[4].audience issuers[3].issuer
    user realm`
    .trim()
    .split(/\s+/);

  it('are in one error that cannot be changed, each with its path', () => {
    const problems = problemsOf(() => resolve(options, { guard: 'off' }));
    expect(problems.map(({ path }) => path).sort()).toEqual([...paths].sort());
    expect(Object.isFrozen(problems)).toBe(true);
    const { message } = new ConfigurationError(problems);
    for (const path of paths) expect(message).toContain(`\n  - ${path}: `);
  });

  it('of unset variables are a missing issuer and a missing audience', () => {
    for (const unset of [undefined, ''])
      expect(pathsOf(() => resolve({ issuer: unset, audience: unset }))).toEqual(['issuer', 'audience']);
  });
});
