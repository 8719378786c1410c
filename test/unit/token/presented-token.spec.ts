import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AuthError } from '../../../src/model/errors.js';
import {
  fromBearerHeader,
  fromCookie,
  fromFormBody,
  fromQuery,
  type TokenPlace,
} from '../../../src/options/token-places.js';
import { onlyToken, type TokenCarrier, tokenOfText, tokensAt } from '../../../src/token/presented-token.js';
import { unicodeText } from '../../support/unicode-text.js';
import { codeOf } from '../../support/catching.js';

const NOTHING: TokenCarrier = { authorization: [], bare: [], headers: {} };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const from = (place: TokenPlace, carrier: Partial<TokenCarrier>) => tokensAt(place, { ...NOTHING, ...carrier });
const codeFrom = (place: TokenPlace, carrier: Partial<TokenCarrier>) => codeOf(() => from(place, carrier));

describe('The header', () => {
  it.each<[string, Partial<TokenCarrier>, readonly string[]]>([
    ['nothing', {}, []],
    ['an empty header', { authorization: [''] }, []],
    ['a token', { authorization: ['Bearer a.b.c'] }, ['a.b.c']],
    ['a token beside an empty header', { authorization: ['', 'Bearer a.b.c'] }, ['a.b.c']],
    ['a token by itself', { bare: ['a.b.c'] }, ['a.b.c']],
    ['nothing by itself', { bare: [undefined, null, ''] }, []],
    ['a header and a token by itself', { authorization: ['Bearer a'], bare: ['b', undefined, 'c'] }, ['a', 'b', 'c']],
  ])('has %s', (_what, carrier, tokens) => {
    expect(from(fromBearerHeader(), carrier)).toStrictEqual(tokens);
  });

  it.each<[Partial<TokenCarrier>, string]>([
    [{ authorization: ['Basic a'] }, 'SCHEME_UNSUPPORTED'],
    [{ authorization: ['Bearer a', 'Bearer a'] }, 'TOKEN_MULTIPLE'],
    [{ authorization: ['Bearer '] }, 'TOKEN_MALFORMED'],
    [{ bare: [7] }, 'TOKEN_MALFORMED'],
    [{ bare: [{ token: 'a' }] }, 'TOKEN_MALFORMED'],
    [{ bare: [false] }, 'TOKEN_MALFORMED'],
  ])('that is %j is refused (%s)', (carrier, code) => {
    expect(codeFrom(fromBearerHeader(), carrier)).toBe(code);
  });

  it('has no token that stands elsewhere', () => {
    const elsewhere = { url: '/?access_token=a', body: { access_token: 'b' }, method: 'POST' };
    expect(from(fromBearerHeader(), { ...elsewhere, headers: { ...FORM, cookie: 'access_token=c' } })).toStrictEqual(
      [],
    );
  });
});

