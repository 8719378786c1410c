import { describe, expect, it } from '@jest/globals';
import { KeySet } from '../../../src/keys/key-set.js';
import type { KeySource } from '../../../src/keys/key-source.js';
import { AuthError } from '../../../src/model/errors.js';
import type { IssuerOptions, IssuerResolver, ResourceServerOptions } from '../../../src/options/options.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { TrustedIssuers } from '../../../src/token/trusted-issuers.js';
import { outcomeOf } from '../../support/verifier.js';

const ISSUER = 'https://issuer.example.com/';
const OTHER = 'https://other.example.com/';
const AUDIENCE = 'api';

/** The issuers of these options, and every key source that was created or released for them. */
function trusting(options: ResourceServerOptions) {
  const created: { readonly issuer: string; readonly source: KeySource }[] = [];
  const released: KeySource[] = [];
  const trusted = new TrustedIssuers(resolveOptions(options).issuers, {
    create: (issuer) => {
      const source: KeySource = { keySetFor: () => new KeySet([]), current: () => undefined };
      created.push({ issuer, source });
      return source;
    },
    release: (source) => released.push(source),
  });
  return { trusted, created, released };
}

const outcomeFor = (trusted: TrustedIssuers, issuer: string) => outcomeOf((async () => trusted.of({ iss: issuer }))());
const resolvedBy = (issuers: IssuerResolver) => trusting({ issuers });
const optionsFor = (issuer: string): IssuerOptions => ({ issuer, audience: AUDIENCE });

describe('A list of issuers', () => {
  const { trusted, created } = trusting({ issuers: [optionsFor(ISSUER), { ...optionsFor(OTHER), audience: 'other' }] });

  it('has one key source for each, and returns the issuer of exactly that name synchronously', () => {
    expect(created.map(({ issuer }) => issuer)).toEqual([ISSUER, OTHER]);
    expect(trusted.of({ iss: ISSUER })).toMatchObject({ audience: [AUDIENCE], keySource: created[0]?.source });
    expect(trusted.of({ iss: OTHER })).toMatchObject({ audience: ['other'], keySource: created[1]?.source });
  });

  it.each([ISSUER.slice(0, -1), `${ISSUER} `, ISSUER.toUpperCase(), `${ISSUER}?`, '', '__proto__', 'constructor'])(
    'rejects any other name: %j (ISSUER_UNTRUSTED)',
    async (name) => {
      expect(await outcomeFor(trusted, name)).toBe('ISSUER_UNTRUSTED');
    },
  );
});

describe('An `issuers` function', () => {
  it.each([undefined, null, false] as const)('that returns %p trusts no issuer (ISSUER_UNTRUSTED)', async (answer) => {
    for (const issuers of [() => answer, () => Promise.resolve(answer)]) {
      const { trusted, created } = resolvedBy(issuers);
      expect(await outcomeFor(trusted, ISSUER)).toBe('ISSUER_UNTRUSTED');
      expect(created).toEqual([]);
    }
  });

  it.each([new Error('the tenants cannot be read'), new AuthError('POLICY_DENIED')])(
    'that rejects has its error rethrown: %p',
    async (error) => {
      await expect(resolvedBy(() => Promise.reject(error)).trusted.of({ iss: ISSUER })).rejects.toBe(error);
    },
  );

  it('is not called for names of more than 2048 characters (ISSUER_UNTRUSTED)', async () => {
    const called: string[] = [];
    const { trusted } = resolvedBy((issuer) => {
      called.push(issuer);
      return undefined;
    });
    const longest = 'x'.repeat(2_048);
    for (const name of [longest, `${longest}x`]) expect(await outcomeFor(trusted, name)).toBe('ISSUER_UNTRUSTED');
    expect(called).toEqual([longest]);
  });
});

describe('The key source of a tenant', () => {
  const sourceOf = async (trusted: TrustedIssuers, issuer: string) => (await trusted.of({ iss: issuer })).keySource;

  it('is kept if the function returns new options, whose changes apply immediately', async () => {
    let audience = 'first';
    const { trusted, created } = resolvedBy((issuer) => ({ issuer, audience }));
    const first = await sourceOf(trusted, ISSUER);
    audience = 'second';
    await expect(trusted.of({ iss: ISSUER })).resolves.toMatchObject({ audience: ['second'], keySource: first });
    expect(created).toHaveLength(1);
  });

  it.each<IssuerOptions['keys']>([
    undefined,
    { from: 'jwks', uri: 'https://keys.example.com/jwks' },
    { from: 'discovery', uri: 'https://keys.example.com/metadata' },
  ])('is not shared between tenants, even with the same keys option: %j', async (keys) => {
    const { trusted, created } = resolvedBy((issuer) => ({ ...optionsFor(issuer), keys }));
    const [one, other] = [await sourceOf(trusted, ISSUER), await sourceOf(trusted, OTHER)];
    expect(created).toEqual([
      { issuer: ISSUER, source: one },
      { issuer: OTHER, source: other },
    ]);
    expect(one).not.toBe(other);
  });

  it.each<[IssuerOptions['keys'], IssuerOptions['keys']]>([
    [
      { from: 'jwks', uri: `${ISSUER}a` },
      { from: 'jwks', uri: `${ISSUER}b` },
    ],
    [
      { from: 'discovery', uri: ISSUER },
      { from: 'jwks', uri: ISSUER },
    ],
    [{ from: 'discovery' }, { from: 'discovery', refreshSeconds: 60 }],
  ])('is replaced when its keys option changes from %j to %j', async (before, after) => {
    let keys = before;
    const { trusted } = resolvedBy((issuer) => ({ ...optionsFor(issuer), keys }));
    const first = await sourceOf(trusted, ISSUER);
    keys = after;
    expect(await sourceOf(trusted, ISSUER)).not.toBe(first);
  });

  /** Sends a token of this tenant that is valid or not. */
  const senderTo = (trusted: TrustedIssuers) => async (tenant: string, isValid: boolean) => {
    const issuer = await trusted.of({ iss: `https://${tenant}.example.com/` });
    if (isValid) issuer.onVerified?.();
  };

  it('is kept for the thousand tenants that sent a valid token last', async () => {
    const { trusted, created, released } = resolvedBy(optionsFor);
    const send = senderTo(trusted);
    for (let tenant = 0; tenant < 1_000; tenant += 1) await send(`tenant-${String(tenant)}`, true);
    await send('tenant-0', true);
    expect([created.length, released.length]).toEqual([1_000, 0]);
    await send('tenant-1000', true);
    expect([created.length, released]).toEqual([1_001, [created[1]?.source]]);
    for (const tenant of ['tenant-0', 'tenant-2', 'tenant-1000']) await send(tenant, true);
    expect(created).toHaveLength(1_001);
    await send('tenant-1', true);
    expect(created).toHaveLength(1_002);
  });

  it('is not evicted by invalid tokens, whatever tenants they name', async () => {
    const { trusted, created, released } = resolvedBy(optionsFor);
    const send = senderTo(trusted);
    await send('good', true);
    for (let index = 0; index < 5_000; index += 1) await send(`junk-${String(index)}`, false);
    await send('good', true);
    expect(created.filter(({ issuer }) => issuer === 'https://good.example.com/')).toHaveLength(1);
    expect(released).toHaveLength(5_000 - 100);
    expect(released).not.toContain(created[0]?.source);
  });
});
