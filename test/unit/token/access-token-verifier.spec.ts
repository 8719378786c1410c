import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { IssuerOptions } from '../../../src/index.js';
import { acceptedUntilSeconds } from '../../../src/token/verified-access-token.js';
import { type KeyKind, newKey, signText, signToken, type TestKey } from '../../support/local-issuer.js';
import { claimsWith, ISSUER, KEY, NOW, staticVerifier, tokenWith } from '../../support/static-verifier.js';
import { outcomeOf } from '../../support/verifier.js';

describe('Every algorithm', () => {
  const rows: [string, KeyKind][] = [
    ['RS256', 'rsa'],
    ['RS384', 'rsa'],
    ['RS512', 'rsa'],
    ['PS256', 'rsa'],
    ['PS384', 'rsa'],
    ['PS512', 'rsa'],
    ['ES256', 'p-256'],
    ['ES384', 'p-384'],
    ['ES512', 'p-521'],
    ['EdDSA', 'ed25519'],
    ['Ed25519', 'ed25519'],
  ];
  const oneOfEach = () =>
    Object.fromEntries([...new Set(rows.map(([, kind]) => kind))].map((kind) => [kind, newKey(kind)])) as Record<
      KeyKind,
      TestKey
    >;
  const [signers, others] = [oneOfEach(), oneOfEach()];

  it.each(rows)('%s accepts the signature of its key and no other (SIGNATURE_INVALID)', async (alg, kind) => {
    const [signer, other] = [signers[kind], others[kind]];
    const make = (by: TestKey) => signToken({ alg, kid: signer.kid }, claimsWith(), by.privateKey);
    const verifier = staticVerifier({}, [signer]);
    expect(await outcomeOf(verifier.verify(make(signer)))).toBe('accepted');
    expect(await outcomeOf(verifier.verify(make(other)))).toBe('SIGNATURE_INVALID');
    const [header, payload, text = ''] = make(signer).split('.');
    const signature = Buffer.from(text, 'base64url');
    const longer = Buffer.concat([signature, Buffer.alloc(1)]);
    for (const changed of [signature.subarray(0, 0), signature.subarray(1), longer, Buffer.alloc(signature.length)]) {
      const token = [header, payload, changed.toString('base64url')].join('.');
      expect(await outcomeOf(verifier.verify(token))).toBe('SIGNATURE_INVALID');
    }
  });

  it.each(rows.slice(0, 6))('%s rejects a signature without its leading zeros (SIGNATURE_INVALID)', async (alg) => {
    const signer = signers.rsa;
    const verifier = staticVerifier({}, [signer]);
    let parts: string[];
    let signature: Buffer;
    // One in 256 begins with a zero.
    do {
      parts = signToken({ alg, kid: signer.kid }, claimsWith({ jti: randomUUID() }), signer.privateKey).split('.');
      signature = Buffer.from(parts[2] ?? '', 'base64url');
    } while (signature[0] !== 0);
    expect(await outcomeOf(verifier.verify(parts.join('.')))).toBe('accepted');
    const shorter = [...parts.slice(0, 2), signature.subarray(1).toString('base64url')].join('.');
    expect(await outcomeOf(verifier.verify(shorter))).toBe('SIGNATURE_INVALID');
  });

  it.each(rows)('%s requires that the key names it or no algorithm (KEY_UNSUITABLE)', async (alg, kind) => {
    const { privateKey, jwk } = signers[kind];
    for (const [name] of rows) {
      const named = { kid: 'k', privateKey, jwk: { ...jwk, kid: 'k', alg: name } };
      const token = signToken({ alg, kid: 'k' }, claimsWith(), privateKey);
      const expected = name === alg ? 'accepted' : 'KEY_UNSUITABLE';
      const verifier = staticVerifier({}, [named, newKey('p-256')]);
      expect([name, await outcomeOf(verifier.verify(token))]).toEqual([name, expected]);
    }
  });

  it.each(rows)('%s can be left out of `algorithms` (ALGORITHM_NOT_ALLOWED)', async (alg, kind) => {
    const algorithms = rows.map(([name]) => name).filter((name) => name !== alg) as never;
    const token = signToken({ alg, kid: signers[kind].kid }, claimsWith(), signers[kind].privateKey);
    expect(await outcomeOf(staticVerifier({ algorithms }, [signers[kind]]).verify(token))).toBe(
      'ALGORITHM_NOT_ALLOWED',
    );
  });
});