describe('A cookie', () => {
  it.each<[string | readonly string[] | undefined, readonly string[]]>([
    [undefined, []],
    ['', []],
    ['session=a.b.c', ['a.b.c']],
    ['a=1; session=a.b.c; b=2', ['a.b.c']],
    ['a=1;session=a.b.c;b=2', ['a.b.c']],
    ['  session  =  a.b.c  ', ['a.b.c']],
    ['session="a.b.c"', ['a.b.c']],
    ['session="', ['"']],
    ['session="a', ['"a']],
    ['session=a"', ['a"']],
    ['session=""', []],
    ['session=', []],
    ['session', []],
    ['=session', []],
    ['Session=a; SESSION=b', []],
    ['xsession=a; session2=b; my.session=c', []],
    ['a=session=b', []],
    ['session=a=b==', ['a=b==']],
    ['session=a%2Eb', ['a%2Eb']],
    ['session=a; session=b', ['a', 'b']],
    ['session=a; session=a', ['a', 'a']],
    ['session=; session=a', ['a']],
    [
      ['session=a', 'x=1; session=b'],
      ['a', 'b'],
    ],
    [';;=;; ;session=a;', ['a']],
  ])('of the header %j has %j', (header, tokens) => {
    expect(from(fromCookie('session'), { headers: { cookie: header }, method: 'GET' })).toStrictEqual(tokens);
  });

  const PAGES = [
    ['of the same origin', { 'sec-fetch-site': 'same-origin' }],
    ['typed into the address bar', { 'sec-fetch-site': 'none' }],
    ['of another origin of the site', { 'sec-fetch-site': 'same-site', origin: 'https://other.example.com' }],
    ['of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example.org' }],
    ['of the listed origin', { 'sec-fetch-site': 'cross-site', origin: 'https://app.example.com' }],
    ['of the same origin, which says so', { 'sec-fetch-site': 'same-origin', origin: 'https://api.example.com' }],
    ['of the same host, by an old browser', { origin: 'https://api.example.com' }],
    ['of another host, by an old browser', { origin: 'https://evil.example.org' }],
    ['of another port, by an old browser', { origin: 'https://api.example.com:8443' }],
    ['of a host that begins alike', { origin: 'https://api.example.com.evil.example.org' }],
    ['in a sandbox', { origin: 'null' }],
    ['in a sandbox of ours', { 'sec-fetch-site': 'same-origin', origin: 'null' }],
    ['with an origin that is none', { origin: 'api.example.com' }],
    ['with two origins', { origin: 'https://api.example.com, https://evil.example.org' }],
    ['with two words of the browser', { 'sec-fetch-site': 'same-origin, cross-site' }],
    ['with a word that nobody knows', { 'sec-fetch-site': 'SAME-ORIGIN' }],
    ['with an empty word', { 'sec-fetch-site': '' }],
    ['with an empty origin', { origin: '' }],
    ['that is none: no browser', {}],
  ] as const;
  const TRUSTED_BY_HOST = [
    'of the same origin',
    'typed into the address bar',
    'of the same origin, which says so',
    'of the same host, by an old browser',
    'in a sandbox of ours',
    'that is none: no browser',
  ];
  const TRUSTED_BY_LIST = [
    'of the same origin',
    'typed into the address bar',
    'of the listed origin',
    'that is none: no browser',
  ];

  describe.each(PAGES)('sent by a page %s', (what, headers) => {
    const sent = (carrier: Partial<TokenCarrier>, origins: readonly string[]) =>
      codeFrom(fromCookie('session', { origins }), {
        headers: { host: 'api.example.com', cookie: 'session=a', ...headers },
        ...carrier,
      }) ?? 'found';

    it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'post', 'PROPFIND'])('with %s is held against the origins', (method) => {
      const expected = (trusted: readonly string[]) => (trusted.includes(what) ? 'found' : 'ORIGIN_UNTRUSTED');
      expect(sent({ method }, [])).toBe(expected(TRUSTED_BY_HOST));
      expect(sent({ method }, ['https://app.example.com', 'https://b.example.com'])).toBe(expected(TRUSTED_BY_LIST));
    });

    it('to open a socket is held against the origins', () => {
      const opening = { method: 'GET', opensSocket: true };
      expect(sent(opening, [])).toBe(TRUSTED_BY_HOST.includes(what) ? 'found' : 'ORIGIN_UNTRUSTED');
      expect(sent(opening, ['https://app.example.com'])).toBe(
        TRUSTED_BY_LIST.includes(what) ? 'found' : 'ORIGIN_UNTRUSTED',
      );
    });

    it.each(['GET', 'HEAD', 'OPTIONS'])('with %s changes nothing, and is found', (method) => {
      expect(sent({ method }, [])).toBe('found');
      expect(sent({ method, opensSocket: false }, ['https://app.example.com'])).toBe('found');
    });

    it('is not held against anything where there is no such cookie', () => {
      const other = { method: 'POST', headers: { host: 'api.example.com', cookie: 'other=a', ...headers } };
      expect(from(fromCookie('session'), other)).toStrictEqual([]);
    });
  });

  it('looks at the first of several headers where they come one by one', () => {
    const headers = { cookie: 'session=a', host: ['api.example.com'], origin: ['https://api.example.com'] };
    expect(codeFrom(fromCookie('session'), { method: 'POST', headers })).toBeUndefined();
    const evil = { ...headers, origin: ['https://evil.example.org', 'https://api.example.com'] };
    expect(codeFrom(fromCookie('session'), { method: 'POST', headers: evil })).toBe('ORIGIN_UNTRUSTED');
  });

  it('is held against the origins where nobody knows what it may change', () => {
    const headers = { cookie: 'session=a', 'sec-fetch-site': 'cross-site' };
    expect(codeFrom(fromCookie('session'), { headers })).toBe('ORIGIN_UNTRUSTED');
  });
});

