import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import type { ResourceServerOptions } from '../../../src/options/options.js';
import type { ResolvedIssuer } from '../../../src/options/resolve-issuer.js';
import type { ResolvedKeys } from '../../../src/options/resolve-keys.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import type { KeySet } from '../../../src/keys/key-set.js';
import { newKey } from '../../support/local-issuer.js';
import { selfSigned } from '../../support/self-signed.js';
import { pathsOf, problemsOf } from '../../support/catching.js';

const CERTIFICATE = selfSigned('127.0.0.1').cert;
const ISSUER = 'https://issuer.example.com/';
const URI = 'https://internal.example.com/jwks';

function resolve(keys: unknown, options: Record<string, unknown> = {}): ResolvedKeys {
  const { issuers } = resolveOptions({ issuer: ISSUER, audience: 'api', keys, ...options } as ResourceServerOptions);
  const [issuer] = issuers as readonly ResolvedIssuer[];
  if (issuer === undefined) throw new Error('no issuer');
  return issuer.keys;
}

const REMOTE_DEFAULTS = {
  refreshSeconds: 600,
  maxStaleSeconds: 86_400,
  unknownKidCooldownSeconds: 30,
  timeoutMs: 5_000,
  maxBytes: 524_288,
  fallback: undefined,
  headers: undefined,
};
const DAY_SECONDS = 86_400;

describe('The option keys', () => {
  it('is discovery by default, with defaults for caching', () => {
    const expected = { from: 'discovery', uri: undefined, jwksOrigins: undefined, ...REMOTE_DEFAULTS };
    expect(resolve(undefined)).toStrictEqual(expected);
    expect(resolve({ from: 'discovery' })).toStrictEqual(expected);
    expect(resolve({ from: 'discovery', uri: undefined })).toStrictEqual(expected);
  });

  it('may be discovery from another address, or the address of a key set', () => {
    const discovery = { from: 'discovery', uri: URI, jwksOrigins: undefined };
    expect(resolve({ from: 'discovery', uri: URI })).toStrictEqual({ ...discovery, ...REMOTE_DEFAULTS });
    expect(resolve({ from: 'jwks', uri: URI })).toStrictEqual({ from: 'jwks', uris: [URI], ...REMOTE_DEFAULTS });
  });

  it.each([[null], ['discovery'], [URI], [1], [true], [[]], [() => ({ from: 'discovery' })]])(
    'must not be %p',
    (keys) => {
      expect(pathsOf(() => resolve(keys))).toEqual(['keys', 'keys.from']);
    },
  );

  it.each([{}, { from: undefined }, { from: null }, { from: 'Static' }, { from: '' }, { from: 1 }, { uri: URI }])(
    'must have a valid `from`: %j',
    (keys) => {
      expect(pathsOf(() => resolve(keys))).toEqual(['keys.from']);
    },
  );

  it.each([
    [{ from: 'discovery', jwks: { keys: [] } }, ['keys.jwks']],
    [{ from: 'discovery', url: URI, cache: true }, ['keys.url', 'keys.cache']],
    [{ from: 'jwks', uri: URI, jwksUri: URI }, ['keys.jwksUri']],
    [{ from: 'jwks', uri: URI, jwksOrigins: ['https://keys.example.com'] }, ['keys.jwksOrigins']],
    [{ from: 'jwks' }, ['keys.uri']],
    [{ from: 'jwks', uri: undefined }, ['keys.uri']],
    [{ from: 'jwks', uri: URI, rateLimit: false }, ['keys.rateLimit']],
    [{ from: 'static', jwks: { keys: [newKey('p-256').jwk] }, uri: URI }, ['keys.uri']],
    [{ from: 'static', jwks: { keys: [newKey('p-256').jwk] }, timeoutMs: 5 }, ['keys.timeoutMs']],
  ])('must not have missing or unknown options, case %#', (keys, paths) => {
    expect(pathsOf(() => resolve(keys))).toEqual(paths);
  });
});

