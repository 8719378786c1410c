import { describe, expect, it } from '@jest/globals';
import {
  audiences,
  clientOf,
  isSameCaller,
  checkScopeClaim,
  checkStringClaims,
  namedIssuer,
  numericDate,
  requiredNumericDate,
} from '../../../src/token/claims.js';
import { codeOf, refusalOf } from '../../support/catching.js';

/** Claims as a token brings them. */
const parse = (json: string) => JSON.parse(json) as Record<string, unknown>;

const LATEST = 253_402_300_799;

describe('A time', () => {
  it.each([0, 1, 1_700_000_000, 1_700_000_000.5, LATEST])('may be %d', (value) => {
    expect(numericDate({ exp: value }, 'exp')).toBe(value);
    expect(requiredNumericDate({ exp: value }, 'exp')).toBe(value);
  });

  it('that is not there is undefined, or refused where it is required (CLAIM_MISSING)', () => {
    expect(numericDate({}, 'nbf')).toBeUndefined();
    const error = refusalOf(() => requiredNumericDate({}, 'exp'));
    expect(error).toMatchObject({ code: 'CLAIM_MISSING', detail: { claim: 'exp' } });
  });

  it.each([
    ['1e999, which is Infinity', '{"exp":1e999}'],
    ['-1e999', '{"exp":-1e999}'],
    ['milliseconds', '{"exp":1700000000000}'],
    ['a second after the year 9999', '{"exp":253402300800}'],
    ['a fraction of a second after the year 9999', '{"exp":253402300799.5}'],
    ['a negative number', '{"exp":-1}'],
    ['a small negative number', '{"exp":-1e-9}'],
    ['a string of digits', '{"exp":"1700000000"}'],
    ['an empty string', '{"exp":""}'],
    ['a date as a string', '{"exp":"2099-01-01T00:00:00Z"}'],
    ['null', '{"exp":null}'],
    ['true', '{"exp":true}'],
    ['a list', '{"exp":[1700000000]}'],
    ['an object', '{"exp":{"valueOf":1700000000}}'],
  ])('is refused that is %s (CLAIM_INVALID)', (_what, json) => {
    for (const read of [numericDate, requiredNumericDate]) {
      const error = refusalOf(() => read(parse(json), 'exp'));
      expect(error).toMatchObject({ code: 'CLAIM_INVALID', detail: { claim: 'exp' } });
      expect(Object.keys(error.detail).sort()).toEqual(['claim', 'expected']);
    }
  });

  it('is refused that is NaN, as a caller of the function may have made it (CLAIM_INVALID)', () => {
    expect(codeOf(() => numericDate({ exp: NaN }, 'exp'))).toBe('CLAIM_INVALID');
  });
});

describe('The issuer that a token names', () => {
  it.each(['https://issuer.example.com', '', ' '])('is read as it is: %j', (iss) => {
    expect(namedIssuer({ iss })).toBe(iss);
  });

  it('is refused when it is not there (CLAIM_MISSING)', () => {
    expect(refusalOf(() => namedIssuer({}))).toMatchObject({ code: 'CLAIM_MISSING', detail: { claim: 'iss' } });
  });

  it.each([[null], [1], [true], [['https://issuer.example.com']], [{}]])('is refused as %j (CLAIM_INVALID)', (iss) => {
    expect(refusalOf(() => namedIssuer({ iss }))).toMatchObject({ code: 'CLAIM_INVALID', detail: { claim: 'iss' } });
  });
});

describe('The audience that a token names', () => {
  it.each([
    ['a', ['a']],
    ['', ['']],
    ['a b', ['a b']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[], []],
  ])('is read from %j as %j', (aud, expected) => {
    expect(audiences({ aud }, 'aud')).toEqual(expected);
  });

  it('is refused when it is not there (CLAIM_MISSING)', () => {
    expect(refusalOf(() => audiences({}, 'aud'))).toMatchObject({ code: 'CLAIM_MISSING', detail: { claim: 'aud' } });
  });

  it.each([
    [null],
    [1],
    [true],
    [{}],
    [{ 0: 'a', length: 1 }],
    [['a', 1]],
    [[null]],
    [[['a']]],
    [['a', { toString: 'b' }]],
  ])('is refused as %j (CLAIM_INVALID)', (aud) => {
    expect(refusalOf(() => audiences({ aud }, 'aud'))).toMatchObject({
      code: 'CLAIM_INVALID',
      detail: { claim: 'aud' },
    });
  });
});

describe('Two tokens', () => {
  it.each([
    [{ sub: 'alice' }, { sub: 'alice', client_id: 'x' }, true],
    [{ sub: 'alice' }, { sub: 'bob' }, false],
    [{ sub: 'alice', iss: 'a' }, { sub: 'alice', iss: 'b' }, false],
    [{ sub: 'alice' }, {}, false],
    [{ client_id: 'a' }, { azp: 'a' }, true],
    [{ client_id: 'a' }, { client_id: 'b' }, false],
    [{ sub: '', client_id: 'a' }, { sub: '', client_id: 'b' }, false],
    [{}, {}, false],
  ])('of %j and %j stand for the same caller: %s', (one, other, isSame) => {
    expect(isSameCaller(one, other)).toBe(isSame);
  });
});

describe('The client of a token', () => {
  it.each([
    [{ client_id: 'a', azp: 'b', appid: 'c', cid: 'd' }, 'a'],
    [{ azp: 'b', appid: 'c', cid: 'd' }, 'b'],
    [{ appid: 'c', cid: 'd' }, 'c'],
    [{ cid: 'd' }, 'd'],
    [{ cid: 1 }, undefined],
    [{}, undefined],
  ])('named by %j is %p', (claims, client) => {
    expect(clientOf(claims)).toBe(client);
  });
});

describe('A claim that names the subject, the client or the token', () => {
  const claims = ['sub', 'jti', 'client_id', 'azp'];

  it('may be missing, and is a string otherwise', () => {
    expect(codeOf(() => checkStringClaims({}))).toBeUndefined();
    expect(codeOf(() => checkStringClaims({ sub: 'alice', jti: '', client_id: 'a', azp: 'b' }))).toBeUndefined();
  });

  describe.each(claims)('%s', (claim) => {
    it.each([[null], [1], [0], [true], [false], [{}], [['alice']], [{ $ne: null }]])(
      'is refused as %j (CLAIM_INVALID)',
      (value) => {
        const error = refusalOf(() => checkStringClaims({ sub: 'alice', [claim]: value }));
        expect(error).toMatchObject({ code: 'CLAIM_INVALID', detail: { claim } });
      },
    );
  });
});

describe('The claim scope', () => {
  it.each([['read'], ['read write'], [''], [['read', 'write']], [['read write']], [['']], [[]], [undefined]])(
    'may be %j',
    (scope) => {
      expect(codeOf(() => checkScopeClaim({ scope }))).toBeUndefined();
    },
  );

  it('may be missing', () => {
    expect(codeOf(() => checkScopeClaim({}))).toBeUndefined();
  });

  it.each([
    [42],
    [0],
    [null],
    [true],
    [false],
    [{}],
    [{ read: true }],
    [{ 0: 'read', length: 1 }],
    [[{}]],
    [[null]],
    [['read', 1]],
    [[['read']]],
  ])('is refused as %j (CLAIM_INVALID)', (scope) => {
    const error = refusalOf(() => checkScopeClaim({ scope }));
    expect(error).toMatchObject({ code: 'CLAIM_INVALID', detail: { claim: 'scope' } });
  });
});
