import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { fromBearerHeader, fromCookie, fromFormBody, fromQuery } from '../../../src/options/token-places.js';
import { pathsOf, problemsOf } from '../../support/catching.js';

const BASE = { issuer: 'https://issuer.example.com/', audience: 'https://api.example.com' };
const ORIGIN = 'https://app.example.com';
const resolve = (tokenFrom: unknown) => resolveOptions({ ...BASE, tokenFrom } as never).tokenFrom;
describe('The places of a token', () => {
  it('have the names of RFC 6750 by default', () => {
    const places = [fromBearerHeader(), fromCookie('session'), fromFormBody(), fromQuery('jwt'), fromQuery()];
    expect(places).toStrictEqual([
      { from: 'bearer-header' },
      { from: 'cookie', name: 'session', origins: [] },
      { from: 'form-body', name: 'access_token' },
      { from: 'query', name: 'jwt' },
      { from: 'query', name: 'access_token' },
    ]);
  });

  it('are frozen and have a copy of the origins', () => {
    const origins = [ORIGIN];
    const place = fromCookie('session', { origins });
    origins.push('https://evil.example.com');
    expect(place).toMatchObject({ origins: [ORIGIN] });
    const parts = [place, (place as { origins: unknown }).origins, fromBearerHeader(), fromFormBody(), fromQuery()];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  });
});

describe('The option tokenFrom', () => {
  it('is only the header by default', () => {
    expect(resolve(undefined)).toStrictEqual([{ from: 'bearer-header' }]);
    expect(Object.isFrozen(resolve(undefined))).toBe(true);
  });

  it('keeps the places and their order', () => {
    const read = () => undefined;
    const places = [fromQuery(), read, fromCookie('a', { origins: [ORIGIN] }), fromCookie('b'), fromBearerHeader()];
    expect(resolve(places)).toStrictEqual(places);
    expect(Object.isFrozen(resolve(places))).toBe(true);
  });

  it.each([null, '', 'header', 0, true, {}, [], new Set([fromBearerHeader()]), fromBearerHeader(), () => 'a'])(
    'must be a non-empty list, not %p',
    (value) => {
      expect(pathsOf(() => resolve(value))).toEqual(['tokenFrom']);
    },
  );

  const KIND = 'is not a place of a token';
  const COOKIE = 'characters that RFC 6265 §4.1.1 allows';
  const WRONG_ORIGINS = 'has origins that are not valid';
  const origins = `${ORIGIN}/|${ORIGIN}/path|app.example.com|https://APP.example.com|${ORIGIN}:443|null|*|https://*.example.com|data:,x|`;

  it.each<[unknown, string]>([
    ...[undefined, null, 'cookie', 1, [fromBearerHeader()], {}].map((place): [unknown, string] => [place, KIND]),
    [{ from: 'body', name: 'a' }, KIND],
    [{ from: ['query'], name: 'a' }, KIND],
    [{ from: fromCookie }, KIND],
    [{ from: 'query' }, 'has no name'],
    [{ from: 'query', name: 7 }, 'has no name'],
    [fromFormBody(''), 'has no name'],
    [fromCookie(''), 'has no name'],
    ...['a b', 'a;b', 'a=', 'ä', 'a\n'].map((name): [unknown, string] => [fromCookie(name), COOKIE]),
    ...[...origins.split('|'), 7, undefined].map((origin): [unknown, string] => [
      fromCookie('a', { origins: [ORIGIN, origin] as never }),
      WRONG_ORIGINS,
    ]),
    [{ from: 'cookie', name: 'a', origins: ORIGIN }, WRONG_ORIGINS],
    [{ from: 'cookie', name: 'a' }, WRONG_ORIGINS],
  ])('must not contain %j: %s', (place, message) => {
    expect(problemsOf(() => resolve([fromBearerHeader(), place]))).toEqual([
      { path: 'tokenFrom[1]', message: expect.stringContaining(message) },
    ]);
  });

  it.each(['https://app.example.com', 'http://localhost:3000', 'https://app.example.com:8443', 'https://[::1]'])(
    'may contain a cookie with the origin %s',
    (origin) => {
      expect(pathsOf(() => resolve([fromCookie('__Host-session', { origins: [origin] })]))).toEqual([]);
    },
  );

  it('must not have holes or the same place twice', () => {
    expect(pathsOf(() => resolve(new Array(1)))).toEqual(['tokenFrom[0]']);
    const read = () => undefined;
    const places = [read, fromQuery(), fromQuery('b'), fromCookie('b'), fromBearerHeader()];
    const again = [read, fromQuery('b'), fromCookie('b', { origins: [ORIGIN] }), fromBearerHeader()];
    expect(problemsOf(() => resolve([...places, ...again]))).toEqual(
      again.map((_place, index) => ({
        path: `tokenFrom[${String(index + 5)}]`,
        message: 'is listed before. Remove it.',
      })),
    );
  });

  it('may contain two functions of the same name', () => {
    const readers = [{ read: () => 'a' }, { read: () => 'b' }].map(({ read }) => read);
    expect(resolve(readers)).toStrictEqual(readers);
  });

  it('reports every wrong place', () => {
    expect(pathsOf(() => resolve([fromQuery(''), 'a', fromQuery(''), 'a', { from: 'query', name: 1n }]))).toEqual(
      [0, 1, 2, 3, 4].map((index) => `tokenFrom[${String(index)}]`),
    );
  });
});