describe('A form body', () => {
  const post = (body: unknown, more: Partial<TokenCarrier> = {}) => ({ method: 'POST', headers: FORM, body, ...more });

  it.each<[unknown, readonly string[]]>([
    [{ access_token: 'a' }, ['a']],
    [{ access_token: ['a', 'b'] }, ['a', 'b']],
    [{ access_token: '' }, []],
    [{ other: 'a' }, []],
    [Object.assign(Object.create(null), { access_token: 'a' }), ['a']],
    [Object.create({ access_token: 'a' }), []],
    [['access_token', 'a'], []],
    ['access_token=a', []],
    [undefined, []],
    [null, []],
  ])('%j has %j', (body, tokens) => {
    expect(from(fromFormBody(), post(body))).toStrictEqual(tokens);
  });

  it.each([{ a: 1 }, 7, true, [['a']], ['a', {}]])('with %j in its field is refused (TOKEN_MALFORMED)', (value) => {
    expect(codeFrom(fromFormBody(), post({ access_token: value }))).toBe('TOKEN_MALFORMED');
  });

  it.each([
    ['application/x-www-form-urlencoded', 1],
    ['application/x-www-form-urlencoded; charset=utf-8', 1],
    ['APPLICATION/X-WWW-FORM-URLENCODED ;charset=utf-8', 1],
    ['application/json', 0],
    ['multipart/form-data; boundary=application/x-www-form-urlencoded', 0],
    ['text/plain; application/x-www-form-urlencoded', 0],
    ['', 0],
    [undefined, 0],
  ])('of the type %j has %d tokens (RFC 6750 §2.2)', (type, count) => {
    const carrier = post({ access_token: 'a' }, { headers: { 'content-type': type } });
    expect(from(fromFormBody(), carrier)).toHaveLength(count);
  });

  it.each([
    ['POST', 1],
    ['PUT', 1],
    ['PATCH', 1],
    ['DELETE', 1],
    ['GET', 0],
    ['HEAD', 0],
    ['OPTIONS', 0],
    [undefined, 0],
  ])('sent with %s has %d tokens', (method, count) => {
    expect(from(fromFormBody(), post({ access_token: 'a' }, { method }))).toHaveLength(count);
  });

  it('may have a field of another name', () => {
    expect(from(fromFormBody('jwt'), post({ jwt: 'a', access_token: 'b' }))).toEqual(['a']);
    for (const name of ['__proto__', 'constructor', 'toString', 'length'])
      expect(from(fromFormBody(name), post({}))).toStrictEqual([]);
  });
});

describe('The query', () => {
  it.each<[string | undefined, readonly string[]]>([
    [undefined, []],
    ['', []],
    ['/orders', []],
    ['/orders?', []],
    ['/orders?access_token=a.b.c', ['a.b.c']],
    ['/orders?page=1&access_token=a.b.c&page=2', ['a.b.c']],
    ['/orders?access_token=a%2Eb', ['a.b']],
    ['/orders?%61ccess_token=a', ['a']],
    ['/orders?access_token=a&access_token=b', ['a', 'b']],
    ['/orders?access_token=a&access_token=', ['a']],
    ['/orders?access_token', []],
    ['/orders?Access_Token=a', []],
    ['/orders?access_token[]=a', []],
    ['/orders;access_token=a', []],
    ['/access_token=a?b=access_token=c', []],
    ['/orders?a=?access_token=b&access_token=c', ['c']],
    ['/orders?access_token=%E0%A4%A', ['\ufffd%A']],
  ])('of %j has %j', (url, tokens) => {
    expect(from(fromQuery(), { url })).toStrictEqual(tokens);
  });

  it('may have a parameter of another name', () => {
    expect(from(fromQuery('jwt'), { url: '/?jwt=a&access_token=b' })).toEqual(['a']);
  });
});

