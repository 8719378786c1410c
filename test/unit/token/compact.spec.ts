import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_TOKEN_LENGTH } from '../../../src/token/bearer.js';
import { decodeCompact, signatureOf } from '../../../src/token/jwt/compact.js';
import { unicodeText } from '../../support/unicode-text.js';
import { codeOf, refusalOf } from '../../support/catching.js';

const MEBIBYTE = 1024 * 1024;
const encode = (part: string | Uint8Array) => Buffer.from(part).toString('base64url');
const compact = (
  header: string | Uint8Array,
  payload: string | Uint8Array,
  signature: string | Uint8Array = 'signature',
) => [header, payload, signature].map(encode).join('.');

const HEADER = '{"alg":"RS256"}';
const PAYLOAD = '{"sub":"alice"}';
const claimsOf = (payload: string) => decodeCompact(compact(HEADER, payload)).claims;

describe('decodeCompact', () => {
  it('returns header and claims, with the signing input and the signature as they were sent', () => {
    const token = compact('{"alg":"RS256","kid":"a"}', '{ "sub": "älice" }', Buffer.from([0, 255, 1]));
    expect(decodeCompact(token)).toStrictEqual({
      token,
      header: { alg: 'RS256', kid: 'a' },
      claims: { sub: 'älice' },
    });
    expect(signatureOf({ token })).toStrictEqual({
      input: Buffer.from(token.slice(0, token.lastIndexOf('.'))),
      signature: Buffer.from([0, 255, 1]),
    });
  });

  it('returns the signature of each token, whatever was decoded before', () => {
    const tokens = ['a', 'b'.repeat(500), 'c'].map((sub) => compact(HEADER, JSON.stringify({ sub }), sub));
    for (const token of [...tokens, ...tokens.reverse()]) {
      const { input, signature } = signatureOf(decodeCompact(token));
      expect(`${input.toString('latin1')}.${signature.toString('base64url')}`).toBe(token);
    }
  });

  it('accepts an empty signature, which no key verifies', () => {
    expect(signatureOf(decodeCompact(compact(HEADER, PAYLOAD, ''))).signature).toHaveLength(0);
  });

  const h = encode(HEADER);
  const p = encode(PAYLOAD);
  const s = encode('signature');
  it.each([
    ['the empty string', ''],
    ['one part', h],
    ['two parts', `${h}.${p}`],
    ['four parts', `${h}.${p}.${s}.${s}`],
    ['four parts, the last one empty', `${h}.${p}.${s}.`],
    ['five parts, as encrypted tokens have', `${h}.${s}.${s}.${s}.${s}`],
    ['one dot', '.'],
    ['two dots', '..'],
    ['three dots', '...'],
    ['no header', `.${p}.${s}`],
    ['no payload', `${h}..${s}`],
    ['a dot first', `.${h}.${p}.${s}`],
    ['JSON serialization', JSON.stringify({ protected: h, payload: p, signature: s })],
  ])('rejects %s (TOKEN_MALFORMED)', (_what, token) => {
    expect(codeOf(() => decodeCompact(token))).toBe('TOKEN_MALFORMED');
  });

  describe.each([
    ['header', 0],
    ['payload', 1],
    ['signature', 2],
  ])('rejects a %s that is not canonical base64url (TOKEN_MALFORMED):', (part, index) => {
    // 16 bytes of each: two characters at the end, the last with four bits that must be zero.
    const parts = ['{"alg":"RS256" }', '{"sub":"alice" }', Buffer.alloc(16, 1)].map(encode);
    const withPart = (text: string) => parts.map((other, at) => (at === index ? text : other)).join('.');
    const good = parts[index] ?? '';

    it('accepts the canonical form', () => {
      expect(codeOf(() => decodeCompact(withPart(good)))).toBeUndefined();
    });

    it.each([
      ['padding', `${good}==`],
      ['half the padding', `${good}=`],
      ['padding in the middle', `${good.slice(0, 4)}=${good.slice(4)}`],
      ['a stray bit at the end', good.slice(0, -1) + nextCharacter(good.slice(-1))],
      ['a stray character at the end', `${good.slice(0, 20)}A`],
      ['a space', `${good} `],
      ['a space first', ` ${good}`],
      ['a tab', `${good.slice(0, 5)}\t${good.slice(5)}`],
      ['a line feed', `${good}\n`],
      ['a carriage return and line feed', `${good.slice(0, 5)}\r\n${good.slice(5)}`],
      ['a plus', `+${good.slice(1)}`],
      ['a slash', `/${good.slice(1)}`],
      ['a question mark', `${good.slice(0, 3)}?${good.slice(3)}`],
      ['a null character', `${good}\0`],
      ['a character beyond ASCII', `${good}é`],
      [
        'a character whose low byte is in the alphabet',
        `${String.fromCharCode(0x100 + good.charCodeAt(0))}${good.slice(1)}`,
      ],
      ['a percent escape', `%65${good.slice(1)}`],
    ])('%s', (_what, text) => {
      const error = refusalOf(() => decodeCompact(withPart(text)));
      expect(error.code).toBe('TOKEN_MALFORMED');
      expect(error.detail.reason).toMatch(/not base64url$/);
    });
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong form of a quotation mark', [0xc0, 0xa2]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a cut-off sequence', [0xe2, 0x82]],
    ['a byte that never occurs', [0xff]],
    ['a code point past the last', [0xf4, 0x90, 0x80, 0x80]],
    ['Latin-1', [0xe9]],
  ])('rejects %s, which is not UTF-8 (TOKEN_MALFORMED)', (_what, bytes) => {
    const bad = Buffer.concat([Buffer.from('{"sub":"'), Buffer.from(bytes), Buffer.from('"}')]);
    for (const [part, token] of [
      ['header', compact(bad, PAYLOAD)],
      ['payload', compact(HEADER, bad)],
    ] as const) {
      const error = refusalOf(() => decodeCompact(token));
      expect(error).toMatchObject({ code: 'TOKEN_MALFORMED', detail: { reason: `${part} is not UTF-8` } });
    }
  });

  it.each([
    ['UTF-16', Buffer.from('\ufeff{"sub":"alice"}', 'utf16le')],
    ['a byte order mark', '\ufeff{"sub":"alice"}'],
    ['white space', ' '],
    ['a cut-off object', '{"sub":"alice"'],
    ['single quotes', "{'sub':'alice'}"],
    ['a comma at the end', '{"sub":"alice",}'],
    ['a comment', '{"sub":"alice"/**/}'],
    ['two objects', '{"sub":"alice"}{"sub":"bob"}'],
    ['a null character behind it', '{"sub":"alice"}\0'],
    ['NaN', '{"exp":NaN}'],
    ['Infinity', '{"exp":Infinity}'],
    ['a hexadecimal number', '{"exp":0x10}'],
    ['a number with a leading zero', '{"exp":010}'],
    ['a line break within a string', '{"sub":"a\nb"}'],
    ['a broken escape', '{"sub":"\\u00"}'],
    ['a form-encoded payload', 'sub=alice'],
  ])('rejects %s, which is not JSON, and quotes nothing of it (TOKEN_MALFORMED)', (_what, bad) => {
    expect(codeOf(() => decodeCompact(compact(bad, PAYLOAD)))).toBe('TOKEN_MALFORMED');
    expect(refusalOf(() => decodeCompact(compact(HEADER, bad)))).toMatchObject({
      code: 'TOKEN_MALFORMED',
      detail: { reason: expect.stringMatching(/^payload is not (?:JSON|UTF-8)$/) },
    });
  });

  it.each(['null', 'true', '1', '"text"', '[]', '[{"sub":"alice"}]', '"{}"', 'foo'])(
    'rejects %s, which is not a JSON object (TOKEN_MALFORMED)',
    (json) => {
      expect(codeOf(() => decodeCompact(compact(json, PAYLOAD)))).toBe('TOKEN_MALFORMED');
      expect(codeOf(() => decodeCompact(compact(HEADER, json)))).toBe('TOKEN_MALFORMED');
    },
  );

  it('accepts white space around the object', () => {
    expect(claimsOf(' \t\r\n{ "b" : 1 , "a" : 2 }\n')).toEqual({ a: 2, b: 1 });
  });

  it('returns the last of duplicate members', () => {
    expect(claimsOf('{"sub":"alice","aud":"a","sub":"bob"}')).toEqual({ sub: 'bob', aud: 'a' });
    expect(claimsOf('{"sub":"alice","\\u0073ub":"bob"}')).toEqual({ sub: 'bob' });
    expect(claimsOf('{"a":{"b":1,"b":2}}')).toEqual({ a: { b: 2 } });
    expect(claimsOf('{"exp":1,"exp":null}')).toEqual({ exp: null });
  });

  it('has no part of the token in its errors', () => {
    const secret = 'topsecret';
    for (const token of [secret, compact(secret, PAYLOAD), compact(HEADER, secret), `${h}.${p}.${secret}!`]) {
      const { message, detail, cause } = refusalOf(() => decodeCompact(token));
      const said = `${message} ${JSON.stringify(detail)} ${String(cause)}`;
      for (const part of [secret, encode(secret)]) expect(said).not.toContain(part);
    }
  });
});

