import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { fromBearerHeader, fromCookie, fromFormBody, fromQuery } from '../../../src/options/token-places.js';
import { pathsOf, problemsOf } from '../../support/catching.js';

const BASE = { issuer: 'https://issuer.example.com/', audience: 'https://api.example.com' };
const ORIGIN = 'https://app.example.com';
const resolve = (tokenFrom: unknown) => resolveOptions({ ...BASE, tokenFrom } as never).tokenFrom;
const KINDS =
  'must be fromBearerHeader(), fromCookie(name), fromFormBody(), fromQuery(), or a function that returns the token';

describe('The places that a token may stand in', () => {
  it('have names of their own, or those of RFC 6750', () => {
    expect([
      fromBearerHeader(),
      fromCookie('session'),
      fromFormBody(),
      fromQuery(),
      fromFormBody('jwt'),
      fromQuery('jwt'),
    ]).toStrictEqual([
      { from: 'bearer-header' },
      { from: 'cookie', name: 'session', origins: [] },
      { from: 'form-body', name: 'access_token' },
      { from: 'query', name: 'access_token' },
      { from: 'form-body', name: 'jwt' },
      { from: 'query', name: 'jwt' },
    ]);
  });

  it('cannot be changed, nor the list of origins by who gave it', () => {
    const origins = [ORIGIN];
    const place = fromCookie('session', { origins });
    origins.push('https://evil.example.com');
    expect(place).toMatchObject({ origins: [ORIGIN] });
    const parts = [place, (place as { origins: unknown }).origins, fromBearerHeader(), fromFormBody(), fromQuery()];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  });
});

describe('The option tokenFrom', () => {
  it('is the header by default, and nothing else', () => {
    expect(resolve(undefined)).toStrictEqual([{ from: 'bearer-header' }]);
    expect(Object.isFrozen(resolve(undefined))).toBe(true);
  });

  it('is taken as it is given, in its order', () => {
    const read = () => undefined;
    const places = [
      fromQuery(),
      read,
      fromCookie('a', { origins: [ORIGIN] }),
      fromCookie('b'),
      fromBearerHeader(),
      fromFormBody(),
    ];
    expect(resolve(places)).toStrictEqual(places);
    expect(Object.isFrozen(resolve(places))).toBe(true);
  });

  it.each([null, '', 'header', 0, true, {}, [], new Set([fromBearerHeader()]), fromBearerHeader(), () => 'a'])(
    'must be a non-empty list, not %p',
    (value) => {
      expect(problemsOf(() => resolve(value))).toEqual([
        { path: 'tokenFrom', message: 'must be a non-empty list, [fromBearerHeader()] say' },
      ]);
    },
  );

  it.each([
    ['undefined', undefined, KINDS],
    ['null', null, KINDS],
    ['a name', 'cookie', KINDS],
    ['a number', 1, KINDS],
    ['a list', [fromBearerHeader()], KINDS],
    ['an empty object', {}, KINDS],
    ['an unknown place', { from: 'body', name: 'a' }, KINDS],
    ['a place in an array', { from: ['query'], name: 'a' }, KINDS],
    ['a function that was not called', { from: fromCookie }, KINDS],
    ['a query without a name', { from: 'query' }, 'must have a name'],
    ['a form body without a name', fromFormBody(''), 'must have a name'],
    ['a name that is no string', { from: 'query', name: 7 }, 'must have a name'],
    ['a cookie without a name', fromCookie(''), 'must have a name'],
    ['a cookie with a space', fromCookie('a b'), 'has a name that no cookie can have (RFC 6265 §4.1.1)'],
    ['a cookie with a semicolon', fromCookie('a;b'), 'has a name that no cookie can have (RFC 6265 §4.1.1)'],
    ['a cookie with an equals sign', fromCookie('a='), 'has a name that no cookie can have (RFC 6265 §4.1.1)'],
    ['a cookie beyond ASCII', fromCookie('ä'), 'has a name that no cookie can have (RFC 6265 §4.1.1)'],
    ['a cookie with a line end', fromCookie('a\n'), 'has a name that no cookie can have (RFC 6265 §4.1.1)'],
    ...[
      `${ORIGIN}/`,
      `${ORIGIN}/path`,
      'app.example.com',
      'https://APP.example.com',
      'https://app.example.com:443',
      'null',
      '*',
      'https://*.example.com',
      'data:,x',
      '',
      7,
      undefined,
    ].map((origin): [string, unknown, string] => [
      `an origin that is ${String(origin)}`,
      fromCookie('a', { origins: [ORIGIN, origin] as never }),
      "must have origins like 'https://app.example.com'",
    ]),
    [
      'origins that are no list',
      { from: 'cookie', name: 'a', origins: ORIGIN },
      "must have origins like 'https://app.example.com'",
    ],
    ['no origins', { from: 'cookie', name: 'a' }, "must have origins like 'https://app.example.com'"],
  ])('must not hold %s', (_what, place, message) => {
    expect(problemsOf(() => resolve([fromBearerHeader(), place]))).toEqual([{ path: 'tokenFrom[1]', message }]);
  });

  it.each(['https://app.example.com', 'http://localhost:3000', 'https://app.example.com:8443', 'https://[::1]'])(
    'may trust the origin %s',
    (origin) => {
      expect(pathsOf(() => resolve([fromCookie('__Host-session', { origins: [origin] })]))).toEqual([]);
    },
  );

  it('must not have holes, or name a place twice: each token would be found twice', () => {
    expect(pathsOf(() => resolve(new Array(1)))).toEqual(['tokenFrom[0]']);
    const read = () => undefined;
    const places = [read, fromQuery(), fromQuery('b'), fromCookie('b'), fromBearerHeader()];
    const again = [read, fromQuery('b'), fromCookie('b', { origins: [ORIGIN] }), fromBearerHeader()];
    expect(problemsOf(() => resolve([...places, ...again]))).toEqual(
      again.map((_place, index) => ({ path: `tokenFrom[${String(index + 5)}]`, message: 'is listed before' })),
    );
  });

  it('may hold two functions of the same name', () => {
    const readers = [{ read: () => 'a' }, { read: () => 'b' }].map(({ read }) => read);
    expect(resolve(readers)).toStrictEqual(readers);
  });

  it('says of each wrong place what is wrong, whether it stands there twice or not', () => {
    expect(pathsOf(() => resolve([fromQuery(''), 'a', fromQuery(''), 'a', { from: 'query', name: 1n }]))).toEqual(
      [0, 1, 2, 3, 4].map((index) => `tokenFrom[${String(index)}]`),
    );
  });
});
