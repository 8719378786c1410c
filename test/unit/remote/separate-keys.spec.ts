import { beforeEach, describe, expect, it } from '@jest/globals';
import { createPublicKey } from 'node:crypto';
import { REMOTE_KEY_DEFAULTS } from '../../../src/options/resolve-keys.js';
import { SeparateKeys } from '../../../src/remote/separate-keys.js';
import { newKey } from '../../support/local-issuer.js';
import { outcomeOf } from '../../support/verifier.js';

const key = newKey('p-256', { kid: 'known' });
const pem = String(createPublicKey({ key: key.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }));
const ok = () => new Response(pem);
const status = (code: number) => () => new Response('problem', { status: code });

let now: number;
let answers: Record<string, () => Response | Promise<Response>>;
let requests: string[];
let problems: string[];
let keys: SeparateKeys;

beforeEach(() => {
  now = 1_000_000;
  answers = { known: ok };
  requests = [];
  problems = [];
  keys = new SeparateKeys({
    ...REMOTE_KEY_DEFAULTS,
    issuer: 'https://issuer.example.com',
    isConfigured: true,
    template: 'https://keys.example.com/{kid}',
    clock: () => now,
    onProblem: (problem) => problems.push(problem),
    fetch: async (address) => {
      const kid = (address as string).split('/').pop() ?? '';
      requests.push(kid);
      return (answers[kid] ?? status(403))();
    },
  });
});

const ask = async (kid: string | undefined) => {
  let found = 'none';
  const outcome = await outcomeOf(
    (async () => {
      found = (await keys.keySetFor(kid)).candidates(kid).length > 0 ? 'found' : 'unknown';
    })(),
  );
  return outcome === 'accepted' ? found : outcome;
};
const pass = (seconds: number) => (now += seconds * 1000);
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('SeparateKeys', () => {
  it('fetches a key once for all tokens that wait for it, and again after refreshSeconds', async () => {
    expect(await Promise.all(['known', 'known', 'known'].map(ask))).toEqual(['found', 'found', 'found']);
    pass(599);
    expect([await ask('known'), requests.length]).toEqual(['found', 1]);
    pass(1);
    expect(await ask('known')).toBe('found');
    await settle();
    expect(requests).toEqual(['known', 'known']);
    expect(keys.health()).toMatchObject({ state: 'fresh', source: 'issuer', ageSeconds: 0, failures: 0 });
  });

  it('keeps two keys apart that are fetched at the same time', async () => {
    answers.other = ok;
    expect(await Promise.all(['known', 'other', 'missing'].map(ask))).toEqual(['found', 'found', 'unknown']);
  });

  it.each([500, 403, 429])('uses a known key while its address answers %d, for maxStaleSeconds', async (code) => {
    await ask('known');
    answers.known = status(code);
    pass(600);
    for (let count = 0; count < 5; count += 1) expect(await ask('known')).toBe('found');
    await settle();
    expect(requests).toHaveLength(2);
    expect(problems).toHaveLength(1);
    expect(keys.health()).toMatchObject({ state: 'stale', lastErrorCode: 'STATUS' });
    pass(86_400);
    expect(await ask('known')).not.toBe('found');
    answers.known = ok;
    pass(31);
    expect(await ask('known')).toBe('found');
  });

  it.each([404, 410])('drops a known key when its address answers %d', async (code) => {
    await ask('known');
    answers.known = status(code);
    pass(600);
    await ask('known');
    await settle();
    expect(await ask('known')).toBe('unknown');
  });

  it('requests an unknown key once in unknownKidCooldownSeconds', async () => {
    for (let count = 0; count < 5; count += 1) expect(await ask('missing')).toBe('unknown');
    expect(requests).toEqual(['missing']);
    pass(30);
    answers.missing = ok;
    expect(await ask('missing')).toBe('found');
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ['500', status(500)],
    ['429', status(429)],
    ['a web page', () => new Response('<html>')],
    ['no answer', () => Promise.reject(new Error('fetch failed'))],
  ])('does not call an unknown key invalid after %s (503), and no known key is affected', async (_what, answer) => {
    await ask('known');
    answers.new = answer;
    for (let count = 0; count < 3; count += 1) expect(await ask('new')).toBe('KEYS_UNAVAILABLE');
    expect(requests).toEqual(['known', 'new']);
    expect(await ask('known')).toBe('found');
    answers.new = ok;
    pass(1);
    expect(await ask('new')).toBe('found');
  });

  it('limits the requests of random key ids, and answers 503 above the limit', async () => {
    await ask('known');
    const outcomes: string[] = [];
    for (let count = 0; count < 50; count += 1) outcomes.push(await ask(`random-${String(count)}`));
    expect(requests.length).toBeLessThanOrEqual(21);
    expect(outcomes.at(-1)).toBe('KEYS_UNAVAILABLE');
    expect(await ask('known')).toBe('found');
    answers.new = ok;
    pass(1);
    expect(await ask('new')).toBe('found');
  });

  it.each(['../secrets', 'a/b', 'a?b', '', 'a'.repeat(129), undefined])(
    'requests nothing for the id %j',
    async (kid) => {
      expect(await ask(kid)).toBe('unknown');
      expect(requests).toEqual([]);
    },
  );
});