describe('A token of more than 32768 characters', () => {
  it('is rejected, and one of 32768 characters is not (TOKEN_TOO_LARGE)', () => {
    const frame = compact(HEADER, PAYLOAD, '').length;
    // Three bytes are four characters, so that a signature of this length makes exactly 32768.
    const signature = 'A'.repeat(MAX_TOKEN_LENGTH - frame);
    const longest = compact(HEADER, PAYLOAD, '') + signature;
    expect(longest).toHaveLength(MAX_TOKEN_LENGTH);
    expect(codeOf(() => decodeCompact(longest))).not.toBe('TOKEN_TOO_LARGE');
    expect(codeOf(() => decodeCompact(`${longest}A`))).toBe('TOKEN_TOO_LARGE');
  });

  it.each([
    ['letters', 'a'],
    ['dots', '.'],
    ['spaces', ' '],
    ['characters beyond ASCII', 'é'],
    ['tokens', `${compact(HEADER, PAYLOAD)},`],
  ])('is rejected before anything else is checked: a mebibyte of %s (TOKEN_TOO_LARGE)', (_what, unit) => {
    expect(codeOf(() => decodeCompact(unit.repeat(Math.ceil(MEBIBYTE / unit.length))))).toBe('TOKEN_TOO_LARGE');
  });
});