describe.each(['discovery', 'jwks'])('The address of keys from %s', (from) => {
  const VALID =
    'https://issuer.example.com/jwks?tenant=a https://10.0.0.1/jwks ' +
    'http://localhost:8080/jwks http://127.0.0.1/jwks http://[::1]/jwks';
  it.each(VALID.split(' '))('may be %s', (uri) => {
    expect(resolve({ from, uri })).toMatchObject(from === 'jwks' ? { from, uris: [uri] } : { from, uri });
  });

  const INVALID = `
    jwks /jwks issuer.example.com/jwks
    http://issuer.example.com/jwks http://localhost.example.com/jwks http://192.168.0.1/jwks
    https://user:password@issuer.example.com/jwks https://issuer.example.com/jwks#a file:///etc/jwks
    data:application/json,{} ftp://issuer.example.com/jwks`;
  it.each([null, '', 1, true, {}, [], new URL(URI), ...INVALID.trim().split(/\s+/)])('must not be %p', (uri) => {
    expect(pathsOf(() => resolve({ from, uri }))).toEqual(['keys.uri']);
  });

  it('may be http with insecureAllowHttp', () => {
    const uri = 'http://keys.internal/jwks';
    expect(pathsOf(() => resolve({ from, uri }, { insecureAllowHttp: true }))).toEqual([]);
    expect(pathsOf(() => resolve({ from, uri }, { insecureAllowHttp: false }))).toEqual(['keys.uri']);
  });

  it.each([
    ['refreshSeconds', [1, 1.5, 600, DAY_SECONDS]],
    ['unknownKidCooldownSeconds', [1, 30, 3_600]],
    ['timeoutMs', [1, 5_000, 60_000]],
    ['maxStaleSeconds', [0, 10, 30 * DAY_SECONDS]],
    ['maxBytes', [1_024, 524_288, 16_777_216]],
  ])('may have %s: %j', (name, values) => {
    for (const value of values) expect(resolve({ from, uri: URI, [name]: value })).toMatchObject({ [name]: value });
  });

  it.each([
    ['refreshSeconds', [0, -1, DAY_SECONDS + 1]],
    ['maxStaleSeconds', [-1, 30 * DAY_SECONDS + 1]],
    ['unknownKidCooldownSeconds', [0, -1, 3_601]],
    ['timeoutMs', [0, -1, 60_001]],
    ['maxBytes', [0, 1_023, 16_777_217]],
  ])('must not have %s: %j, or another type', (name, values) => {
    for (const value of [...values, null, '', '60', true, {}, [60], NaN, Infinity, 60n]) {
      expect([value, pathsOf(() => resolve({ from, uri: URI, [name]: value }))]).toEqual([value, [`keys.${name}`]]);
    }
  });

  it('may have fallback keys, with the checks of static keys', () => {
    const good = newKey('p-256');
    const { fallback } = resolve({ from, uri: URI, fallback: { keys: [good.jwk] } }) as { fallback: KeySet };
    expect(fallback.hasKid(good.kid)).toBe(true);
    expect(pathsOf(() => resolve({ from, uri: URI, fallback: {} }))).toEqual(['keys.fallback']);
    const withPrivate = { keys: [good.jwk, { ...good.jwk, d: 'x' }] };
    expect(pathsOf(() => resolve({ from, uri: URI, fallback: withPrivate }))).toEqual(['keys.fallback.keys[1]']);
  });
});

it('A key set that is not JSON is a problem of its option, reported with all others', () => {
  const circular: Record<string, unknown> = { kty: 'RSA' };
  circular.self = circular;
  for (const key of [circular, { kty: 'RSA', n: 10n }])
    expect(pathsOf(() => resolve({ from: 'static', jwks: { keys: [key] } }, { user: 3 }))).toEqual([
      'user',
      'keys.jwks',
    ]);
});

