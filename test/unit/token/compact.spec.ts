import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeCompact, MAX_TOKEN_LENGTH, signatureOf } from '../../../src/token/jwt/compact.js';
import { unicodeText } from '../../support/unicode-text.js';
import { codeOf, refusalOf } from '../../support/catching.js';

const encode = (part: string | Uint8Array) => Buffer.from(part).toString('base64url');
const compact = (...parts: readonly (string | Uint8Array)[]) => parts.map(encode).join('.');

const HEADER = '{"alg":"RS256"}';
const PAYLOAD = '{"sub":"alice"}';
const claimsOf = (payload: string) => decodeCompact(compact(HEADER, payload, 'signature')).claims;
const headerOf = (header: string) => decodeCompact(compact(header, PAYLOAD, 'signature')).header;

/** The code of the refusal and its reason, as payload and as header. */
function refusalsOf(part: string | Uint8Array): readonly string[] {
  return [compact(HEADER, part, 's'), compact(part, PAYLOAD, 's')].map((token) => {
    const { code, detail } = refusalOf(() => decodeCompact(token));
    return `${code} ${String(detail.reason).replace(/^(?:header|payload) /, '')}`;
  });
}

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
    // No key verifies an empty signature.
    expect(signatureOf(decodeCompact(compact(HEADER, PAYLOAD, ''))).signature).toHaveLength(0);
  });

  const [h, p, s] = [HEADER, PAYLOAD, 'signature'].map(encode) as [string, string, string];
  const json = JSON.stringify({ protected: h, payload: p, signature: s });
  it.each([
    ...['', h, `${h}.${p}`, `${h}.${p}.${s}.${s}`, `${h}.${p}.${s}.`, `${h}.${s}.${s}.${s}.${s}`, '.', '..', '...'],
    ...[`.${p}.${s}`, `${h}..${s}`, `.${h}.${p}.${s}`, json],
  ])('rejects a token that does not have three parts: %j (TOKEN_MALFORMED)', (token) => {
    expect(codeOf(() => decodeCompact(token))).toBe('TOKEN_MALFORMED');
  });

  it.each([0, 1, 2])('rejects a part %d that is not canonical base64url (TOKEN_MALFORMED)', (index) => {
    // 16 bytes each: the last character has four bits that must be zero.
    const parts = ['{"alg":"RS256" }', '{"sub":"alice" }', Buffer.alloc(16, 1)].map(encode);
    const decodeWith = (text: string) => decodeCompact(parts.with(index, text).join('.'));
    const good = parts[index] ?? '';
    expect(codeOf(() => decodeWith(good))).toBeUndefined();
    const inserted = [' ', '\t', '\r\n', '+', '/', '?', '%65', '\0', 'é'];
    const lowByte = String.fromCharCode(0x100 + good.charCodeAt(0)) + good.slice(1);
    for (const text of [
      ...inserted.flatMap((text) => [text + good, good.slice(0, 5) + text + good.slice(5), good + text]),
      ...[`=${good}`, `${good.slice(0, 5)}=${good.slice(5)}`, `${good}=`, `${good}===`, `${good}=A`],
      ...[good.slice(0, -1) + nextCharacter(good.slice(-1)), `${good.slice(0, 20)}A`, lowByte],
    ])
      expect(refusalOf(() => decodeWith(text))).toMatchObject({
        code: 'TOKEN_MALFORMED',
        detail: { reason: expect.stringMatching(/not base64url$/) },
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
    const text = Buffer.concat([Buffer.from('{"sub":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(refusalsOf(text)).toEqual(Array(2).fill('TOKEN_MALFORMED is not UTF-8'));
    expect(claimsOf('{"sub":"\ufffd"}')).toStrictEqual({ sub: '\ufffd' });
  });

  it.each([
    ...['\ufeff{"sub":"alice"}', ' ', '{"sub":"alice"', "{'sub':'alice'}", '{"sub":"alice",}', '{"sub":"alice"/**/}'],
    ...['{"sub":"alice"}{"sub":"bob"}', '{"sub":"alice"}\0', '{"exp":NaN}', '{"exp":Infinity}', '{"exp":0x10}'],
    ...['{"exp":010}', '{"sub":"a\nb"}', '{"sub":"\\u00"}', 'sub=alice', 'foo'],
  ])('rejects %j, which is not JSON (TOKEN_MALFORMED)', (text) => {
    expect(refusalsOf(text)).toEqual(Array(2).fill('TOKEN_MALFORMED is not JSON'));
  });

  it.each(['null', 'true', '1', '"text"', '[]', '[{"sub":"alice"}]', '"{}"'])(
    'rejects %s, which is not a JSON object (TOKEN_MALFORMED)',
    (text) => {
      expect(refusalsOf(text)).toEqual(Array(2).fill('TOKEN_MALFORMED is not a JSON object'));
    },
  );

  it('accepts white space around the object', () => {
    expect(claimsOf(' \t\r\n{ "b" : 1 , "a" : 2 }\n')).toEqual({ a: 2, b: 1 });
  });

  it('returns the last of duplicate members', () => {
    expect(claimsOf('{"sub":"alice","aud":"a","sub":"bob"}')).toEqual({ sub: 'bob', aud: 'a' });
    expect(claimsOf('{"sub":"alice","\\u0073ub":"bob"}')).toEqual({ sub: 'bob' });
    expect(claimsOf('{"a":{"b":1,"b":2}}')).toEqual({ a: { b: 2 } });
  });

  it('has no part of the token in its errors', () => {
    const secret = 'topsecret';
    for (const token of [secret, compact(secret, PAYLOAD, 's'), compact(HEADER, secret, 's'), `${h}.${p}.${secret}!`]) {
      const { message, detail, cause } = refusalOf(() => decodeCompact(token));
      const text = `${message} ${JSON.stringify(detail)} ${String(cause)}`;
      for (const part of [secret, encode(secret)]) expect(text).not.toContain(part);
    }
  });

  it('rejects more than 32768 characters before anything else (TOKEN_TOO_LARGE)', () => {
    const longest = compact(HEADER, PAYLOAD, '').padEnd(MAX_TOKEN_LENGTH, 'A');
    expect(codeOf(() => decodeCompact(longest))).not.toBe('TOKEN_TOO_LARGE');
    for (const token of [`${longest}A`, ...['a', '.', ' ', 'é', `${h}.${p}.${s},`].map((unit) => unit.repeat(2 ** 20))])
      expect(codeOf(() => decodeCompact(token))).toBe('TOKEN_TOO_LARGE');
  });
});

describe('Members that would change the prototype of a copy', () => {
  // Plain, and with letters as escapes.
  const spellings = [
    ...['__proto__', '\\u005f_proto__', '__prot\\u006f__', 'constructor', 'c\\u006fnstructor', 'constructo\\u0072'],
    ...['prototype', '\\u0070rototype', '\\u005F\\u005F\\u0070\\u0072\\u006F\\u0074\\u006f\\u005f\\u005f'],
  ];

  it.each(spellings)('are removed at any depth, from payload and header: "%s"', (name) => {
    for (const value of ['{"admin":true}', 'true', 'null', '"text"', '[1]', '{"prototype":{"admin":true}}']) {
      const text = `{"a":1,"${name}":${value},"b":{"${name}":${value},"c":[{"${name}":${value}}]},"${name}":1,"d":2}`;
      for (const decoded of [claimsOf(text), headerOf(text)]) {
        expect(JSON.stringify(decoded)).toBe('{"a":1,"b":{"c":[{}]},"d":2}');
        expect((Object.assign({}, decoded) as Record<string, unknown>).admin).toBeUndefined();
        expect(Object.getPrototypeOf(decoded.b)).toBe(Object.getPrototypeOf(decoded));
      }
    }
  });

  it('are removed by name: values, similar names and other members stay', () => {
    const claims = {
      sub: '__proto__',
      list: ['constructor', null, []],
      proto: 1,
      constructors: {},
      zero: -0,
      no: false,
    };
    const text = JSON.stringify(claims).replace('"zero":0', '"zero":-0');
    expect(claimsOf(text.replace('{', '{"__proto__":1,'))).toStrictEqual(claims);
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
    ['65 levels', `{"a":${lists(65)}}`],
  ])('is rejected without a stack overflow: %s (TOKEN_MALFORMED)', (_what, text) => {
    expect(refusalsOf(text)).toEqual(Array(2).fill('TOKEN_MALFORMED is nested too deep'));
  });

  it('is accepted with 64 levels, or if the depth is in a member that is removed', () => {
    expect(claimsOf(`{"a":${lists(64)}}`)).toHaveProperty('a');
    expect(claimsOf(`{"sub":"alice","__proto__":${lists(deepest)}}`)).toStrictEqual({ sub: 'alice' });
    expect(claimsOf(`${'{"__proto__":'.repeat(1_700)}1${'}'.repeat(1_700)}`)).toStrictEqual({});
  });
});

describe('Tokens that are decoded one after another', () => {
  const tokenOf = (sub: string, signature: string) => compact(HEADER, JSON.stringify({ sub }), signature);
  const restored = (token: string) => {
    const { input, signature } = signatureOf({ token });
    return `${input.toString('latin1')}.${signature.toString('base64url')}`;
  };

  it('have their own signing input and signature, even if another token was rejected in between', () => {
    const tokens = ['a', 'b'.repeat(500), 'c'].map((sub) => tokenOf(sub, sub));
    for (const token of [...tokens, ...tokens.reverse()]) {
      decodeCompact(token);
      expect(codeOf(() => decodeCompact(`${tokenOf('bbbb', 'other')}!`))).toBe('TOKEN_MALFORMED');
      expect(restored(token)).toBe(token);
    }
  });

  it('do not contain bytes of a longer token before', () => {
    decodeCompact(tokenOf('a', 'x'.repeat(60)).replace(/[^.]*$/, 'A'.repeat(80)));
    expect(codeOf(() => decodeCompact(`${tokenOf('a', '')}A`))).toBe('TOKEN_MALFORMED');
  });
});

describe('Decoded headers', () => {
  const decodeOthers = (count: number, name: string) => {
    for (let index = 0; index < count; index += 1) {
      const header = { alg: 'RS256', kid: `${name} ${String(index)}` };
      expect(headerOf(JSON.stringify(header))).toStrictEqual(header);
    }
  };

  it('are deeply frozen, because tokens share them', () => {
    const text = '{"alg":"RS256","jwk":{"key_ops":["verify"]}}';
    const { jwk } = headerOf(text) as { jwk: { key_ops: unknown[] } };
    for (const part of [headerOf(text), jwk, jwk.key_ops]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('are cached: the five hundred that were used last', () => {
    const first = headerOf(HEADER);
    expect(headerOf(HEADER)).toBe(first);
    decodeOthers(499, 'a');
    expect(headerOf(HEADER)).toBe(first);
    decodeOthers(500, 'b');
    expect(headerOf(HEADER)).not.toBe(first);
    expect(headerOf(HEADER)).toStrictEqual(first);
  });

  it('are not cached if they have more than 256 characters', () => {
    const ofBytes = (length: number) => HEADER.replace('}', `,"a":"${'a'.repeat(length - HEADER.length - 7)}"}`);
    const [longest, longer] = [ofBytes(192), ofBytes(193)];
    expect(encode(longest)).toHaveLength(256);
    expect(headerOf(longest)).toBe(headerOf(longest));
    expect(headerOf(longer)).not.toBe(headerOf(longer));
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
    fc.constantFrom('', encode(HEADER), encode('{}'), encode('{"__proto__":{}}')),
  );
  const likeAToken = fc.oneof(
    anyText,
    fc.array(likeAPart, { maxLength: 6 }).map((parts) => parts.join('.')),
    fc.tuple(likeAPart, likeAPart, likeAPart).map((parts) => parts.join('.')),
  );

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
        const { claims } = decodeCompact(compact(HEADER, payload, 'signature'));
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
