import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import type { AccessTokenClaims, JoseHeader } from '../../../src/model/access-token.js';
import { AcceptedToken } from '../../../src/token/accepted-token.js';

const CREDENTIAL = 'header.payload.secret';
const HEADER: JoseHeader = { alg: 'RS256', kid: 'a' };
const CLAIMS = {
  iss: 'https://issuer.example.com/',
  aud: 'api',
  exp: 1_700_000_000,
  sub: 'alice',
  scope: 'read write',
  groups: ['order manager'],
  rights: { granted: ['a', 'b'] },
} satisfies AccessTokenClaims;
const CLAIM_PATHS = { scopes: [['scope'], ['groups']], roles: [['groups']], permissions: [['rights', 'granted']] };

const accepted = () =>
  new AcceptedToken(CREDENTIAL, HEADER, CLAIMS, { claimPaths: CLAIM_PATHS, clockToleranceSeconds: 5 });

describe('An accepted token', () => {
  it('has what was verified', () => {
    const token = accepted();
    expect(token.token).toBe(CREDENTIAL);
    expect(token.header).toBe(HEADER);
    expect(token.claims).toBe(CLAIMS);
    expect(token.issuer).toBe(CLAIMS.iss);
  });

  it('grants what stands at its paths; scopes are split at spaces, roles and permissions are not', () => {
    const token = accepted();
    expect(token.scopes).toEqual(['read', 'write', 'order', 'manager']);
    expect(token.roles).toEqual(['order manager']);
    expect(token.permissions).toEqual(['a', 'b']);
  });

  it.each([
    [{ exp: 1_000 }, {}, 1_005],
    [{ exp: 1_000, iat: 900 }, { maxTokenAgeSeconds: 60 }, 965],
    [{ exp: 1_000, iat: 990 }, { maxTokenAgeSeconds: 60 }, 1_005],
    [{ exp: 1_000 }, { maxTokenAgeSeconds: 60 }, 1_005],
  ])('with %j, checked with %j, is accepted until %i', (times, checks, until) => {
    const checkedAgainst = { claimPaths: CLAIM_PATHS, clockToleranceSeconds: 5, ...checks };
    const token = new AcceptedToken(CREDENTIAL, HEADER, { ...CLAIMS, iat: undefined, ...times }, checkedAgainst);
    expect(AcceptedToken.acceptedUntil(token)).toBe(until);
  });

  it('grants nothing where there are no paths', () => {
    const { scopes, roles, permissions } = new AcceptedToken(CREDENTIAL, HEADER, CLAIMS, {
      claimPaths: { scopes: [], roles: [], permissions: [] },
      clockToleranceSeconds: 5,
    });
    expect([scopes, roles, permissions]).toEqual([[], [], []]);
  });

  it('grants the same frozen lists each time', () => {
    const token = accepted();
    for (const name of ['scopes', 'roles', 'permissions'] as const) {
      expect(token[name]).toBe(token[name]);
      expect(Object.isFrozen(token[name])).toBe(true);
    }
  });

  it.each(['token', 'header', 'claims', 'issuer', 'scopes', 'roles', 'permissions', 'admin'])(
    'cannot be given another %s by a handler',
    (name) => {
      const token = accepted();
      expect(() => Object.assign(token, { [name]: 'other' })).toThrow(TypeError);
      expect(() => Object.defineProperty(token, name, { value: 'other' })).toThrow(TypeError);
      expect(token).not.toHaveProperty(name, 'other');
    },
  );

  it('cannot lose a member', () => {
    const token = accepted();
    expect(Reflect.deleteProperty(token, 'claims')).toBe(false);
    expect(Object.isFrozen(token)).toBe(true);
  });

  it('is serialized with everything but the credential', () => {
    const token = accepted();
    const { issuer, header, claims, scopes, roles, permissions } = token;
    expect(JSON.parse(JSON.stringify(token))).toStrictEqual({ issuer, header, claims, scopes, roles, permissions });
    expect(JSON.stringify({ request: { token } })).not.toContain('secret');
  });

  it('shows no credential when it is printed, copied or searched', () => {
    const token = accepted();
    expect(inspect(token, { depth: 9, showHidden: true, getters: false })).not.toContain('secret');
    expect(JSON.stringify(Object.assign({}, token))).not.toContain('secret');
    expect(Object.values(token)).not.toContain(CREDENTIAL);
    expect(Object.getOwnPropertyNames(token)).not.toContain('token');
  });
});