describe('The key of a token', () => {
  it('without `kid` is searched among at most sixteen that fit (SIGNATURE_INVALID)', async () => {
    const keys = Array.from({ length: 17 }, () => newKey('p-256'));
    const token = (by: TestKey | undefined) => tokenWith({}, { kid: undefined }, by);
    const others = [newKey('ed25519'), ...Array.from({ length: 20 }, () => newKey('p-256', { use: 'enc' }))];
    const verifier = staticVerifier({}, [...others, ...keys]);
    expect(await outcomeOf(verifier.verify(token(keys[15])))).toBe('accepted');
    expect(await outcomeOf(verifier.verify(token(keys[16])))).toBe('SIGNATURE_INVALID');
  });

  it('may be one of two with the same `kid`', async () => {
    const [first, second] = [newKey('p-256', { kid: 'same' }), newKey('p-256', { kid: 'same' })];
    for (const by of [first, second]) {
      const token = tokenWith({}, { kid: 'same' }, by);
      expect(await outcomeOf(staticVerifier({}, [first, second]).verify(token))).toBe('accepted');
    }
  });

  it('may have no `kid`, if no other key has the `kid` of the token', async () => {
    const unnamed = newKey('p-256', { kid: undefined });
    const token = tokenWith({}, { kid: 'any' }, unnamed);
    expect(await outcomeOf(staticVerifier({}, [unnamed]).verify(token))).toBe('accepted');
    const named = newKey('p-256', { kid: 'any' });
    expect(await outcomeOf(staticVerifier({}, [unnamed, named]).verify(token))).toBe('SIGNATURE_INVALID');
  });

  it.each<unknown>([false, [], ['ours'], {}])(
    'cannot be named by a `kid` that is neither a string nor a number: %j (TOKEN_MALFORMED)',
    async (kid) => {
      expect(await outcomeOf(staticVerifier().verify(tokenWith({}, { kid })))).toBe('TOKEN_MALFORMED');
    },
  );

  it('must be published (KEY_UNKNOWN) and be meant for signatures (KEY_UNSUITABLE)', async () => {
    expect(await outcomeOf(staticVerifier().verify(tokenWith({}, { kid: 'unknown' })))).toBe('KEY_UNKNOWN');
    const keys = [newKey('ed25519', { kid: 'a', use: 'enc' }), newKey('p-384', { kid: 'a' })];
    await expect(staticVerifier({}, keys).verify(tokenWith({}, { kid: 'a' }))).rejects.toMatchObject({
      code: 'KEY_UNSUITABLE',
      detail: { kid: 'a', expected: 'ES256', reasons: ['is not for signatures (use)', 'is for ES384'] },
    });
  });
});