describe('Members that would change the prototype of a copy', () => {
  // Plain, and with letters as escapes.
  const spellings = [
    '__proto__',
    '\\u005f_proto__',
    '__prot\\u006f__',
    '\\u005F\\u005F\\u0070\\u0072\\u006F\\u0074\\u006f\\u005f\\u005f',
    'constructor',
    'c\\u006fnstructor',
    'constructo\\u0072',
    'prototype',
    '\\u0070rototype',
  ];

  it.each(spellings)('are removed at any depth: "%s"', (name) => {
    for (const value of ['{"admin":true}', 'true', 'null', '"text"', '[1]', '{"prototype":{"admin":true}}']) {
      const claims = claimsOf(`{"a":1,"${name}":${value},"b":{"${name}":${value},"c":[{"${name}":${value}}]},"d":2}`);
      expect(JSON.stringify(claims)).toBe('{"a":1,"b":{"c":[{}]},"d":2}');
      expect((Object.assign({}, claims) as Record<string, unknown>).admin).toBeUndefined();
      expect(Object.getPrototypeOf(claims)).toBe(Object.prototype);
      expect(Object.getPrototypeOf(claims.b)).toBe(Object.prototype);
    }
  });

  it.each(spellings)('are removed from the header: "%s"', (name) => {
    const { header } = decodeCompact(compact(`{"alg":"RS256","${name}":{"kid":"a"}}`, PAYLOAD));
    expect(header).toStrictEqual({ alg: 'RS256' });
    expect(header.kid).toBeUndefined();
  });

  it('are removed however often they occur', () => {
    expect(
      JSON.stringify(claimsOf('{"__proto__":1,"\\u005f_proto__":{"a":1},"__proto__":{"b":2},"sub":"alice"}')),
    ).toBe('{"sub":"alice"}');
  });

  it('are removed by name: values and similar names stay', () => {
    const claims = { sub: '__proto__', list: ['constructor', 'prototype'], proto: 1, constructors: 2 };
    expect(claimsOf(JSON.stringify(claims))).toEqual(claims);
  });

  it('leave all other members unchanged', () => {
    const others =
      '"text":"\\u00e9\\ud83d\\ude00","list":[1,null,[]],"object":{"a":{}},"nothing":null,"no":false,"zero":-0';
    expect(claimsOf(`{${others},"__proto__":1}`)).toStrictEqual(JSON.parse(`{${others}}`));
  });
});

