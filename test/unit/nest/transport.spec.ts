import { describe, expect, it } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import { AuthError } from '../../../src/model/errors.js';
import { requestOf } from '../../../src/nest/transports/transport-of.js';
import { authorizationHeaders } from '../../../src/nest/transports/http.js';

describe('authorizationHeaders', () => {
  it.each([
    ['none', { headers: {} }, []],
    ['one', { headers: { authorization: 'a' }, rawHeaders: ['Host', 'x', 'Authorization', 'a'] }, ['a']],
    [
      'two, of which Node keeps the first',
      { headers: { authorization: 'a' }, rawHeaders: ['Authorization', 'a', 'AUTHORIZATION', 'b'] },
      ['a', 'a'],
    ],
    [
      'two, on Fastify',
      { headers: { authorization: 'a' }, raw: { rawHeaders: ['authorization', 'a', 'authorization', 'b'] } },
      ['a', 'a'],
    ],
    ['two, of an injected request', { headers: { authorization: ['a', 'b'] } }, ['a', 'b']],
    ['one that a middleware set', { headers: { authorization: 'a' }, rawHeaders: ['Cookie', 'authorization'] }, ['a']],
    ['one, where there are no raw headers', { headers: { authorization: 'a' } }, ['a']],
  ])('finds %s', (_what, request, expected) => {
    expect(authorizationHeaders(request)).toEqual(expected);
  });
});

describe('requestOf', () => {
  it('refuses a call over a transport that nobody knows (TOKEN_MISSING)', () => {
    const context = { getType: () => 'carrier-pigeon' } as unknown as ExecutionContext;
    expect(() => requestOf(context)).toThrow(AuthError);
  });
});