describe('verify', () => {
  const verified = (claims: Record<string, unknown> = {}, options?: Partial<IssuerOptions>) =>
    staticVerifier(options).verify(tokenWith(claims));

  it.each([undefined, null, 7, {}, [], ['a.b.c'], Buffer.from('a.b.c'), '', 'a.b'])(
    'rejects %p (TOKEN_MALFORMED)',
    async (value) => {
      expect(await outcomeOf(staticVerifier().verify(value as string))).toBe('TOKEN_MALFORMED');
    },
  );

  it.each([
    [{ iss: undefined }, 'CLAIM_MISSING'],
    [{ iss: null }, 'CLAIM_INVALID'],
    [{ iss: [ISSUER] }, 'CLAIM_INVALID'],
    [{ iss: ISSUER.slice(0, -1) }, 'ISSUER_UNTRUSTED'],
    [{ iss: '' }, 'ISSUER_UNTRUSTED'],
  ])('rejects a token by its issuer: %j (%s)', async (claims, code) => {
    expect(await outcomeOf(verified(claims))).toBe(code);
  });

  it('returns the token with its header, its claims and its issuer', async () => {
    const token = tokenWith({ sub: 'alice' });
    const result = await staticVerifier().verify(token);
    expect([result.token, result.issuer]).toEqual([token, ISSUER]);
    expect(result.header).toEqual({ alg: 'ES256', kid: KEY.kid });
    expect(result.claims).toEqual(claimsWith({ sub: 'alice' }));
  });

  it('returns a token that hides the credential when it is printed, serialized or copied', async () => {
    const result = await verified({ scope: 'read' });
    const signature = result.token.split('.')[2] ?? '';
    const { issuer, header, claims, scopes, roles, permissions } = result;
    expect(JSON.parse(JSON.stringify(result))).toStrictEqual({ issuer, header, claims, scopes, roles, permissions });
    for (const text of [JSON.stringify({ result }), inspect(result, { depth: 9, showHidden: true, getters: false })])
      expect(text).not.toContain(signature);
    expect({ ...result }).not.toHaveProperty('token');
    expect(Object.getOwnPropertyNames(result)).not.toContain('token');
  });

  it('returns a token that no handler can change, at any depth', async () => {
    const result = await verified({ address: { city: 'Ulm' }, list: [{ a: 1 }], scope: 'a' });
    const { address, list } = result.claims as unknown as { address: object; list: object[] };
    for (const part of [result, result.claims, result.header, result.scopes, address, list, list[0]])
      expect(Object.isFrozen(part)).toBe(true);
    for (const name of ['token', 'claims', 'scopes', 'admin'])
      expect(() => Object.assign(result, { [name]: 'other' })).toThrow(TypeError);
    expect(result.scopes).toBe(result.scopes);
  });

  it('reads scopes, roles and permissions from the claims that `claimPaths` names', async () => {
    const { scopes, roles, permissions } = await verified(
      {
        scope: 'ignored',
        realm_access: { roles: ['r1'] },
        resource_access: { 'my.client': { roles: ['r2'] } },
        'https://example.com/roles': ['r3', 'r1'],
        rights: 'one right',
      },
      {
        claimPaths: {
          scopes: [],
          roles: ['realm_access.roles', ['resource_access', 'my.client', 'roles'], 'https://example.com/roles'],
          permissions: ['rights'],
        },
      },
    );
    expect([scopes, roles, permissions]).toEqual([[], ['r1', 'r2', 'r3'], ['one right']]);
  });

  it.each([
    [{ exp: NOW + 60 }, {}, NOW + 65],
    [{ exp: NOW + 60, iat: NOW - 40 }, { maxTokenAgeSeconds: 60 }, NOW + 25],
    [{ exp: NOW + 60, iat: NOW - 40 }, { maxTokenAgeSeconds: 600 }, NOW + 65],
  ])(
    'returns a token that connections accept until it expires or is too old: %j, %j',
    async (claims, options, until) => {
      expect(acceptedUntilSeconds(await verified(claims, options))).toBe(until);
    },
  );

  it('returns claims that can be copied without changing a prototype', async () => {
    const members = '"__proto__":{"admin":true},"a":{"__proto__":{"admin":true},"b":1}';
    const payload = `${JSON.stringify(claimsWith()).slice(0, -1)},${members}}`;
    const token = signText(JSON.stringify({ alg: 'ES256', kid: KEY.kid }), payload, 'ES256', KEY.privateKey);
    const { claims } = await staticVerifier().verify(token);
    expect((Object.assign({}, claims) as Record<string, unknown>).admin).toBeUndefined();
    expect((Object.assign({}, claims.a) as Record<string, unknown>).admin).toBeUndefined();
    expect(claims.a).toEqual({ b: 1 });
  });
});
