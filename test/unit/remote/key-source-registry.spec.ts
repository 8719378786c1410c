import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeySet } from '../../../src/keys/key-set.js';
import type { KeySource } from '../../../src/keys/key-source.js';
import type { KeyStore, StoredKeys } from '../../../src/keys/key-store.js';
import type { ResolvedKeys } from '../../../src/options/resolve-keys.js';
import { KeySourceRegistry } from '../../../src/remote/key-source-registry.js';
import { until } from '../../support/until.js';
import { LocalIssuer, newKey } from '../../support/local-issuer.js';
import { outcomeOf } from '../../support/verifier.js';

const key = newKey('p-256');
const STATIC: ResolvedKeys = { from: 'static', keySet: new KeySet([key.jwk]) };
const POLICY = {
  refreshSeconds: 600,
  maxStaleSeconds: 3_600,
  unknownKidCooldownSeconds: 30,
  timeoutMs: 1_000,
  maxBytes: 65_536,
  fallback: undefined,
  headers: undefined,
};

let issuer: LocalIssuer;
let now: number;
let registry: KeySourceRegistry;
let jwks: ResolvedKeys;

beforeEach(async () => {
  issuer = await LocalIssuer.start([key]);
  jwks = { from: 'jwks', uris: [`${issuer.url}/jwks`], ...POLICY };
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
    const keys = { from: 'discovery', uri: undefined, jwksOrigins: undefined, ...POLICY } as const;
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

  it('fetches the keys of a tenant that is released and created again once in a cooldown, unless the clock was set back', async () => {
    const tenant = registry.create(issuer.url, jwks, 'resolved');
    await tenant.keySetFor(key.kid);
    registry.release(tenant);
    for (let turn = 0; turn < 5; turn += 1) {
      const again = registry.create(issuer.url, jwks, 'resolved');
      await expect(Promise.resolve(again.keySetFor(key.kid))).rejects.toMatchObject({ code: 'KEYS_UNAVAILABLE' });
      registry.release(again);
    }
    expect(issuer.countOf('/jwks')).toBe(1);
    now -= 86_400_000;
    await registry.create(issuer.url, jwks, 'resolved').keySetFor(key.kid);
    expect(issuer.countOf('/jwks')).toBe(2);
    now += 86_430_000;
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

describe('The keys in a store', () => {
  const SECRET = 's3cret-code';
  let stored: StoredKeys | undefined;

  /** Runs a process with these keys, and returns the health of its keys. */
  const runWith = async (keys: object, isReachable: boolean) => {
    const processes = new KeySourceRegistry({
      fetch: (address) => {
        const body = /meta|openid/.test(address as string)
          ? { issuer: issuer.url, jwks_uri: 'https://keys.example.com/jwks' }
          : { keys: [key.jwk] };
        return Promise.resolve(isReachable ? Response.json(body) : new Response(null, { status: 500 }));
      },
      clock: () => now,
      insecureAllowHttp: false,
      keyStore: {
        load: () => Promise.resolve(stored),
        save: (_issuer, saved) => {
          stored = saved;
          return Promise.resolve();
        },
      },
      onProblem: () => undefined,
    });
    processes.create(issuer.url, { ...POLICY, ...keys } as ResolvedKeys, 'configured');
    await processes.warmUp();
    await processes.close();
    return processes.health()[0]?.source;
  };

  it.each([
    ['jwks', 'uris', (address: string) => [address]],
    ['discovery', 'uri', (address: string) => address],
  ] as const)(
    'have an origin without the query of `uri`, which may contain a credential, but belong to this query only: %s',
    async (from, name, valueOf) => {
      const address = `https://keys.example.com/${from === 'jwks' ? 'jwks' : 'meta'}?code=${SECRET}`;
      const keys = { from, [name]: valueOf(address) };
      stored = undefined;
      expect(await runWith(keys, true)).toBe('issuer');
      expect(stored).toMatchObject({
        origin: expect.stringMatching(new RegExp(`^${from} https://keys.example.com/`)),
      });
      expect(JSON.stringify(stored)).not.toContain(SECRET);
      expect(await runWith(keys, false)).toBe('store');
      expect(await runWith({ from, [name]: valueOf(`${address}2`) }, false)).toBeUndefined();
    },
  );

  it('keep the origin of an address without a query', async () => {
    await runWith({ from: 'jwks', uris: ['https://keys.example.com/jwks'] }, true);
    expect(stored?.origin).toBe('jwks https://keys.example.com/jwks');
    await runWith({ from: 'discovery' }, true);
    expect(stored?.origin).toBe(`discovery ${issuer.url}`);
  });
});

describe('The fetches for tenants', () => {
  let open: { readonly answer: (body: unknown) => void }[];

  const waitingRegistry = (keyStore?: KeyStore) =>
    new KeySourceRegistry({
      fetch: () =>
        new Promise((resolve) => {
          open.push({ answer: (body) => resolve(Response.json(body)) });
        }),
      clock: () => now,
      insecureAllowHttp: false,
      keyStore,
      onProblem: () => undefined,
    });

  beforeEach(() => {
    open = [];
    registry = waitingRegistry();
  });

  const addressOf = (name: string) => `https://${name}.example.com/jwks`;
  const tenant = (name: string, kind: 'configured' | 'resolved' = 'resolved') =>
    registry.create(`https://${name}.example.com`, { ...jwks, uris: [addressOf(name)] } as ResolvedKeys, kind);
  const outcomeFor = (source: KeySource, kid: string | undefined = key.kid) =>
    outcomeOf((async () => source.keySetFor(kid))());
  const answerAll = (body: unknown) => open.splice(0).forEach(({ answer }) => answer(body));
  const hanging = async (count: number) => {
    const waiting = Array.from({ length: count }, (_value, index) => outcomeFor(tenant(`slow-${String(index)}`)));
    await until(() => open.length === count);
    return waiting;
  };

  it('are 16 at a time while no keys are known: further tokens are rejected at once, to be sent again in a second', async () => {
    const waiting = await hanging(16);
    const next = tenant('next');
    for (let turn = 0; turn < 50; turn += 1) {
      const refused = expect((async () => next.keySetFor(key.kid))()).rejects;
      await refused.toMatchObject({ code: 'KEYS_UNAVAILABLE', retryAfterSeconds: 1, detail: { reason: 'BUSY' } });
      expect(await outcomeFor(tenant(`more-${String(turn)}`))).toBe('KEYS_UNAVAILABLE');
    }
    expect(open).toHaveLength(16);
    // It was not requested, so that it has not failed.
    expect(registry.health()[16]).toMatchObject({ issuer: 'https://next.example.com', failures: 0 });
    answerAll({ keys: [key.jwk] });
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['accepted']));
    const served = outcomeFor(next);
    await until(() => open.length === 1);
    answerAll({ keys: [key.jwk] });
    expect(await served).toBe('accepted');
  });

  it('and the loads of their stored keys are limited as well: 64 at a time', async () => {
    const answers: (() => void)[] = [];
    const keyStore: KeyStore = {
      load: () => new Promise((resolve) => answers.push(() => resolve(undefined))),
      save: () => Promise.resolve(),
    };
    registry = waitingRegistry(keyStore);
    const waiting = Array.from({ length: 64 }, (_value, index) => outcomeFor(tenant(`stored-${String(index)}`)));
    await until(() => answers.length === 64);
    expect(await outcomeFor(tenant('next'))).toBe('KEYS_UNAVAILABLE');
    expect(answers).toHaveLength(64);
    void outcomeFor(tenant('configured', 'configured'));
    await until(() => answers.length === 65);
    for (const answer of answers) answer();
    await until(() => open.length > 16);
    answerAll({ keys: [key.jwk] });
    await Promise.all(waiting);
    const served = outcomeFor(tenant('next'));
    await until(() => answers.length === 66);
    answers.pop()?.();
    await until(() => open.length === 1);
    answerAll({ keys: [key.jwk] });
    expect(await served).toBe('accepted');
  });

  it('end for a fetch that fails as well', async () => {
    const waiting = await hanging(16);
    answerAll({});
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['KEYS_UNAVAILABLE']));
    const served = outcomeFor(tenant('next'));
    await until(() => open.length === 1);
    answerAll({ keys: [key.jwk] });
    expect(await served).toBe('accepted');
  });

  it('delay neither a configured issuer nor a tenant whose keys are known', async () => {
    const known = tenant('known');
    const first = outcomeFor(known);
    await until(() => open.length === 1);
    answerAll({ keys: [key.jwk] });
    expect(await first).toBe('accepted');
    void hanging(16);
    await until(() => open.length === 16);
    for (const [source, kid] of [
      [tenant('configured', 'configured'), key.kid],
      [known, 'rotated'],
    ] as const) {
      const served = outcomeFor(source, kid);
      await until(() => open.length === 17);
      open.pop()?.answer({ keys: [{ ...key.jwk, kid }] });
      expect(await served).toBe('accepted');
    }
  });

  it('are 64 at a time for tenants with known keys: these keys are still used, and unknown kids rejected at once', async () => {
    const last = tenant('last');
    const tenants = Array.from({ length: 64 }, (_value, index) => tenant(`tenant-${String(index)}`));
    for (const source of [last, ...tenants]) {
      const first = outcomeFor(source);
      await until(() => open.length === 1);
      answerAll({ keys: [key.jwk] });
      await first;
    }
    const searches = tenants.map((source) => outcomeFor(source, 'rotated'));
    await until(() => open.length === 64);
    expect(await outcomeFor(last, 'rotated')).toBe('KEYS_UNAVAILABLE');
    now += 570_000;
    expect(last.keySetFor(key.kid)).toBe(last.current());
    // Keys of a tenant without traffic may have been withdrawn.
    now += 700_000;
    expect(await outcomeFor(last)).toBe('KEYS_UNAVAILABLE');
    expect(open).toHaveLength(64);
    answerAll({ keys: [key.jwk, { ...key.jwk, kid: 'rotated' }] });
    expect(new Set(await Promise.all(searches))).toEqual(new Set(['accepted']));
  });
});