describe('onlyToken', () => {
  it('is the one that was found, if one was', () => {
    expect(onlyToken([])).toBeUndefined();
    expect(onlyToken(['a'])).toBe('a');
  });

  it.each([[['a', 'b']], [['a', 'a']], [['a', 'b', 'c']]])(
    'refuses several, even of the same text: %j (RFC 6750 §2)',
    (tokens) => {
      expect(codeOf(() => onlyToken(tokens))).toBe('TOKEN_MULTIPLE');
    },
  );
});

describe('tokenOfText', () => {
  it.each<[unknown, readonly string[]]>([
    [undefined, []],
    [null, []],
    ['', []],
    ['a.b.c', ['a.b.c']],
    ['Bearer a.b.c', ['a.b.c']],
    ['bearer  a.b.c ', ['a.b.c']],
  ])('takes %j for %j', (text, tokens) => {
    expect(tokenOfText(text)).toStrictEqual(tokens);
  });

  it.each([
    ['Basic a', 'SCHEME_UNSUPPORTED'],
    [' a.b.c', 'SCHEME_UNSUPPORTED'],
    ['Bearer ', 'TOKEN_MALFORMED'],
    ['Bearer a b', 'TOKEN_MULTIPLE'],
    [7, 'TOKEN_MALFORMED'],
    [false, 'TOKEN_MALFORMED'],
    [['a.b.c'], 'TOKEN_MALFORMED'],
    [Buffer.from('a.b.c'), 'TOKEN_MALFORMED'],
    [Promise.resolve('a.b.c'), 'TOKEN_MALFORMED'],
  ])('refuses %p (%s)', (text, code) => {
    expect(codeOf(() => tokenOfText(text))).toBe(code);
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
      'content-type': fc.oneof(header, fc.constant(FORM['content-type'])),
    }),
    method: fc.constantFrom(undefined, 'GET', 'POST', ''),
    opensSocket: fc.boolean(),
    url: fc.oneof(anyText, fc.constant(undefined)),
    body: fc.oneof(fc.anything(), fc.record({ access_token: fc.anything() })),
  });
  const PLACES = [
    fromBearerHeader(),
    fromCookie('session'),
    fromCookie('session', { origins: ['null'] }),
    fromFormBody(),
    fromQuery(),
  ];

  it('is a list of texts, or refused by an AuthError', () => {
    fc.assert(
      fc.property(carrier, fc.constantFrom(...PLACES), (sent, place) => {
        try {
          for (const token of tokensAt(place, sent)) expect(token).toMatch(/./su);
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
    ['spaces', fromCookie('session'), (length) => ({ headers: { cookie: `a=${' '.repeat(length)}b` } })],
    [
      'spaces in pairs',
      fromCookie('session'),
      (length) => ({ headers: { cookie: `${' '.repeat(9)}=;`.repeat(length / 11) } }),
    ],
    ['quotation marks', fromCookie('session'), (length) => ({ headers: { cookie: `session=${'"'.repeat(length)}` } })],
    ['cookies of the name', fromCookie('s'), (length) => ({ headers: { cookie: 's=a;'.repeat(length / 4) } })],
    ['ampersands', fromQuery(), (length) => ({ url: `/?${'&'.repeat(length)}` })],
    ['question marks', fromQuery(), (length) => ({ url: '?'.repeat(length) })],
    ['percent signs', fromQuery(), (length) => ({ url: `/?access_token=${'%'.repeat(length)}` })],
    ['type', fromFormBody(), (length) => ({ method: 'POST', headers: { 'content-type': ' ;'.repeat(length / 2) } })],
    [
      'origin',
      fromCookie('s'),
      (length) => ({ method: 'POST', headers: { cookie: 's=a', origin: `https://${'a.'.repeat(length / 2)}` } }),
    ],
  ])('takes time that grows with its length only: %s', (_what, place, sent) => {
    const timeOf = (length: number) => {
      const carriers = sent(length);
      let best = Infinity;
      for (let run = 0; run < 5; run += 1) {
        const start = process.hrtime.bigint();
        codeFrom(place, carriers);
        best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6);
      }
      return best;
    };
    timeOf(16_384);
    // Quadratic code would take 256 times as long for 16 times the length, and seconds for this much.
    expect(timeOf(16 * 16_384)).toBeLessThan(Math.max(50, 64 * timeOf(16_384)));
  });
});
