import { describe, expect, it } from '@jest/globals';
import { AuthError } from '../../../src/model/errors.js';
import { KeySet } from '../../../src/keys/key-set.js';
import type { KeySource } from '../../../src/keys/key-source.js';
import type { ResourceServerOptions, IssuerOptions, IssuerResolver } from '../../../src/options/options.js';
import type { ResolvedKeys } from '../../../src/options/resolve-keys.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import type { KeySourceKind } from '../../../src/token/tenant-key-source-cache.js';
import { TrustedIssuers } from '../../../src/token/trusted-issuers.js';
import { refusalOf } from '../../support/catching.js';
import { outcomeOf } from '../../support/verifier.js';

const ISSUER = 'https://issuer.example.com/';
const OTHER = 'https://other.example.com/';
const AUDIENCE = 'api';

interface Made {
  readonly issuer: string;
  readonly keys: ResolvedKeys;
  readonly kind: KeySourceKind;
  readonly source: KeySource;
}

/** The issuers of these options, and every key source that was made for them. None of them has a key. */
function trusting(options: ResourceServerOptions): { trusted: TrustedIssuers; made: Made[]; released: KeySource[] } {
  const made: Made[] = [];
  const released: KeySource[] = [];
  const trusted = new TrustedIssuers(resolveOptions(options).issuers, {
    create: (issuer, keys, kind) => {
      const source: KeySource = { keySetFor: () => new KeySet([]), current: () => undefined };
      made.push({ issuer, keys, kind, source });
      return source;
    },
    release: (source) => released.push(source),
  });
  return { trusted, made, released };
}

const outcomeIn = (trusted: TrustedIssuers, issuer: string) => outcomeOf((async () => trusted.get(issuer))());
const resolvedBy = (issuers: IssuerResolver) => trusting({ issuers });
const anyTenant = (issuer: string): IssuerOptions => ({ issuer, audience: AUDIENCE });

describe('A list of issuers', () => {
  const list = [anyTenant(ISSUER), { ...anyTenant(OTHER), audience: 'other', keys: { from: 'jwks', uri: OTHER } }];
  const { trusted, made } = trusting({ issuers: list as IssuerOptions[] });

  it('has one key source for each, made at start', () => {
    expect(made.map(({ issuer, keys, kind }) => [issuer, keys.from, kind])).toEqual([
      [ISSUER, 'discovery', 'configured'],
      [OTHER, 'jwks', 'configured'],
    ]);
  });

  it('gives the issuer of that name with its own checks and keys, at once', () => {
    expect(trusted.get(ISSUER)).toMatchObject({ issuer: ISSUER, audience: [AUDIENCE], keySource: made[0]?.source });
    expect(trusted.get(OTHER)).toMatchObject({ issuer: OTHER, audience: ['other'] });
    expect((trusted.get(OTHER) as { keySource: KeySource }).keySource).toBe(made[1]?.source);
    expect(made).toHaveLength(2);
  });

  it.each([
    ISSUER.slice(0, -1),
    `${ISSUER} `,
    ISSUER.toUpperCase(),
    `${ISSUER}?`,
    'issuer.example.com',
    '',
    '__proto__',
    'constructor',
    'toString',
  ])('trusts no other name: %j (ISSUER_UNTRUSTED)', (name) => {
    const error = refusalOf(() => trusted.get(name));
    expect(error).toMatchObject({ code: 'ISSUER_UNTRUSTED', detail: { issuer: name } });
  });
});

describe('A resolver of issuers', () => {
  it.each([undefined, null, false] as const)('that answers %p trusts nobody (ISSUER_UNTRUSTED)', async (answer) => {
    for (const issuers of [() => answer, () => Promise.resolve(answer)]) {
      const { trusted, made } = resolvedBy(issuers);
      expect(await outcomeIn(trusted, ISSUER)).toBe('ISSUER_UNTRUSTED');
      await expect(trusted.get(ISSUER)).rejects.toMatchObject({ detail: { issuer: ISSUER } });
      expect(made).toEqual([]);
    }
  });

  it('that fails is an error of the application, thrown on as it is', async () => {
    const failure = new Error('the tenants cannot be read');
    const { trusted } = resolvedBy(() => Promise.reject(failure));
    await expect(trusted.get(ISSUER)).rejects.toBe(failure);
  });

  it('that refuses with an AuthError of its own has it thrown on', async () => {
    const refusal = new AuthError('POLICY_DENIED');
    const { trusted } = resolvedBy(() => Promise.reject(refusal));
    await expect(trusted.get(ISSUER)).rejects.toBe(refusal);
  });

  it('is asked about names of 2048 characters, and about none that is longer (ISSUER_UNTRUSTED)', async () => {
    const asked: string[] = [];
    const { trusted } = resolvedBy((issuer) => {
      asked.push(issuer);
      return undefined;
    });
    const longest = 'x'.repeat(2_048);
    expect(await outcomeIn(trusted, longest)).toBe('ISSUER_UNTRUSTED');
    expect(asked).toEqual([longest]);
    expect(await outcomeIn(trusted, `${longest}x`)).toBe('ISSUER_UNTRUSTED');
    expect(asked).toEqual([longest]);
  });

  it('is asked for every token, so that a tenant that goes is gone at once', async () => {
    const tenants = new Set([ISSUER]);
    const { trusted } = resolvedBy((issuer) => tenants.has(issuer) && anyTenant(issuer));
    await expect(trusted.get(ISSUER)).resolves.toMatchObject({ issuer: ISSUER });
    tenants.delete(ISSUER);
    expect(await outcomeIn(trusted, ISSUER)).toBe('ISSUER_UNTRUSTED');
  });
});