describe('A deeply nested token', () => {
  // The depth that fits into the longest token.
  const deepest = 11_500;
  const lists = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

  it.each([
    ['lists', `{"a":${lists(deepest)}}`],
    ['lists beside an unsafe name', `{"__proto__":1,"a":${lists(deepest)}}`],
    ['objects', objects(4_000)],
  ])('is rejected without a stack overflow: %s (TOKEN_MALFORMED)', (_what, json) => {
    const [asPayload, asHeader] = [compact(HEADER, json), compact(json, PAYLOAD)];
    expect(asPayload.length).toBeLessThanOrEqual(MAX_TOKEN_LENGTH);
    expect(codeOf(() => decodeCompact(asPayload))).toBe('TOKEN_MALFORMED');
    expect(codeOf(() => decodeCompact(asHeader))).toBe('TOKEN_MALFORMED');
  });

  it.each([
    ['lists', `{"sub":"alice","__proto__":${lists(deepest)}}`, { sub: 'alice' }],
    ['objects', `${'{"__proto__":'.repeat(1_700)}1${'}'.repeat(1_700)}`, {}],
  ])('is accepted if the depth is in a member that is removed: %s', (_what, json, claims) => {
    expect(decodeCompact(compact(HEADER, json)).claims).toStrictEqual(claims);
  });

  it('may have 64 levels below the first, and no more (TOKEN_MALFORMED)', () => {
    expect(codeOf(() => decodeCompact(compact(`{"a":${lists(64)}}`, PAYLOAD)))).toBeUndefined();
    expect(codeOf(() => decodeCompact(compact(`{"a":${lists(65)}}`, PAYLOAD)))).toBe('TOKEN_MALFORMED');
    expect(codeOf(() => decodeCompact(compact(HEADER, `{"a":${lists(64)}}`)))).toBeUndefined();
    expect(codeOf(() => decodeCompact(compact(HEADER, `{"a":${lists(65)}}`)))).toBe('TOKEN_MALFORMED');
  });
});

