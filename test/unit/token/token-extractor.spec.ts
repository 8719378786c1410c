import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AuthError } from '../../../src/model/errors.js';
import {
  fromBearerHeader,
  fromCookie,
  fromFormBody,
  fromQuery,
  type TokenPlace,
  type TokenReader,
} from '../../../src/options/token-places.js';
import { type TokenCarrier, TokenExtractor } from '../../../src/token/token-extractor.js';
import { polluted } from '../../support/polluted.js';
import { unicodeText } from '../../support/unicode-text.js';

const EMPTY: TokenCarrier = { authorization: [], bare: [], headers: {} };
const FORM = 'application/x-www-form-urlencoded';

/** The token, or the code of the refusal. Undefined if nothing was sent. */
function extract(place: TokenPlace | TokenReader<unknown>, carrier: Partial<TokenCarrier> = {}): string | undefined {
  try {
    return new TokenExtractor([place]).extract({ ...EMPTY, ...carrier }, undefined);
  } catch (error) {
    if (error instanceof AuthError) return error.code;
    throw error;
  }
}

describe('fromBearerHeader', () => {
  it.each<[Partial<TokenCarrier>, string | undefined]>([
    [{}, undefined],
    [{ authorization: [''] }, undefined],
    [{ authorization: ['Bearer a.b.c'] }, 'a.b.c'],
    [{ authorization: ['', 'Bearer a.b.c'] }, 'TOKEN_MULTIPLE'],
    [{ authorization: ['', ''] }, 'TOKEN_MULTIPLE'],
    [{ bare: ['a.b.c'] }, 'a.b.c'],
    [{ bare: [undefined, null, ''] }, undefined],
    [{ authorization: ['Bearer a'], bare: ['b'] }, 'TOKEN_MULTIPLE'],
    [{ bare: ['b', 'c'] }, 'TOKEN_MULTIPLE'],
    [{ authorization: ['Basic a'] }, 'SCHEME_UNSUPPORTED'],
    [{ authorization: ['Bearer a', 'Bearer a'] }, 'TOKEN_MULTIPLE'],
    [{ authorization: ['Bearer '] }, 'TOKEN_MALFORMED'],
    [{ bare: [7] }, 'TOKEN_MALFORMED'],
    [{ bare: [{ token: 'a' }] }, 'TOKEN_MALFORMED'],
    [{ bare: [false] }, 'TOKEN_MALFORMED'],
  ])('reads %j as %p', (carrier, expected) => {
    expect(extract(fromBearerHeader(), carrier)).toBe(expected);
  });

  it('ignores every other place', () => {
    const headers = { 'content-type': FORM, cookie: 'access_token=c' };
    const elsewhere = { url: '/?access_token=a', body: { access_token: 'b' }, method: 'POST', headers };
    expect(extract(fromBearerHeader(), elsewhere)).toBeUndefined();
  });
});