describe("The key source of a resolver's tenant", () => {
  const sourceOf = async (trusted: TrustedIssuers, issuer: string) => (await trusted.get(issuer)).keySource;

  it('outlives the options, which are made anew for each token', async () => {
    const { trusted, made } = resolvedBy(anyTenant);
    const first = await sourceOf(trusted, ISSUER);
    expect(await sourceOf(trusted, ISSUER)).toBe(first);
    expect(made).toHaveLength(1);
  });

  it.each<[string, IssuerOptions['keys']]>([
    ['by discovery', undefined],
    ['from one key set address', { from: 'jwks', uri: 'https://keys.example.com/jwks' }],
    ['by discovery from one address', { from: 'discovery', uri: 'https://keys.example.com/metadata' }],
  ])('is shared with no other tenant, even where both have their keys %s', async (_what, keys) => {
    const { trusted, made } = resolvedBy((issuer) => ({ ...anyTenant(issuer), keys }));
    expect(await sourceOf(trusted, ISSUER)).not.toBe(await sourceOf(trusted, OTHER));
    expect(made.map(({ issuer }) => issuer)).toEqual([ISSUER, OTHER]);
    expect(await sourceOf(trusted, ISSUER)).toBe(made[0]?.source);
    expect(await sourceOf(trusted, OTHER)).toBe(made[1]?.source);
  });

  it.each<[string, IssuerOptions['keys'], IssuerOptions['keys']]>([
    ['the address', { from: 'jwks', uri: `${ISSUER}a` }, { from: 'jwks', uri: `${ISSUER}b` }],
    ['where from', { from: 'discovery', uri: ISSUER }, { from: 'jwks', uri: ISSUER }],
    ['how long they are kept', { from: 'discovery' }, { from: 'discovery', refreshSeconds: 60 }],
  ])('is a new one when the tenant changes %s', async (_what, before, after) => {
    let keys = before;
    const { trusted, made } = resolvedBy((issuer) => ({ ...anyTenant(issuer), keys }));
    const first = await sourceOf(trusted, ISSUER);
    keys = after;
    expect(await sourceOf(trusted, ISSUER)).not.toBe(first);
    expect(made).toHaveLength(2);
  });

  it('stays when something else changes, and the change counts at once', async () => {
    let audience = 'first';
    const { trusted, made } = resolvedBy((issuer) => ({ issuer, audience }));
    const first = await sourceOf(trusted, ISSUER);
    audience = 'second';
    await expect(trusted.get(ISSUER)).resolves.toMatchObject({ audience: ['second'], keySource: first });
    expect(made).toHaveLength(1);
  });

  /** As when a token of this tenant is sent: one that verifies, or one that does not. */
  const senderIn = (trusted: TrustedIssuers) => async (tenant: string, isGood: boolean) => {
    const issuer = await trusted.get(`https://${tenant}.example.com/`);
    if (isGood) issuer.onVerified?.();
  };

  it('is kept for the thousand tenants whose tokens were verified last, and no more', async () => {
    const { trusted, made, released } = resolvedBy(anyTenant);
    const send = senderIn(trusted);
    for (let tenant = 0; tenant < 1_000; tenant += 1) await send(`tenant-${String(tenant)}`, true);
    await send('tenant-0', true);
    expect([made.length, released.length]).toEqual([1_000, 0]);
    await send('tenant-1000', true);
    expect([made.length, released]).toEqual([1_001, [made[1]?.source]]);
    // Tenant 1 made room for it: tenant 0 had been used since.
    for (const tenant of ['tenant-0', 'tenant-2', 'tenant-1000']) await send(tenant, true);
    expect(made).toHaveLength(1_001);
    await send('tenant-1', true);
    expect(made).toHaveLength(1_002);
  });

  it('is not pushed out by tokens that nobody has verified, whatever tenants they name', async () => {
    const { trusted, made, released } = resolvedBy(anyTenant);
    const send = senderIn(trusted);
    await send('good', true);
    for (let index = 0; index < 5_000; index += 1) await send(`junk-${String(index)}`, false);
    await send('good', true);
    expect(made.filter(({ issuer }) => issuer === 'https://good.example.com/')).toHaveLength(1);
    expect(released).toHaveLength(5_000 - 100);
    expect(released).not.toContain(made[0]?.source);
  });
});
