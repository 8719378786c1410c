import { AuthError } from '../../model/errors.js';
import type { KeySet } from '../../keys/key-set.js';
import { type KeySource, StaticKeys } from '../../keys/key-source.js';
import type { ResolvedIssuer } from '../../options/resolve-issuer.js';
import type { Explanation } from '../../token/explain.js';
import type { ExplainedCheck } from '../../token/explained-checks.js';
import { TrustedIssuers } from '../../token/trusted-issuers.js';
import { AccessTokenVerifier } from '../../token/access-token-verifier.js';

/** What the verifier itself says of a token, check by check. */
export type Explained = ReadonlyMap<ExplainedCheck, Explanation>;

/**
 * @param issuer the options that the API would have.
 * @param keySet as it was fetched; undefined: the signature is not made anything of.
 */
export async function explainToken(
  token: string,
  issuer: ResolvedIssuer,
  keySet: KeySet | undefined,
  nowSeconds: number,
): Promise<Explained> {
  const sources = { create: () => (keySet === undefined ? NO_KEYS : new StaticKeys(keySet)), release: () => undefined };
  const verifier = new AccessTokenVerifier(new TrustedIssuers([issuer], sources), () => nowSeconds * 1000);
  return new Map((await verifier.explain(token)).map((explanation) => [explanation.check, explanation]));
}

const NO_KEYS: KeySource = {
  keySetFor: () => {
    throw new AuthError('KEYS_UNAVAILABLE');
  },
  current: () => undefined,
};

/** What a check of the package has against a token, with its facts, which no explanation repeats. */
export function refusalOf(check: () => unknown): AuthError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
}