describe('The addresses of a key set', () => {
  it('may be a list, or one address with {kid} in its path', () => {
    const template = 'https://keys.example.com/prod/{kid}?v=1';
    for (const uris of [[URI, `${URI}2`], [template]])
      expect(resolve({ from: 'jwks', uri: uris })).toMatchObject({ uris });
    expect(resolve({ from: 'jwks', uri: template })).toMatchObject({ uris: [template] });
    const fallback = { keys: [newKey('p-256').jwk] };
    expect(pathsOf(() => resolve({ from: 'jwks', uri: template, fallback }))).toEqual(['keys.fallback']);
  });

  it.each<[unknown, string]>([
    [[URI, 'http://keys.example.com/jwks'], 'keys.uri[1]'],
    [[URI, ''], 'keys.uri[1]'],
    ['https://{kid}.example.com/jwks', 'keys.uri'],
    ['https://keys.example.com/{kid}/{kid}', 'keys.uri'],
    ['https://keys.example.com/{id}', 'keys.uri'],
    [[URI, 'https://keys.example.com/{kid}'], 'keys.uri'],
    [[URI, URI, 'https://keys.example.com/{kid}'], 'keys.uri'],
  ])('must not be %j', (uri, path) => {
    expect(pathsOf(() => resolve({ from: 'jwks', uri }))).toContain(path);
  });
});

describe('The option headers', () => {
  it.each([[{ authorization: 'Bearer x' }], [() => ({})], [{}]])('may be %p', (headers) => {
    expect(pathsOf(() => resolve({ from: 'discovery', headers }))).toEqual([]);
  });

  const INVALID_HEADERS = [{ authorization: 'a\nb' }, { 'a b': 'x' }, { Host: 'id.example.com' }, { authorization: 1 }];
  it.each<[unknown]>([null, 'authorization: x', ['a'], ...INVALID_HEADERS].map((headers): [unknown] => [headers]))(
    'must not be %p',
    (headers) => {
      expect(pathsOf(() => resolve({ from: 'discovery', headers }))).toEqual(['keys.headers']);
    },
  );
});

describe('The option jwksOrigins', () => {
  const origins = (jwksOrigins: unknown) => resolve({ from: 'discovery', jwksOrigins });

  it('may be a list of origins', () => {
    const jwksOrigins = ['https://keys.example.com', 'http://127.0.0.1:3000'];
    expect(origins(jwksOrigins)).toMatchObject({ jwksOrigins });
  });

  it.each([
    [[], 'keys.jwksOrigins'],
    ['https://keys.example.com', 'keys.jwksOrigins'],
    [['https://keys.example.com/'], 'keys.jwksOrigins[0]'],
    [['https://keys.example.com/jwks'], 'keys.jwksOrigins[0]'],
    [['https://keys.example.com', 'keys.example.com'], 'keys.jwksOrigins[1]'],
    [['HTTPS://keys.example.com'], 'keys.jwksOrigins[0]'],
    [['https://undefined'], 'keys.jwksOrigins[0]'],
  ])('must not be %j', (jwksOrigins, path) => {
    expect(pathsOf(() => origins(jwksOrigins))).toEqual([path]);
  });
});

