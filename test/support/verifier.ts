import type { AuthOptions } from '../../src/index.js';
import { resolveOptions } from '../../src/options/resolve-options.js';
import { KeySourceRegistry } from '../../src/remote/key-source-registry.js';
import { TrustedIssuers } from '../../src/token/trusted-issuers.js';
import { AccessTokenVerifier } from '../../src/token/access-token-verifier.js';

/** The verifier as `AuthModule` puts it together, without Nest. */
export function verifierOf(options: AuthOptions): AccessTokenVerifier {
  const resolved = resolveOptions(options);
  const sources = new KeySourceRegistry({ ...resolved, onProblem: () => undefined });
  return new AccessTokenVerifier(new TrustedIssuers(resolved.issuers, sources), resolved.clock, resolved.tokenCache);
}

/** The code of the refusal, or `accepted`. Anything that is no refusal is thrown on. */
export async function outcomeOf(verification: Promise<unknown>): Promise<string> {
  const { AuthError } = await import('../../src/model/errors.js');
  try {
    await verification;
    return 'accepted';
  } catch (error) {
    if (error instanceof AuthError) return error.code;
    throw error;
  }
}
