import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AuthModule, type AuthOptions, ConfigurationError, type IssuerOptions } from '../../src/index.js';
import { bearer, call, closeApps, PLATFORMS, type Platform, startApp } from '../support/app.js';
import { fault, FaultyIssuer } from '../support/faulty-issuer.js';
import { until } from '../support/until.js';
import { LocalIssuer, newKey, type TestKey, AUDIENCE } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';
import { outcomeOf, verifierOf } from '../support/verifier.js';

const keyA = newKey();
const keyB = newKey();
let a: LocalIssuer;
let b: LocalIssuer;

beforeEach(async () => {
  [a, b] = await Promise.all([LocalIssuer.start([keyA]), LocalIssuer.start([keyB])]);
});

afterEach(async () => {
  await closeApps();
  await Promise.all([a.stop(), b.stop()]);
});

async function start(platform: Platform, options: AuthOptions): Promise<(token: string) => Promise<string>> {
  const { url } = await startApp(platform, {
    imports: [AuthModule.forRoot(options)],
    controllers: [OrdersController],
  });
  return async (token) => {
    const { status, body } = await call(`${url}/orders`, bearer(token));
    return status === 200 ? 'accepted' : String(body.code);
  };
}

describe.each(PLATFORMS)('Several issuers on %s', (platform) => {
  it('verify a token with the keys of the issuer that it names only', async () => {
    const send = await start(platform, {
      issuers: [
        { issuer: a.url, audience: AUDIENCE },
        { issuer: b.url, audience: AUDIENCE },
      ],
    });
    expect(await send(a.token(keyA, 'RS256'))).toBe('accepted');
    expect(await send(b.token(keyB, 'RS256'))).toBe('accepted');
    // B signs in the name of A, with its own `kid` and with that of A.
    expect(await send(a.token(keyB, 'RS256'))).toBe('KEY_UNKNOWN');
    expect(await send(a.token({ ...keyB, kid: keyA.kid }, 'RS256'))).toBe('SIGNATURE_INVALID');
  });

  it('check a token against the audience, algorithms and types of the issuer that it names only', async () => {
    const send = await start(platform, {
      issuers: [
        { issuer: a.url, audience: 'https://a.example.com', algorithms: ['PS256'] },
        { issuer: b.url, audience: 'https://b.example.com', tokenTypes: ['at+jwt'] },
      ],
    });
    expect(await send(a.token(keyA, 'PS256', { aud: 'https://a.example.com' }))).toBe('accepted');
    expect(await send(a.token(keyA, 'PS256', { aud: 'https://b.example.com' }))).toBe('AUDIENCE_MISMATCH');
    expect(await send(a.token(keyA, 'RS256', { aud: 'https://a.example.com' }))).toBe('ALGORITHM_NOT_ALLOWED');
    expect(await send(a.token(keyA, 'PS256', { aud: 'https://a.example.com' }, { typ: 'JWT' }))).toBe('accepted');
    expect(await send(b.token(keyB, 'RS256', { aud: 'https://b.example.com' }))).toBe('accepted');
    expect(await send(b.token(keyB, 'RS256', { aud: 'https://a.example.com' }))).toBe('AUDIENCE_MISMATCH');
    expect(await send(b.token(keyB, 'RS256', { aud: 'https://b.example.com' }, { typ: 'JWT' }))).toBe(
      'TYPE_NOT_ALLOWED',
    );
  });

  it('cause no fetch for a token of an untrusted issuer (ISSUER_UNTRUSTED)', async () => {
    const send = await start(platform, { issuer: a.url, audience: AUDIENCE });
    expect(await send(b.token(keyB, 'RS256'))).toBe('ISSUER_UNTRUSTED');
    expect(await send(b.token(keyB, 'RS256', { iss: `${a.url}@${new URL(b.url).host}` }))).toBe('ISSUER_UNTRUSTED');
    expect([...a.requests, ...b.requests]).toEqual([]);
  });

  it('cause no fetch for a token that is rejected without keys', async () => {
    const send = await start(platform, { issuer: a.url, audience: AUDIENCE, algorithms: ['RS256'] });
    expect(await send(a.token(keyA, 'RS256', { exp: 1 }))).toBe('TOKEN_EXPIRED');
    expect(await send(a.token(keyA, 'PS256'))).toBe('ALGORITHM_NOT_ALLOWED');
    expect(await send(a.token(keyA, 'RS256', {}, { typ: 'logout+jwt' }))).toBe('TYPE_NOT_ALLOWED');
    expect(await send(a.token(keyA, 'RS256', {}, { crit: ['x'] }))).toBe('HEADER_CRITICAL');
    expect(a.requests).toEqual([]);
  });

  it('can be added and removed by an `issuers` function while the application runs', async () => {
    const tenants = new Map<string, IssuerOptions>();
    const asked: string[] = [];
    const send = await start(platform, {
      issuers: (issuer) => {
        asked.push(issuer);
        return Promise.resolve(tenants.get(issuer));
      },
      tokenTypes: ['at+jwt'],
    });
    const token = a.token(keyA, 'RS256');
    expect(await send(token)).toBe('ISSUER_UNTRUSTED');
    expect(a.requests).toEqual([]);
    tenants.set(a.url, { issuer: a.url, audience: AUDIENCE });
    expect(await send(token)).toBe('accepted');
    // Defaults beside `issuers` apply to every tenant.
    expect(await send(a.token(keyA, 'RS256', {}, { typ: 'JWT' }))).toBe('TYPE_NOT_ALLOWED');
    tenants.delete(a.url);
    expect(await send(token)).toBe('ISSUER_UNTRUSTED');
    expect(new Set(asked)).toEqual(new Set([a.url]));
    // The keys are still cached.
    tenants.set(a.url, { issuer: a.url, audience: AUDIENCE });
    expect(await send(token)).toBe('accepted');
    expect(a.countOf('/jwks')).toBe(1);
  });
});

