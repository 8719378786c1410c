import { describe, expect, it } from '@jest/globals';
import { parseFrozenJson } from '../../../src/token/jwt/frozen-json.js';
import { codeOf, refusalOf } from '../../support/catching.js';

const parse = (text: string) => parseFrozenJson(text, 'payload');

describe('parseFrozenJson', () => {
  it('freezes the value and all that is in it', () => {
    const claims = parse('{"a":{"b":[{"c":1}]},"d":null,"e":"text"}') as { a: { b: object[] } };
    expect(claims).toEqual({ a: { b: [{ c: 1 }] }, d: null, e: 'text' });
    for (const part of [claims, claims.a, claims.a.b, claims.a.b[0]]) expect(Object.isFrozen(part)).toBe(true);
  });

  it.each(['null', '7', '"text"', 'true'])('takes what is no object as it is: %s', (text) => {
    expect(parse(text)).toBe(JSON.parse(text));
  });

  it.each(['__proto__', 'constructor', 'prototype', '\\u005f_proto__', 'constr\\u0075ctor'])(
    'leaves members out that change what an object is when it is copied, at any depth: %s',
    (name) => {
      const value = parse(`{"a":1,"${name}":{"admin":true},"b":[{"${name}":{"admin":true},"c":2}]}`) as object;
      expect(value).toStrictEqual({ a: 1, b: [{ c: 2 }] });
      expect(Object.getOwnPropertyNames(value)).toEqual(['a', 'b']);
      expect((Object.assign({}, value) as { admin?: unknown }).admin).toBeUndefined();
    },
  );

  it('keeps names that only look like those', () => {
    const text = '{"proto":1,"__proto":2,"Constructor":3,"prototypes":4,"toString":5}';
    expect(parse(text)).toStrictEqual(JSON.parse(text));
  });

  it.each([
    ['lists', (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`],
    ['objects', (depth: number) => `${'{"a":'.repeat(depth)}{}${'}'.repeat(depth)}`],
  ])('takes 64 levels of %s below the first, and refuses one more (TOKEN_MALFORMED)', (_kind, nested) => {
    expect(codeOf(() => parse(nested(64)))).toBeUndefined();
    const error = refusalOf(() => parse(nested(65)));
    expect(error).toMatchObject({ code: 'TOKEN_MALFORMED', detail: { reason: 'payload is nested too deep' } });
    expect(codeOf(() => parse(nested(4_000)))).toBe('TOKEN_MALFORMED');
  });

  it.each(['', '{', 'hello', '{"secret":"s3cret",}'])('says nothing of what is no JSON but that: %j', (text) => {
    const error = refusalOf(() => parse(text));
    expect(error).toMatchObject({ code: 'TOKEN_MALFORMED', detail: { reason: 'payload is not JSON' } });
    expect(JSON.stringify(error.detail)).not.toContain('s3cret');
  });
});