describe('Static keys', () => {
  const { jwk } = newKey('p-256');

  const keySetOf = (jwks: object) => (resolve({ from: 'static', jwks }) as { keySet: KeySet }).keySet;

  it('are copied: later changes of the object have no effect', () => {
    const jwks = { keys: [{ ...jwk }] };
    const keySet = keySetOf(jwks);
    jwks.keys[0] = newKey('ed25519').jwk;
    expect(keySet.candidates(jwk.kid as string)).toHaveLength(1);
  });

  it('may have members other than `keys`', () => {
    expect(keySetOf({ keys: [jwk], expires: 1 }).isUsable).toBe(true);
  });

  it('must include a key that can verify signatures', () => {
    const unusable = [newKey('rsa-1024', { kid: 'short' }).jwk, newKey('rsa', { kid: undefined, use: 'enc' }).jwk];
    const [problem, ...others] = problemsOf(() => resolve({ from: 'static', jwks: { keys: unusable } }));
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ path: 'keys.jwks', message: expect.stringContaining('"short" is shorter than') });
    expect(keySetOf({ keys: [...unusable, jwk] }).isUsable).toBe(true);
  });

  it.each<[unknown]>([
    ...[undefined, null, '', '{"keys":[]}', [], [jwk], {}, jwk].map((jwks): [unknown] => [jwks]),
    ...[null, [], {}, [null], [jwk, undefined], [jwk, 'key'], [[jwk]]].map((keys): [unknown] => [{ keys }]),
  ])('must be a key set with at least one key, not case %#', (jwks) => {
    expect(pathsOf(() => resolve({ from: 'static', jwks }))).toEqual(['keys.jwks']);
  });

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])('must not have the private member %s', (member) => {
    const problems = problemsOf(() =>
      resolve({ from: 'static', jwks: { keys: [jwk, { ...jwk, [member]: 'c2VjcmV0' }] } }),
    );
    expect(problems.map(({ path }) => path)).toEqual(['keys.jwks.keys[1]']);
    expect(JSON.stringify(problems)).not.toContain('c2VjcmV0');
  });

  it('may have members that a serializer wrote as null or empty', () => {
    const keys = [{ ...jwk, d: null, k: '', oth: [], use: null, alg: '', x5c: [] }];
    expect(keySetOf({ keys }).isUsable).toBe(true);
  });

  describe('in PEM encoding', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const keySetOfPem = (given: unknown) => (resolve({ from: 'static', pem: given }) as { keySet: KeySet }).keySet;
    const isForAny = (keySet: KeySet) => keySet.candidates('any').map(({ inputs }) => [...inputs.keys()]);

    it.each<[string, unknown, number]>([
      ['a public key', pem, 1],
      ['a certificate', CERTIFICATE, 1],
      ['several in one text', `${pem}\n${CERTIFICATE}`, 2],
      ['a list', [pem, CERTIFICATE], 2],
    ])('may be %s, for tokens with any `kid`', (_what, given, count) => {
      expect(isForAny(keySetOfPem(given))).toEqual(Array(count).fill(['ES256']));
    });

    it.each<[string, unknown]>([
      ['a path', '/etc/keys/public.pem'],
      ['an empty list', []],
      ['a list with another text', [pem, 'key']],
      ['a number', 1],
      ['nothing', null],
      ['a text without a complete block', pem.slice(0, -10)],
    ])('must not be %s', (_what, given) => {
      expect(pathsOf(() => resolve({ from: 'static', pem: given }))).toEqual(['keys.pem']);
    });

    it('must not be a private key, and not one of a size that is too small', () => {
      const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const [problem] = problemsOf(() => resolve({ from: 'static', pem: secret }));
      expect(problem).toMatchObject({ path: 'keys.pem', message: expect.stringContaining('has private members') });
      const { publicKey: short } = generateKeyPairSync('rsa', { modulusLength: 1024 });
      const text = short.export({ type: 'spki', format: 'pem' }).toString();
      expect(pathsOf(() => resolve({ from: 'static', pem: text }))).toEqual(['keys.pem']);
    });

    it('excludes a key set beside it', () => {
      expect(pathsOf(() => resolve({ from: 'static', pem, jwks: { keys: [jwk] } }))).toEqual(['keys.pem']);
    });
  });

  it('allow an issuer that is not an address', () => {
    for (const issuer of ['urn:issuer', 'http://issuer.example.com', 'accounts.google.com']) {
      expect(pathsOf(() => resolve({ from: 'static', jwks: { keys: [jwk] } }, { issuer }))).toEqual([]);
    }
  });
});
