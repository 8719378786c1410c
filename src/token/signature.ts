import { verify } from 'node:crypto';
import { ALGORITHMS, type SignatureAlgorithm } from '../algorithms.js';
import { AuthError } from '../errors.js';
import type { KeySource } from '../keys/key-source.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { namedKey } from './checks.js';
import type { DecodedToken } from './compact.js';

// What a token without a `kid` may cost. The sets of real issuers hold fewer than ten keys.
const MAX_TRIES = 16;

/**
 * RFC 7515 §5.2, with the keys of the token's issuer.
 * @throws AuthError KEY_UNKNOWN, KEY_UNSUITABLE, SIGNATURE_INVALID, KEYS_UNAVAILABLE, TOKEN_MALFORMED
 */
export async function checkSignature(
  decoded: DecodedToken,
  algorithm: SignatureAlgorithm,
  source: KeySource,
): Promise<void> {
  const kid = namedKey(decoded.header);
  const keySet = await source.keySetFor(kid);
  const candidates = keySet.candidates(kid);
  try {
    checkSignatureByAny(decoded, algorithm, candidates);
  } catch (error) {
    if (candidates.length === 0 || keySet.names(kid)) throw error;
    // All keys were tried, since no name says which it is. It may have been published since.
    const newer = await source.keySetFor(kid, keySet);
    if (newer === keySet) throw error;
    checkSignatureByAny(decoded, algorithm, newer.candidates(kid));
  }
}

/**
 * Only keys that fit the algorithm are tried; which ones do was settled when they were imported.
 *
 * @param candidates the keys that the token may have been signed with.
 * @throws AuthError KEY_UNKNOWN, KEY_UNSUITABLE, SIGNATURE_INVALID
 */
export function checkSignatureByAny(
  decoded: DecodedToken,
  algorithm: SignatureAlgorithm,
  candidates: readonly VerificationKey[],
): void {
  const { kid } = decoded.header;
  if (candidates.length === 0) throw new AuthError('KEY_UNKNOWN', { kid });
  const { hash } = ALGORITHMS[algorithm];
  let tries = 0;
  for (const { inputs, signatureLength } of candidates) {
    const input = inputs.get(algorithm);
    if (input === undefined) continue;
    // The length first (RFC 8017 §8.1.2): to OpenSSL, an RSASSA-PSS signature that lost leading zeros is a good one.
    // Synchronous on purpose: a thread of the pool takes longer to reach than a signature to check.
    if (decoded.signature.length === signatureLength && verify(hash, decoded.signingInput, input, decoded.signature))
      return;
    tries += 1;
    if (tries === MAX_TRIES) break;
  }
  if (tries > 0) throw new AuthError('SIGNATURE_INVALID', { kid });
  throw new AuthError('KEY_UNSUITABLE', {
    kid,
    expected: algorithm,
    reasons: candidates.map(({ problem, inputs }) => problem ?? `is for ${[...inputs.keys()].join(', ')}`),
  });
}