describe.each(PLATFORMS)('Tokens of many tenants whose issuers never answer, on %s,', (platform) => {
  it('open 16 connections, and are otherwise rejected at once (503 with Retry-After: 1)', async () => {
    const slow = await FaultyIssuer.start();
    const names = Array.from({ length: 100 }, (_value, index) => `${slow.url}/tenant-${String(index)}`);
    slow.fail(fault('never answers'), ...names.map((name) => `${new URL(name).pathname}/jwks`));
    const { url, close } = await startApp(platform, {
      imports: [
        AuthModule.forRoot({
          issuers: (issuer) => ({ issuer, audience: AUDIENCE, keys: { from: 'jwks', uri: `${issuer}/jwks` } }),
        }),
      ],
      controllers: [OrdersController],
    });
    const waiting: Promise<unknown>[] = [];
    for (const iss of names.slice(0, 16))
      waiting.push(call(`${url}/orders`, bearer(slow.token(keyA, 'RS256', { iss }))));
    await until(() => slow.openExchanges === 16);
    for (const iss of names.slice(16)) {
      const { status, headers, body } = await call(`${url}/orders`, bearer(slow.token(keyA, 'RS256', { iss })));
      expect([status, headers['retry-after'], body.code]).toEqual([503, '1', 'KEYS_UNAVAILABLE']);
    }
    expect(slow.openExchanges).toBe(16);
    await Promise.all([slow.stop(), ...waiting]);
    await close();
  });
});

describe('An `issuers` function', () => {
  it.each(['same', undefined])('replaces the static keys of a tenant, also under the same `kid` %j', async (kid) => {
    const [before, after] = [newKey('ed25519', { kid }), newKey('ed25519', { kid })];
    let { jwk } = before;
    const verifier = verifierOf({
      issuers: (issuer) => ({ issuer, audience: AUDIENCE, keys: { from: 'static', jwks: { keys: [jwk as never] } } }),
    });
    const outcome = (key: TestKey) => outcomeOf(verifier.verify(a.token(key, 'EdDSA')));
    expect(await outcome(before)).toBe('accepted');
    ({ jwk } = after);
    expect([await outcome(before), await outcome(after)]).toEqual(['SIGNATURE_INVALID', 'accepted']);
  });

  it('must return options for the issuer that it was called with (ConfigurationError)', async () => {
    const verifier = verifierOf({ issuers: () => ({ issuer: b.url, audience: AUDIENCE }) });
    await expect(verifier.verify(a.token(keyA, 'RS256'))).rejects.toThrow(ConfigurationError);
    expect([...a.requests, ...b.requests]).toEqual([]);
  });
});
