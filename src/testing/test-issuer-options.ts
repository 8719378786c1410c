import { ALGORITHM_NAMES, isSignatureAlgorithm, type SignatureAlgorithm } from '../keys/algorithms.js';
import type { ClaimPaths } from '../options/options.js';
import type { ResolvedClaimPaths } from '../options/resolve-issuer.js';
import { checkMembers } from './known-members.js';

/**
 * What a test's issuer is like. What is given is so whatever an application says that it is plugged into: a test may want it
 * refused. What is left out is as the application has it.
 */
export interface TestIssuerOptions {
  /**
   * Its `iss`. Default: the application's, of several the first one; `https://issuer.test` where there is none. Over HTTP it
   * is the address where it listens.
   */
  readonly issuer?: string;
  /** What its tokens name as their audience. Default: the application's; `https://api.test` where there is none. */
  readonly audience?: string;
  /** Default: one that the application accepts, `ES256` before others (it is the quickest to make keys for). */
  readonly algorithm?: SignatureAlgorithm;
  /** Where its tokens have scopes, roles and permissions. Default, for each of the three: where the application looks. */
  readonly claimPaths?: ClaimPaths;
}

const OPTIONS: Readonly<Record<keyof TestIssuerOptions, true>> = {
  issuer: true,
  audience: true,
  algorithm: true,
  claimPaths: true,
};

export const DEFAULT_ISSUER = 'https://issuer.test';
export const DEFAULT_AUDIENCE = 'https://api.test';
/** Where the keys are; nobody resolves such a name (RFC 6761 §6.4). */
export const TEST_JWKS_URI = 'https://issuer.invalid/jwks';

/** @throws Error for an option that there is not, and for an algorithm that nobody may sign tokens with. */
export function checkOptions(what: string, options: TestIssuerOptions, without: readonly string[] = []): void {
  const known = Object.entries(OPTIONS).filter(([name]) => !without.includes(name));
  checkMembers(what, options, Object.fromEntries(known));
  const { algorithm } = options;
  if (algorithm !== undefined && !isSignatureAlgorithm(algorithm))
    throw new Error(
      `${what} has no algorithm ${JSON.stringify(algorithm)}; there are ${ALGORITHM_NAMES.join(', ')} (with a shared secret, anyone who checks a token could make one)`,
    );
}

/** Of the paths that options lead to, those that they name themselves. */
export function pathsGiven(resolved: ResolvedClaimPaths, given: ClaimPaths = {}): Partial<ResolvedClaimPaths> {
  const kinds = (['scopes', 'roles', 'permissions'] as const).filter((kind) => given[kind] !== undefined);
  return Object.fromEntries(kinds.map((kind) => [kind, resolved[kind]]));
}