describe('The header', () => {
  it('is deeply frozen, because tokens share it', () => {
    const token = compact('{"alg":"RS256","jwk":{"key_ops":["verify"]}}', PAYLOAD);
    const { jwk } = decodeCompact(token).header as { jwk: { key_ops: unknown[] } };
    for (const part of [decodeCompact(token).header, jwk, jwk.key_ops]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('belongs to its token, whatever was decoded before', () => {
    const headers = Array.from({ length: 300 }, (_, index) => ({ alg: 'RS256', kid: `key ${String(index)}` }));
    for (const round of [headers, [...headers].reverse()]) {
      for (const header of round) {
        expect(decodeCompact(compact(JSON.stringify(header), PAYLOAD)).header).toStrictEqual(header);
      }
    }
  });
});

describe('Tokens that are decoded one after another', () => {
  const tokenOf = (sub: string, signature: string) => compact(HEADER, JSON.stringify({ sub }), signature);

  it('have their own signing input, even if another token was rejected in between', () => {
    const [waiting, other] = [tokenOf('aaaa', 'signature-of-a'), tokenOf('bbbb', 'signature-of-b')];
    decodeCompact(waiting);
    expect(codeOf(() => decodeCompact(`${other}!`))).toBe('TOKEN_MALFORMED');
    const { input, signature } = signatureOf({ token: waiting });
    expect(`${input.toString('latin1')}.${signature.toString('base64url')}`).toBe(waiting);
  });

  it('do not contain bytes of a longer token before', () => {
    decodeCompact(tokenOf('a', 'x'.repeat(60)).replace(/[^.]*$/, 'A'.repeat(80)));
    expect(codeOf(() => decodeCompact(`${tokenOf('a', '')}A`))).toBe('TOKEN_MALFORMED');
  });

  it('may contain the replacement character of UTF-8', () => {
    expect(claimsOf('{"sub":"\ufffd"}')).toStrictEqual({ sub: '\ufffd' });
  });
});

describe('Decoded headers', () => {
  const headerOf = (header: string) => decodeCompact(compact(header, PAYLOAD)).header;
  const seeOthers = (count: number, name: string) => {
    for (let index = 0; index < count; index += 1) headerOf(`{"alg":"RS256","kid":"${name} ${String(index)}"}`);
  };

  it('are cached: the five hundred that were used last', () => {
    const first = headerOf(HEADER);
    expect(headerOf(HEADER)).toBe(first);
    seeOthers(499, 'a');
    expect(headerOf(HEADER)).toBe(first);
    seeOthers(500, 'b');
    expect(headerOf(HEADER)).not.toBe(first);
    expect(headerOf(HEADER)).toStrictEqual(first);
  });

  it('are not cached if they have more than 256 characters', () => {
    const ofBytes = (length: number) => HEADER.replace('}', `,"a":"${'a'.repeat(length - HEADER.length - 7)}"}`);
    const [longest, longer] = [ofBytes(192), ofBytes(193)];
    expect(encode(longest)).toHaveLength(256);
    expect(headerOf(longest)).toBe(headerOf(longest));
    expect(encode(longer).length).toBeGreaterThan(256);
    expect(headerOf(longer)).not.toBe(headerOf(longer));
    expect(headerOf(longer)).toStrictEqual(headerOf(longer));
  });

  it('are not cached if they were rejected', () => {
    for (const bad of ['{"alg":', '[]']) {
      for (let turn = 0; turn < 2; turn += 1) expect(codeOf(() => headerOf(bad))).toBe('TOKEN_MALFORMED');
    }
  });
});

describe('Whatever is sent', () => {
  const anyText = unicodeText({ maxLength: 200 });
  const likeAPart = fc.oneof(
    anyText,
    anyText.map(encode),
    fc.json().map(encode),
    fc.dictionary(anyText, fc.jsonValue()).map((value) => encode(JSON.stringify(value))),
    fc.uint8Array({ maxLength: 64 }).map(encode),
    fc.constantFrom('', h(), encode('{}'), encode('{"__proto__":{}}')),
  );
  const likeAToken = fc.oneof(
    anyText,
    fc.array(likeAPart, { maxLength: 6 }).map((parts) => parts.join('.')),
    fc.tuple(likeAPart, likeAPart, likeAPart).map((parts) => parts.join('.')),
  );
  function h() {
    return encode(HEADER);
  }

  it('decodeCompact throws only AuthError', () => {
    fc.assert(
      fc.property(likeAToken, (token) => {
        expect([undefined, 'TOKEN_MALFORMED', 'TOKEN_TOO_LARGE']).toContain(codeOf(() => decodeCompact(token)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('no other text decodes to the same token', () => {
    const object = fc
      .dictionary(anyText, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
      .map((value) => JSON.stringify(value));
    const token = fc.tuple(object, object, fc.uint8Array({ maxLength: 32 })).map((parts) => compact(...parts));
    const change = fc.tuple(fc.nat(), fc.constantFrom(...Array.from('AQgwZaz09-_=+/ .\n\té')), fc.boolean());
    fc.assert(
      fc.property(token, change, (original, [at, character, isInserted]) => {
        const index = at % (original.length + 1);
        const other = original.slice(0, index) + character + original.slice(isInserted ? index : index + 1);
        const code = codeOf(() => {
          const { input, signature } = signatureOf(decodeCompact(other));
          // A different text has another signing input or another signature.
          expect(`${input.toString('latin1')}.${signature.toString('base64url')}`).toBe(other);
        });
        expect([undefined, 'TOKEN_MALFORMED']).toContain(code);
      }),
      { numRuns: 300 },
    );
  });

  it('claims are returned unchanged, except for the unsafe names', () => {
    const name = fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', 'prototype', 'sub', 'toString'));
    const json = fc.letrec<{ value: string; object: string }>((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, fc.json({ maxDepth: 1 }), tie('object')),
      object: fc
        .array(fc.tuple(name, tie('value')), { maxLength: 5 })
        .map((members) => `{${members.map(([key, value]) => `${escaped(key)}:${value}`).join(',')}}`),
    })).object;
    fc.assert(
      fc.property(json, (payload) => {
        const { claims } = decodeCompact(compact(HEADER, payload));
        expect(hasUnsafeName(claims)).toBe(false);
        expect(claims).toStrictEqual(without(JSON.parse(payload)));
      }),
      { numRuns: 300 },
    );
  });
});

const UNSAFE = ['__proto__', 'constructor', 'prototype'];

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function hasUnsafeName(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).some(([name, member]) => UNSAFE.includes(name) || hasUnsafeName(member));
}

/** Removes the unsafe names, in another way than the code. */
function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without);
  if (!isObject(value)) return value;
  const safe = Object.entries(value).filter(([name]) => !UNSAFE.includes(name));
  return Object.fromEntries(safe.map(([name, member]) => [name, without(member)]));
}

/** A JSON string with every second letter of the alphabet as an escape, so that names occur in two spellings. */
function escaped(name: string): string {
  return JSON.stringify(name).replace(/[a-z_]/g, (letter, at: number, text: string) =>
    letter.charCodeAt(0) % 2 === 0 && text[at - 1] !== '\\' && !/\\u[\da-f]{0,3}$/.test(text.slice(0, at))
      ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
      : letter,
  );
}

/** The next letter of the alphabet, which differs only in bits that a lax decoder ignores. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) + 1] ?? '';
}
