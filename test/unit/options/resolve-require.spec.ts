import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { AUTHORITY_KINDS } from '../../../src/model/requirement.js';
import { pathsOf } from '../../support/catching.js';

const BASE = { issuer: 'https://issuer.example.com/', audience: 'https://api.example.com' };
const resolve = (require: unknown) => resolveOptions({ ...BASE, require } as never).require;
const COMMON = { merge: true, reportOnly: false };

class OrderOwner {
  allows() {
    return true;
  }
}

describe('The option require', () => {
  it('requires nothing by default', () => {
    expect(resolve(undefined)).toStrictEqual([]);
  });

  it.each(AUTHORITY_KINDS)('may contain %s', (kind) => {
    expect(resolve({ [kind]: ['a', 'b'] })).toStrictEqual([{ kind, names: ['a', 'b'], ...COMMON }]);
  });

  it('may contain acr with values, maxAgeSeconds or both', () => {
    const acr = (value: unknown) => resolve({ acr: value });
    expect(acr({ values: ['mfa'] })).toStrictEqual([
      { kind: 'acr', values: ['mfa'], maxAgeSeconds: undefined, ...COMMON },
    ]);
    expect(acr({ maxAgeSeconds: 0 })).toStrictEqual([{ kind: 'acr', values: [], maxAgeSeconds: 0, ...COMMON }]);
    expect(acr({ values: ['mfa'], maxAgeSeconds: 60 })).toMatchObject([{ values: ['mfa'], maxAgeSeconds: 60 }]);
  });

  it('may contain a policy', () => {
    expect(resolve({ policy: OrderOwner })).toStrictEqual([{ kind: 'policy', policy: OrderOwner, ...COMMON }]);
  });

  it('may contain several requirements, and reportOnly for all of them', () => {
    const all = resolve({
      policy: OrderOwner,
      acr: { maxAgeSeconds: 60 },
      scopes: ['api'],
      anyRole: ['a', 'b'],
      reportOnly: true,
    });
    expect(all.map(({ kind, merge, reportOnly }) => [kind, merge, reportOnly])).toEqual(
      ['scopes', 'anyRole', 'acr', 'policy'].map((kind) => [kind, true, true]),
    );
    expect(resolve({ scopes: ['api'], reportOnly: false })[0]?.reportOnly).toBe(false);
  });

  it('ignores requirements that are undefined', () => {
    const unset = { roles: undefined, acr: undefined, policy: undefined, reportOnly: undefined };
    expect(resolve({ scopes: ['api'], ...unset })).toStrictEqual(resolve({ scopes: ['api'] }));
  });

  it('is frozen', () => {
    const all = resolve({ scopes: ['api'] });
    expect([all, all[0]].every((part) => Object.isFrozen(part))).toBe(true);
  });

  it.each([
    [null, ['require']],
    ['api', ['require']],
    [['api'], ['require']],
    [{}, ['require']],
    [{ reportOnly: true }, ['require']],
    [{ scopes: undefined }, ['require']],
    [{ scopes: [] }, ['require.scopes']],
    [{ scopes: 'api' }, ['require.scopes']],
    [{ scopes: ['a b'] }, ['require.scopes']],
    [{ roles: ['a', 7] }, ['require.roles[1]']],
    [{ scope: ['api'], roles: ['a'] }, ['require.scope']],
    [{ roles: ['a'], merge: true }, ['require.merge']],
    [{ roles: ['a'], reportOnly: 'false' }, ['require.reportOnly']],
    [{ acr: ['mfa'] }, ['require.acr']],
    [{ acr: {} }, ['require.acr']],
    [{ acr: { values: [] } }, ['require.acr']],
    [{ acr: { values: 'mfa' } }, ['require.acr.values']],
    [{ acr: { values: ['a b'] } }, ['require.acr.values']],
    [{ acr: { values: ['mfa'], maxAge: 60 } }, ['require.acr.maxAge']],
    [{ acr: { maxAgeSeconds: '60' } }, ['require.acr.maxAgeSeconds']],
    [{ acr: { maxAgeSeconds: -1 } }, ['require.acr.maxAgeSeconds']],
    [{ roles: ['a'], policy: null }, ['require.policy']],
    [{ roles: ['a'], policy: 'OrderOwner' }, ['require.policy']],
    [{ roles: ['a'], policy: new OrderOwner() }, ['require.policy']],
  ])('must not be %j', (require, paths) => {
    expect(pathsOf(() => resolve(require))).toEqual(paths);
  });
});
