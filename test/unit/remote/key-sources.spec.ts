import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeySet } from '../../../src/keys/key-set.js';
import type { ResolvedKeys } from '../../../src/options/resolve-keys.js';
import { KeySourceRegistry } from '../../../src/remote/key-source-registry.js';
import { LocalIssuer, newKey } from '../../support/local-issuer.js';

const key = newKey('p-256');
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
let sources: KeySourceRegistry;

beforeEach(async () => {
  issuer = await LocalIssuer.start([key]);
  now = 1_000_000;
  sources = new KeySourceRegistry({
    fetch: undefined,
    clock: () => now,
    insecureAllowHttp: false,
    keyStore: undefined,
    onProblem: () => undefined,
  });
});

afterEach(async () => {
  await sources.close();
  await issuer.stop();
});

const discovery = (uri?: string): ResolvedKeys => ({ from: 'discovery', uri, jwksOrigins: undefined, ...POLICY });
const jwks = (uri: string): ResolvedKeys => ({ from: 'jwks', uri, ...POLICY });

async function has(keys: ResolvedKeys): Promise<boolean> {
  const source = sources.create(issuer.url, keys, 'resolved');
  return (await source.keySetFor(key.kid)).hasKid(key.kid);
}

describe('A key source', () => {
  it('finds the keys by discovery', async () => {
    expect(await has(discovery())).toBe(true);
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  it('finds the keys by metadata that live elsewhere', async () => {
    issuer.json('/metadata', () => ({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` }));
    expect(await has(discovery(`${issuer.url}/metadata`))).toBe(true);
    expect(issuer.requests).toEqual(['/metadata', '/jwks']);
  });

  it('takes the keys from a known address, and reads no metadata', async () => {
    expect(await has(jwks(`${issuer.url}/jwks`))).toBe(true);
    expect(issuer.requests).toEqual(['/jwks']);
  });

  it('takes static keys from nowhere', async () => {
    expect(await has({ from: 'static', keySet: new KeySet([key.jwk]) })).toBe(true);
    expect(issuer.requests).toEqual([]);
  });

  it('is not asked for anything when it is made', () => {
    sources.create(issuer.url, discovery(), 'listed');
    expect(issuer.requests).toEqual([]);
  });
});

describe('The health of the keys', () => {
  it('is told of listed issuers, and of tenants until they are released', async () => {
    sources.create('https://static.example.com', { from: 'static', keySet: new KeySet([key.jwk]) }, 'listed');
    sources.create('https://tenant.example.com', { from: 'static', keySet: new KeySet([key.jwk]) }, 'resolved');
    sources.create(issuer.url, jwks(`${issuer.url}/jwks`), 'listed');
    const tenant = sources.create('https://gone.example.com', jwks(`${issuer.url}/jwks`), 'resolved');
    await sources.warmUp();
    const states = () => sources.health().map(({ issuer: name, state, source }) => [name, state, source]);
    expect(states()).toStrictEqual([
      ['https://static.example.com', 'fresh', 'static'],
      [issuer.url, 'fresh', 'issuer'],
      // Tenants are asked for their keys with their first token.
      ['https://gone.example.com', 'unavailable', undefined],
    ]);
    sources.release(tenant);
    expect(states()).toHaveLength(2);
  });
});

describe('A tenant that was released', () => {
  it('has its issuer asked once in a cool-down, however often a token names it', async () => {
    const keys = jwks(`${issuer.url}/jwks`);
    const fetched = sources.create(issuer.url, keys, 'resolved');
    await fetched.keySetFor(key.kid);
    sources.release(fetched);
    for (let turn = 0; turn < 5; turn += 1) {
      const again = sources.create(issuer.url, keys, 'resolved');
      await expect(Promise.resolve(again.keySetFor(key.kid))).rejects.toMatchObject({ code: 'KEYS_UNAVAILABLE' });
      sources.release(again);
      // Nothing was asked by it, so that the pause is that of the first one.
    }
    expect(issuer.countOf('/jwks')).toBe(1);
    now += 30_000;
    expect((await sources.create(issuer.url, keys, 'resolved').keySetFor(key.kid)).hasKid(key.kid)).toBe(true);
  });
});

describe('Timers', () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

  it('that wake up for the next fetch keep no process alive', async () => {
    const before = timers();
    const listed = sources.create(issuer.url, jwks(`${issuer.url}/jwks`), 'listed');
    await listed.keySetFor(key.kid);
    // An unref'd timer is no active resource: nothing that a process would wait for.
    expect(timers()).toBe(before);
  });
});
