import type { VerifiedAccessToken } from '../../src/index.js';
import { AcceptedToken } from '../../src/token/accepted-token.js';

const CLAIM_PATHS = { scopes: [['scope']], roles: [['roles']], permissions: [['permissions']] };

/** A token as it is after verification, whatever its claims are. */
export function acceptedToken(claims: Record<string, unknown> = {}, clockToleranceSeconds = 0): VerifiedAccessToken {
  const all = { iss: 'https://issuer.example.com/', aud: 'https://api.example.com', exp: 2_000_000_000, ...claims };
  const checkedAgainst = { claimPaths: CLAIM_PATHS, clockToleranceSeconds };
  return new AcceptedToken('a.b.c', { alg: 'RS256' }, all, checkedAgainst);
}
