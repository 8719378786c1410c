import type { VerifiedAccessToken } from '../../src/index.js';
import { FrozenAccessToken } from '../../src/token/verified-access-token.js';

const claimPaths = { scopes: [['scope']], roles: [['roles']], permissions: [['permissions']] };

/** A token with these claims, as `AccessTokenVerifier.verify` returns it. */
export function verifiedToken(claims: Record<string, unknown> = {}, clockToleranceSeconds = 0): VerifiedAccessToken {
  const all = { iss: 'https://issuer.example.com/', aud: 'https://api.example.com', exp: 2_000_000_000, ...claims };
  return new FrozenAccessToken('a.b.c', { alg: 'RS256' }, all, {
    claimPaths,
    scopeImplications: new Map(),
    clockToleranceSeconds,
  });
}
