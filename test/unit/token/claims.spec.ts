import { describe, expect, it } from '@jest/globals';
import { clientOf, isSameCaller } from '../../../src/token/claims.js';

describe('isSameCaller', () => {
  it.each([
    [{ sub: 'alice' }, { sub: 'alice', client_id: 'x' }, true],
    [{ sub: 'alice' }, { sub: 'bob' }, false],
    [{ sub: 'alice', iss: 'a' }, { sub: 'alice', iss: 'b' }, false],
    [{ sub: 'alice' }, {}, false],
    [{ client_id: 'a' }, { azp: 'a' }, true],
    [{ client_id: 'a' }, { client_id: 'b' }, false],
    [{ sub: '', client_id: 'a' }, { sub: '', client_id: 'b' }, false],
    [{}, {}, false],
  ])('compares issuer and subject, or the client without a subject: %j and %j: %s', (one, other, isSame) => {
    expect(isSameCaller(one, other)).toBe(isSame);
  });
});

describe('clientOf', () => {
  it.each([
    [{ client_id: 'a', azp: 'b', appid: 'c', cid: 'd' }, 'a'],
    [{ azp: 'b', appid: 'c', cid: 'd' }, 'b'],
    [{ appid: 'c', cid: 'd' }, 'c'],
    [{ cid: 'd' }, 'd'],
    [{ cid: 1 }, undefined],
    [{}, undefined],
  ])('returns the client that %j names: %p', (claims, client) => {
    expect(clientOf(claims)).toBe(client);
  });
});
