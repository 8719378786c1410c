import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EACH_ITEM, type ResolvedClaimPath } from '../../../src/options/claim-paths.js';
import { authoritiesAt } from '../../../src/token/authorities.js';

describe('authoritiesAt', () => {
  it.each([
    ['a string with spaces', { scope: 'read write' }, ['read', 'write']],
    ['a list', { scope: ['read', 'write'] }, ['read', 'write']],
    ['a list whose strings have spaces', { scope: ['read write', 'delete'] }, ['read', 'write', 'delete']],
    ['duplicates', { scope: 'read read write read' }, ['read', 'write']],
    ['more spaces than needed', { scope: '  read   write ' }, ['read', 'write']],
    ['an empty string', { scope: '' }, []],
    ['a tab, which separates nothing', { scope: 'read\twrite' }, ['read\twrite']],
    ['a list of other things', { scope: [1, null, {}, ['admin'], true, 'read'] }, ['read']],
    ['an object', { scope: { read: true } }, []],
    ['a number', { scope: 1 }, []],
    ['true', { scope: true }, []],
    ['null', { scope: null }, []],
    ['no claim', {}, []],
  ])('reads scopes from %s', (_what, claims, expected) => {
    expect(authoritiesAt(claims, [['scope']], 'at-spaces')).toEqual(expected);
  });

  it.each([
    ['a string, which is one role', { roles: 'order manager' }, ['order manager']],
    ['a list', { roles: ['order manager', 'admin', 'admin', ''] }, ['order manager', 'admin']],
    ['a list of other things', { roles: [1, null, {}, ['admin'], true] }, []],
    ['an object', { roles: { admin: true } }, []],
    ['an object that looks like a list', { roles: { length: 1, 0: 'admin' } }, []],
  ])('reads roles from %s', (_what, claims, expected) => {
    expect(authoritiesAt(claims, [['roles']], 'whole')).toEqual(expected);
  });

  it.each([
    [
      'the names of its members',
      { roles: { admin: { '1': 'acme' }, 'order manager': {} } },
      ['admin', 'order manager'],
    ],
    ['only the granted ones', { roles: { admin: false, user: true, owner: null, guest: 0 } }, ['user', 'guest']],
    ['nothing from a list', { roles: ['admin'] }, []],
    ['nothing from a string', { roles: 'admin' }, []],
    ['nothing without the claim', {}, []],
  ])('reads from the members of an object, with keysOf, %s', (_what, claims, expected) => {
    expect(authoritiesAt(claims, [{ keysOf: ['roles'] }], 'whole')).toEqual(expected);
  });

  it.each<[string, Record<string, unknown>, ResolvedClaimPath, readonly string[]]>([
    [
      'a member of each object',
      { roles: [{ name: 'a' }, { name: 'b', x: 1 }] },
      ['roles', EACH_ITEM, 'name'],
      ['a', 'b'],
    ],
    ['objects without the member', { roles: [{ id: 1 }, null, 'x', ['y']] }, ['roles', EACH_ITEM, 'name'], []],
    ['lists in a list', { roles: [['a'], ['b', 7], 'c'] }, ['roles', EACH_ITEM], ['a', 'b', 'c']],
    ['no list', { roles: { name: 'a' } }, ['roles', EACH_ITEM, 'name'], []],
    ['the members of each object', { roles: [{ a: {} }, { b: {} }] }, { keysOf: ['roles', EACH_ITEM] }, ['a', 'b']],
    ['a text with separators', { roles: ' a, b c,,d ,' }, { path: ['roles'], split: ',' }, ['a', 'b c', 'd']],
    ['a list of such texts', { roles: ['a,b', 'c', 7] }, { path: ['roles'], split: ',' }, ['a', 'b', 'c']],
    ['no text', { roles: { a: 'b' } }, { path: ['roles'], split: ',' }, []],
    ['what a function returns', { x: 'y' }, ({ x }) => [x, 'z', 7], ['y', 'z']],
    ['nothing from a function', {}, () => null, []],
  ])('reads %s', (_what, claims, path, expected) => {
    expect(authoritiesAt(claims, [path], 'whole')).toEqual(expected);
  });

  it('joins the values of all paths, in the order of the paths', () => {
    const claims = { scp: 'write', scope: 'read write', realm_access: { roles: ['a'] } };
    expect(authoritiesAt(claims, [['scope'], ['scp']], 'at-spaces')).toEqual(['read', 'write']);
    expect(authoritiesAt(claims, [['none'], ['realm_access', 'roles'], ['scp']], 'whole')).toEqual(['a', 'write']);
    expect(authoritiesAt(claims, [], 'whole')).toEqual([]);
  });

  it('follows the names of a path, which may contain dots', () => {
    const claims = {
      resource_access: { 'my.client': { roles: ['a'] } },
      'https://example.com/roles': ['b'],
      'a.b': 'c',
    };
    expect(authoritiesAt(claims, [['resource_access', 'my.client', 'roles']], 'whole')).toEqual(['a']);
    expect(authoritiesAt(claims, [['https://example.com/roles']], 'whole')).toEqual(['b']);
    expect(authoritiesAt(claims, [['a.b']], 'whole')).toEqual(['c']);
    expect(authoritiesAt(claims, [['a', 'b']], 'whole')).toEqual([]);
  });

  it.each([
    [['constructor', 'name']],
    [['toString', 'name']],
    [['__proto__', 'constructor', 'name']],
    [['text', 'length']],
    [['text', '0']],
    [['list', 'length']],
    [['list', 'map', 'name']],
    [['nothing', 'a']],
    [['missing', 'a']],
    [['text', 'a', 'b']],
  ])('returns nothing for %j, which leads to no own member of an object', (path) => {
    expect(authoritiesAt({ text: 'admin', list: ['admin'], nothing: null }, [path], 'whole')).toEqual([]);
  });

  it('ignores inherited members', () => {
    const heir = Object.create({ roles: ['admin'], realm: { roles: ['admin'] } }) as Record<string, unknown>;
    expect(authoritiesAt(heir, [['roles'], ['realm', 'roles']], 'whole')).toEqual([]);
    expect(authoritiesAt({ realm: heir }, [['realm', 'roles']], 'whole')).toEqual([]);
  });

  it('can follow the index of a list', () => {
    expect(authoritiesAt({ groups: [{ name: 'a' }] }, [['groups', '0', 'name']], 'whole')).toEqual(['a']);
  });

  it('returns a frozen list', () => {
    expect(Object.isFrozen(authoritiesAt({ roles: ['a'] }, [['roles']], 'whole'))).toBe(true);
    expect(Object.isFrozen(authoritiesAt({}, [], 'whole'))).toBe(true);
  });

  it('returns unique non-empty strings and never throws, whatever the claims are', () => {
    const names = fc.constantFrom('a', 'b', '0', 'length', 'constructor', '__proto__', 'toString');
    const value = fc.jsonValue({ maxDepth: 3 });
    const claims = fc.dictionary(names, fc.oneof(value, fc.dictionary(names, value)));
    fc.assert(
      fc.property(
        claims,
        fc.array(fc.array(names, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
        fc.constantFrom('whole' as const, 'at-spaces' as const),
        (tokenClaims, paths, split) => {
          const authorities = authoritiesAt(tokenClaims, paths, split);
          expect(new Set(authorities).size).toBe(authorities.length);
          const isAuthority = (name: unknown) =>
            typeof name === 'string' && name !== '' && (split === 'whole' || !name.includes(' '));
          expect(authorities.every(isAuthority)).toBe(true);
          for (const name of authorities)
            expect(JSON.stringify(tokenClaims)).toContain(JSON.stringify(name).slice(1, -1));
        },
      ),
    );
  });
});
