import { describe, expect, it } from '@jest/globals';
import { EACH_ITEM } from '../../../src/options/claim-paths.js';
import type { ResolvedClaimPaths, ResolvedIssuer } from '../../../src/options/resolve-issuer.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { pathsOf } from '../../support/catching.js';

function resolve(claimPaths: object): ResolvedClaimPaths {
  const options = { issuer: 'https://issuer.example.com/', audience: 'https://api.example.com', claimPaths };
  const [issuer] = resolveOptions(options).issuers as readonly [ResolvedIssuer];
  return issuer.claimPaths;
}

const readTenants = () => ['a'];

describe('The option claimPaths', () => {
  it.each<[unknown, unknown]>([
    ['roles', ['roles']],
    ['realm_access.roles', ['realm_access', 'roles']],
    ['cognito:groups', ['cognito:groups']],
    ['https://example.com/roles', ['https://example.com/roles']],
    ['https://example.com/app["roles"]', ['https://example.com/app', 'roles']],
    ['resource_access["my.client"].roles', ['resource_access', 'my.client', 'roles']],
    ["resource_access['my.client'].roles", ['resource_access', 'my.client', 'roles']],
    ['["https://example.com/app"].roles', ['https://example.com/app', 'roles']],
    ['a["b"]["c.d"]', ['a', 'b', 'c.d']],
    [['https://example.com/roles'], ['https://example.com/roles']],
    [
      ['resource_access', 'my.client', 'roles'],
      ['resource_access', 'my.client', 'roles'],
    ],
    [{ keysOf: 'urn:zitadel:iam:org:project:roles' }, { keysOf: ['urn:zitadel:iam:org:project:roles'] }],
    [{ keysOf: ['a', 'b.c'] }, { keysOf: ['a', 'b.c'] }],
    ['roles[]', ['roles', EACH_ITEM]],
    ['roles[].name', ['roles', EACH_ITEM, 'name']],
    ['a[]["b.c"][]', ['a', EACH_ITEM, 'b.c', EACH_ITEM]],
    [{ keysOf: 'a[].b' }, { keysOf: ['a', EACH_ITEM, 'b'] }],
    [
      { path: 'a.b', split: ',' },
      { path: ['a', 'b'], split: ',' },
    ],
    [readTenants, readTenants],
  ])('reads %j as the names %j', (path, names) => {
    for (const kind of ['scopes', 'roles', 'permissions'] as const)
      expect(resolve({ [kind]: [path] })[kind]).toEqual([names]);
  });

  it('replaces the default of the list that is set, and of no other', () => {
    expect(resolve({ roles: ['groups', 'realm_access.roles'] })).toEqual({
      scopes: [['scope'], ['scp']],
      roles: [['groups'], ['realm_access', 'roles']],
      permissions: [['permissions']],
    });
  });

  it('may be empty lists, which grant nothing', () => {
    const empty = { scopes: [], roles: [], permissions: [] };
    expect(resolve(empty)).toEqual(empty);
  });

  it.each([null, 'roles', '', 0, true, {}, new Set(['roles'])])('must be lists, not %p', (list) => {
    for (const kind of ['scopes', 'roles', 'permissions']) {
      expect(pathsOf(() => resolve({ [kind]: list }))).toEqual([`claimPaths.${kind}`]);
    }
  });

  const INVALID = `. a. .a a..b a[b] a["b a["b" a["b'] a[""] a["b"]c a.["b"] a"b" []`;

  it.each<[unknown]>([
    [''],
    ...INVALID.split(' ').map((path): [unknown] => [path]),
    ...[null, undefined, 1, true, {}, [], [''], ['a', ''], ['a', 1]].map((path): [unknown] => [path]),
    ...['', [], { keysOf: 'a' }].map((keysOf): [unknown] => [{ keysOf }]),
    [{ keysOf: 'a', of: 'b' }],
    ...['[].a', 'a[]b', 'a[].', 'a[b]', 'a[[]]'].map((path): [unknown] => [path]),
    ...[
      { path: 'a' },
      { path: 'a', split: '' },
      { path: 'a', split: /,/ },
      { path: '', split: ',' },
      { split: ',' },
    ].map((path): [unknown] => [path]),
    [{ path: 'a', split: ',', keysOf: 'a' }],
  ])('must not contain %j, which would grant nothing', (path) => {
    for (const kind of ['scopes', 'roles', 'permissions'])
      expect(pathsOf(() => resolve({ [kind]: ['good', path] }))).toEqual([`claimPaths.${kind}[1]`]);
  });

  it.each(['scope', 'role', 'Roles', 'groups'])('must not have the unknown name %s', (name) => {
    expect(pathsOf(() => resolve({ [name]: ['a'] }))).toEqual([`claimPaths.${name}`]);
  });
});
