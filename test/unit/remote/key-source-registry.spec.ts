import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeySet } from '../../../src/keys/key-set.js';
import type { ResolvedKeys } from '../../../src/options/resolve-keys.js';
import { KeySourceRegistry } from '../../../src/remote/key-source-registry.js';
import { LocalIssuer, newKey } from '../../support/local-issuer.js';

const key = newKey('p-256');
const STATIC: ResolvedKeys = { from: 'static', keySet: new KeySet([key.jwk]) };
const POLICY = {
  refreshSeconds: 600,
  maxStaleSeconds: 3_600,
  unknownKidCooldownSeconds: 30,
  timeoutMs: 1_000,
  maxBytes: 65_536,
  fallback: undefined,
};

let issuer: LocalIssuer;
let now: number;
let registry: KeySourceRegistry;
let jwks: ResolvedKeys;

beforeEach(async () => {
  issuer = await LocalIssuer.start([key]);
  jwks = { from: 'jwks', uri: `${issuer.url}/jwks`, ...POLICY };
  now = 1_000_000;
  registry = new KeySourceRegistry({
    fetch: undefined,
    clock: () => now,
    insecureAllowHttp: false,
    keyStore: undefined,
    onProblem: () => {
      throw new Error('the logger fails');
    },
  });
});

afterEach(async () => {
  await registry.close();
  await issuer.stop();
});

describe('KeySourceRegistry', () => {
  it('fetches keys from a configured address without metadata', async () => {
    const keySet = await registry.create(issuer.url, jwks, 'resolved').keySetFor(key.kid);
    expect(keySet.hasKid(key.kid)).toBe(true);
    expect(issuer.requests).toEqual(['/jwks']);
  });

  it('shares the metadata of an issuer with the keys', async () => {
    const keys: ResolvedKeys = { from: 'discovery', uri: undefined, jwksOrigins: undefined, ...POLICY };
    await registry.metadata.get(issuer.url, keys);
    await registry.create(issuer.url, keys, 'configured').keySetFor(key.kid);
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  it('returns the static keys for every kid, and no other keys for a rejected set', () => {
    const source = registry.create(issuer.url, STATIC, 'resolved');
    for (const kid of [key.kid, 'b', '', undefined]) expect(source.keySetFor(kid)).toBe(source.current());
    expect(source.keySetFor('b', source.current())).toBe(source.current());
    expect(issuer.requests).toEqual([]);
  });

  it('reports the health of configured issuers, and of tenants until they are released', async () => {
    registry.create('https://static.example.com', STATIC, 'configured');
    registry.create('https://tenant.example.com', STATIC, 'resolved');
    registry.create(issuer.url, jwks, 'configured');
    const tenant = registry.create('https://gone.example.com', jwks, 'resolved');
    await registry.warmUp();
    const states = () => registry.health().map(({ issuer: name, state, source }) => [name, state, source]);
    expect(states()).toStrictEqual([
      ['https://static.example.com', 'fresh', 'static'],
      [issuer.url, 'fresh', 'issuer'],
      // The keys of a tenant are fetched for its first token.
      ['https://gone.example.com', 'unavailable', undefined],
    ]);
    registry.release(tenant);
    expect(states()).toHaveLength(2);
  });

  it('fetches the keys of a tenant that is released and created again once in a cooldown', async () => {
    const tenant = registry.create(issuer.url, jwks, 'resolved');
    await tenant.keySetFor(key.kid);
    registry.release(tenant);
    for (let turn = 0; turn < 5; turn += 1) {
      const again = registry.create(issuer.url, jwks, 'resolved');
      await expect(Promise.resolve(again.keySetFor(key.kid))).rejects.toMatchObject({ code: 'KEYS_UNAVAILABLE' });
      registry.release(again);
    }
    expect(issuer.countOf('/jwks')).toBe(1);
    now += 30_000;
    const keySet = await registry.create(issuer.url, jwks, 'resolved').keySetFor(key.kid);
    expect(keySet.hasKid(key.kid)).toBe(true);
  });

  it('warms up without the keys of an unreachable issuer, even if the logger fails', async () => {
    issuer.handlers.clear();
    registry.create(issuer.url, jwks, 'configured');
    await expect(registry.warmUp()).resolves.toBeUndefined();
    expect(registry.health()).toMatchObject([{ state: 'unavailable', failures: 1, lastErrorCode: 'STATUS' }]);
  });
});
