import type { IssuerOptions } from '../../src/index.js';
import type { AccessTokenVerifier } from '../../src/token/access-token-verifier.js';
import { newKey, signToken, type TestKey, AUDIENCE } from './local-issuer.js';
import { outcomeOf, verifierOf } from './verifier.js';

export const ISSUER = 'https://issuer.example.com/';
/** Seconds since 1970, by the clock of these verifiers. */
export const NOW = 1_700_000_000;
export const KEY = newKey('p-256', { kid: 'ours' });

export type Members = Record<string, unknown>;

/** A verifier with one issuer, whose keys are static. */
export function staticVerifier(
  options: Partial<IssuerOptions> & { clock?: () => number } = {},
  keys: readonly TestKey[] = [KEY],
): AccessTokenVerifier {
  return verifierOf({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { from: 'static', jwks: { keys: keys.map(({ jwk }) => jwk) as never } },
    clock: () => NOW * 1000,
    ...options,
  });
}

export function claimsWith(claims: Members = {}): Members {
  return { iss: ISSUER, aud: AUDIENCE, exp: NOW + 60, ...claims };
}

/** A valid token, except for these claims and header members. */
export function tokenWith(claims: Members = {}, header: Members = {}, by: TestKey = KEY): string {
  return signToken({ alg: 'ES256', kid: KEY.kid, ...header }, claimsWith(claims), by.privateKey);
}

/** The code of the refusal, or `accepted`. */
export function outcome(claims: Members, options?: Partial<IssuerOptions>, header?: Members): Promise<string> {
  return outcomeOf(staticVerifier(options).verify(tokenWith(claims, header)));
}