describe('fromCookie', () => {
  it.each<[string | undefined, readonly (string | readonly string[] | undefined)[]]>([
    ['a.b.c', ['session=a.b.c', 'a=1;session=a.b.c; b=2', '  session  =  a.b.c  ', 'session="a.b.c"']],
    ['a', ['session=; session=a', ';;=;; ;session=a;', 'session=a; other']],
    ['"', ['session="']],
    ['"a', ['session="a']],
    ['a"', ['session=a"']],
    ['a=b==', ['session=a=b==']],
    ['a%2Eb', ['session=a%2Eb']],
    ['TOKEN_MULTIPLE', ['session=a; session=b', 'session=a; session=a', ['session=a', 'x=1; session=b']]],
    [undefined, [undefined, '', 'session=""', 'session=', 'session', '=session', 'Session=a; SESSION=b']],
    [undefined, ['xsession=a; session2=b; my.session=c', 'a=session=b']],
  ])('reads %p from each header of %j', (expected, cookies) => {
    for (const cookie of cookies) {
      const token = extract(fromCookie('session'), { headers: { cookie }, method: 'GET' });
      expect([cookie, token]).toEqual([cookie, expected]);
    }
  });

  it('can have a name of one letter, which another cookie without `=` does not match', () => {
    const read = (cookie: string) => extract(fromCookie('s'), { headers: { cookie }, method: 'GET' });
    expect([read('s=a'), read('s'), read('ss'), read('s; s=b')]).toEqual(['a', undefined, undefined, 'b']);
  });

  const SELF = 'https://api.example.com';
  const EVIL = 'https://evil.example.org';
  const APP = 'https://app.example.com';
  /** Headers of a page, whether it is trusted by the host, and whether by a list of origins. */
  const PAGES: readonly [Record<string, string>, boolean, boolean][] = [
    [{ 'sec-fetch-site': 'same-origin' }, true, true],
    [{ 'sec-fetch-site': 'none' }, true, true],
    [{ 'sec-fetch-site': 'same-site', origin: 'https://other.example.com' }, false, false],
    [{ 'sec-fetch-site': 'cross-site', origin: EVIL }, false, false],
    [{ 'sec-fetch-site': 'cross-site', origin: APP }, false, true],
    [{ 'sec-fetch-site': 'same-origin', origin: SELF }, true, false],
    [{ origin: SELF }, true, false],
    [{ origin: EVIL }, false, false],
    [{ origin: `${SELF}:8443` }, false, false],
    [{ origin: `${SELF}.evil.example.org` }, false, false],
    [{ origin: 'null' }, false, false],
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }, true, false],
    [{ origin: 'api.example.com' }, false, false],
    [{ origin: `${SELF}, ${EVIL}` }, false, false],
    [{ 'sec-fetch-site': 'same-origin, cross-site' }, false, false],
    [{ 'sec-fetch-site': 'SAME-ORIGIN' }, false, false],
    [{ 'sec-fetch-site': '' }, false, false],
    [{ origin: '' }, false, false],
    [{}, true, true],
  ];

  it.each(PAGES)('sent by a page with %j is accepted by host: %p, by origins: %p', (page, byHost, byOrigins) => {
    const headers = { host: 'api.example.com', cookie: 'session=a', ...page };
    const send = (carrier: Partial<TokenCarrier>, origins: readonly string[]) =>
      extract(fromCookie('session', { origins }), { headers, ...carrier });
    const origins = [APP, 'https://b.example.com'];
    const changes = ['POST', 'PUT', 'PATCH', 'DELETE', 'post', 'PROPFIND', undefined].map((method) => ({ method }));
    for (const carrier of [...changes, { method: 'GET', opensSocket: true }]) {
      expect([carrier, send(carrier, [])]).toEqual([carrier, byHost ? 'a' : 'ORIGIN_UNTRUSTED']);
      expect([carrier, send(carrier, origins)]).toEqual([carrier, byOrigins ? 'a' : 'ORIGIN_UNTRUSTED']);
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(send({ method }, origins)).toBe('a');
    const other = { ...headers, cookie: 'other=a' };
    expect(extract(fromCookie('session'), { method: 'POST', headers: other })).toBeUndefined();
  });

  it.each<[string, boolean | undefined, boolean]>([
    ['http://api.example.com', true, false],
    ['https://api.example.com', true, true],
    ['http://api.example.com', false, true],
    ['https://api.example.com', false, true],
    ['http://api.example.com', undefined, true],
    ['ws://api.example.com', true, false],
  ])('sent by a page of %s to this host, over TLS: %s, is accepted: %s', (origin, isSecure, isAccepted) => {
    const expected = isAccepted ? 'a' : 'ORIGIN_UNTRUSTED';
    const carrier = { method: 'POST', isSecure: isSecure === undefined ? undefined : () => isSecure };
    for (const host of ['host', ':authority']) {
      const headers = { [host]: 'api.example.com', cookie: 'session=a', origin };
      expect([host, extract(fromCookie('session'), { headers, ...carrier })]).toEqual([host, expected]);
    }
  });

  it('is not compared with headers of a polluted prototype', async () => {
    const headers = { host: 'api.example.com', cookie: 'session=a', origin: EVIL };
    const send = () => extract(fromCookie('session'), { headers, method: 'POST' });
    expect(await polluted({ 'sec-fetch-site': 'same-origin' }, send)).toBe('ORIGIN_UNTRUSTED');
    expect(await polluted({ origins: [EVIL] }, send)).toBe('ORIGIN_UNTRUSTED');
  });

  it('compares the first of several `Origin` headers', () => {
    const headers = { cookie: 'session=a', host: ['api.example.com'], origin: [SELF] };
    expect(extract(fromCookie('session'), { method: 'POST', headers })).toBe('a');
    const evil = { ...headers, origin: [EVIL, SELF] };
    expect(extract(fromCookie('session'), { method: 'POST', headers: evil })).toBe('ORIGIN_UNTRUSTED');
  });
});

