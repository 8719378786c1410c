import { verify } from 'node:crypto';
import { ALGORITHMS, type SignatureAlgorithm } from '../algorithms.js';
import { AuthError } from '../errors.js';
import type { DecodedToken } from './compact.js';
import type { VerificationKey } from './verification-key.js';

// What a token without a `kid` may cost. The sets of real issuers hold fewer than ten keys.
const MAX_TRIES = 16;

/**
 * RFC 7515 §5.2. Only keys that fit the algorithm are tried; which ones do was settled when they were imported.
 *
 * @param candidates the keys that the token may have been signed with.
 * @throws AuthError KEY_UNKNOWN, KEY_UNSUITABLE, SIGNATURE_INVALID
 */
export function checkSignature(
  decoded: DecodedToken,
  algorithm: SignatureAlgorithm,
  candidates: readonly VerificationKey[],
): void {
  const { kid } = decoded.header;
  if (candidates.length === 0) throw new AuthError('KEY_UNKNOWN', { kid });
  const { hash } = ALGORITHMS[algorithm];
  let tries = 0;
  for (const { inputs } of candidates) {
    const input = inputs.get(algorithm);
    if (input === undefined) continue;
    // Synchronous on purpose: a thread of the pool takes longer to reach than a signature to check. A signature of the
    // wrong length is an invalid one to node:crypto, not an error.
    if (verify(hash, decoded.signingInput, input, decoded.signature)) return;
    tries += 1;
    if (tries === MAX_TRIES) break;
  }
  if (tries > 0) throw new AuthError('SIGNATURE_INVALID', { kid });
  throw new AuthError('KEY_UNSUITABLE', {
    kid,
    expected: algorithm,
    reasons: candidates.flatMap(({ problem }) => problem ?? []),
  });
}