describe('fromFormBody', () => {
  const post = (body: unknown, type: string | undefined = FORM, method: string | undefined = 'POST') => ({
    method,
    headers: { 'content-type': type },
    body,
  });

  it.each<[unknown, string | undefined]>([
    [{ access_token: 'a' }, 'a'],
    [{ access_token: ['a', 'b'] }, 'TOKEN_MULTIPLE'],
    [{ access_token: '' }, undefined],
    [{ other: 'a' }, undefined],
    [Object.assign(Object.create(null), { access_token: 'a' }), 'a'],
    [Object.create({ access_token: 'a' }), undefined],
    [['access_token', 'a'], undefined],
    ['access_token=a', undefined],
    [undefined, undefined],
    [null, undefined],
    ...[{ a: 1 }, 7, true, [['a']], ['a', {}]].map((value) => [{ access_token: value }, 'TOKEN_MALFORMED'] as const),
  ] as [unknown, string | undefined][])('reads the body %j as %p', (body, expected) => {
    expect(extract(fromFormBody(), post(body))).toBe(expected);
  });

  it.each([
    [FORM, 'a'],
    [`${FORM}; charset=utf-8`, 'a'],
    ['APPLICATION/X-WWW-FORM-URLENCODED ;charset=utf-8', 'a'],
    ['application/json', undefined],
    [`multipart/form-data; boundary=${FORM}`, undefined],
    [`text/plain; ${FORM}`, undefined],
    ['', undefined],
  ])('reads a body of the content type %j as %p (RFC 6750 §2.2)', (type, expected) => {
    expect(extract(fromFormBody(), post({ access_token: 'a' }, type))).toBe(expected);
    expect(extract(fromFormBody(), { method: 'POST', body: { access_token: 'a' } })).toBeUndefined();
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'HEAD', 'OPTIONS'])(
    'reads the body of %s if it may have one',
    (method) => {
      const expected = ['GET', 'HEAD', 'OPTIONS'].includes(method) ? undefined : 'a';
      expect(extract(fromFormBody(), post({ access_token: 'a' }, FORM, method))).toBe(expected);
      expect(
        extract(fromFormBody(), { headers: { 'content-type': FORM }, body: { access_token: 'a' } }),
      ).toBeUndefined();
    },
  );

  it('can read a field of another name, but no inherited member', () => {
    expect(extract(fromFormBody('jwt'), post({ jwt: 'a', access_token: 'b' }))).toBe('a');
    for (const name of ['__proto__', 'constructor', 'toString', 'length'])
      expect(extract(fromFormBody(name), post({}))).toBeUndefined();
  });
});

describe('fromQuery', () => {
  it.each<[string | undefined, readonly (string | undefined)[]]>([
    [undefined, [undefined, '', '/orders', '/orders?', '/orders?access_token', '/orders?Access_Token=a']],
    [undefined, ['/orders?access_token[]=a', '/orders;access_token=a', '/a&access_token=x']],
    [undefined, ['/access_token=a?b=access_token=c']],
    ['a.b.c', ['/orders?access_token=a.b.c', '/orders?page=1&access_token=a.b.c&page=2', '/?access_token=a%2Eb.c']],
    ['a', ['/orders?%61ccess_token=a', '/orders?access_token=a&access_token=', '/?b=?access_token=c&access_token=a']],
    ['TOKEN_MULTIPLE', ['/orders?access_token=a&access_token=b']],
    ['\ufffd%A', ['/orders?access_token=%E0%A4%A']],
  ])('reads %p from each URL of %j', (expected, urls) => {
    for (const url of urls) expect([url, extract(fromQuery(), { url })]).toEqual([url, expected]);
  });

  it('can read a parameter of another name', () => {
    expect(extract(fromQuery('jwt'), { url: '/?jwt=a&access_token=b' })).toBe('a');
  });
});

describe('A function in `tokenFrom`', () => {
  it.each<[string | undefined, readonly unknown[]]>([
    [undefined, [undefined, null, '']],
    ['a.b.c', ['a.b.c', 'Bearer a.b.c', 'bearer  a.b.c ']],
    ['SCHEME_UNSUPPORTED', ['Basic a', ' a.b.c']],
    ['TOKEN_MULTIPLE', ['Bearer a b']],
    ['TOKEN_MALFORMED', ['Bearer ', 7, false, ['a.b.c'], Buffer.from('a.b.c'), Promise.resolve('a.b.c')]],
  ])('has the result %p if it returns each of %p', (expected, values) => {
    for (const value of values) expect([value, extract(() => value as string)]).toEqual([value, expected]);
  });
});

describe('Whatever is sent', () => {
  const anyText = fc.oneof(
    unicodeText(),
    fc
      .array(
        fc.constantFrom('session', '=', ';', ' ', '"', 'access_token', '&', '?', '%', 'Bearer', ',', 'a.b.c', 'null'),
      )
      .map((parts) => parts.join('')),
  );
  const header = fc.oneof(anyText, fc.array(anyText), fc.constant(undefined));
  const carrier = fc.record({
    authorization: fc.array(anyText),
    bare: fc.array(fc.anything()),
    headers: fc.record({
      cookie: header,
      origin: header,
      host: header,
      'sec-fetch-site': header,
      'content-type': fc.oneof(header, fc.constant(FORM)),
    }),
    method: fc.constantFrom(undefined, 'GET', 'POST', ''),
    opensSocket: fc.boolean(),
    url: fc.oneof(anyText, fc.constant(undefined)),
    body: fc.oneof(fc.anything(), fc.record({ access_token: fc.anything() })),
  });
  const cookie = fromCookie('session', { origins: ['null'] });
  const places = [fromBearerHeader(), fromCookie('session'), cookie, fromFormBody(), fromQuery()];

  it('is a non-empty string, nothing, or an AuthError', () => {
    fc.assert(
      fc.property(carrier, fc.subarray(places, { minLength: 1 }), (sent, tokenFrom) => {
        try {
          const token = new TokenExtractor(tokenFrom).extract(sent, undefined);
          if (token !== undefined) expect(token).toMatch(/./su);
        } catch (error) {
          expect(error).toBeInstanceOf(AuthError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, TokenPlace, (length: number) => Partial<TokenCarrier>]>([
    ['semicolons', fromCookie('session'), (length) => ({ headers: { cookie: ';'.repeat(length) } })],
    ['equals signs', fromCookie('session'), (length) => ({ headers: { cookie: '='.repeat(length) } })],
    ['spaces', fromCookie('session'), (length) => ({ headers: { cookie: `${' '.repeat(9)}=;`.repeat(length / 11) } })],
    ['quotation marks', fromCookie('session'), (length) => ({ headers: { cookie: `session=${'"'.repeat(length)}` } })],
    ['cookies of the name', fromCookie('s'), (length) => ({ headers: { cookie: 's=a;'.repeat(length / 4) } })],
    ['ampersands', fromQuery(), (length) => ({ url: `/?${'&'.repeat(length)}` })],
    ['question marks', fromQuery(), (length) => ({ url: '?'.repeat(length) })],
    ['percent signs', fromQuery(), (length) => ({ url: `/?access_token=${'%'.repeat(length)}` })],
    ['types', fromFormBody(), (length) => ({ method: 'POST', headers: { 'content-type': ' ;'.repeat(length / 2) } })],
    [
      'an origin',
      fromCookie('s'),
      (length) => ({ method: 'POST', headers: { cookie: 's=a', origin: `https://${'a.'.repeat(length / 2)}` } }),
    ],
  ])('takes linear time: %s', (_what, place, sent) => {
    const timeOf = (length: number) => {
      const carriers = sent(length);
      let best = Infinity;
      for (let run = 0; run < 5; run += 1) {
        const start = process.hrtime.bigint();
        extract(place, carriers);
        best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6);
      }
      return best;
    };
    timeOf(16_384);
    // Quadratic code would take 256 times as long for 16 times the length, which is seconds.
    expect(timeOf(16 * 16_384)).toBeLessThan(Math.max(500, 64 * timeOf(16_384)));
  });
});
