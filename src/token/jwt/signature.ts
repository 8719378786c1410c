import { type KeyObject, verify } from 'node:crypto';
import { ALGORITHMS, type SignatureAlgorithm } from '../../keys/algorithms.js';
import { AuthError } from '../../model/errors.js';
import { type MaybePromise, whenKnown } from '../../model/maybe-promise.js';
import type { KeySet } from '../../keys/key-set.js';
import type { KeySource } from '../../keys/key-source.js';
import type { VerificationKey } from '../../keys/verification-key.js';
import { type DecodedToken, signatureOf } from './compact.js';

type SignedToken = Pick<DecodedToken, 'token' | 'header'>;

// A token without a `kid` may cost at most this many verifications. Key sets of real issuers have fewer than ten keys.
const MAX_TRIES = 16;

/** @throws AuthError TOKEN_MALFORMED if the `kid` is not a string (RFC 7515 §4.1.4). */
export function namedKey({ kid }: DecodedToken['header']): string | undefined {
  if (kid === undefined || typeof kid === 'string') return kid;
  throw new AuthError('TOKEN_MALFORMED', { reason: 'kid is not a string' });
}

/**
 * Verifies the signature (RFC 7515 §5.2) with the keys of the token's issuer.
 * @param verifiedBy the key set that verified this very token before. The result holds while that set is current.
 */
export function checkSignature(
  token: SignedToken,
  algorithm: SignatureAlgorithm,
  source: KeySource,
  verifiedBy?: KeySet,
): MaybePromise<KeySet> {
  const kid = namedKey(token.header);
  return whenKnown(source.keySetFor(kid), (keySet) => {
    if (keySet === verifiedBy) return keySet;
    const candidates = keySet.candidates(kid);
    try {
      findVerifyingKey(token, algorithm, candidates);
      return keySet;
    } catch (rejection) {
      if (candidates.length === 0 || keySet.hasKid(kid)) throw rejection;
      // No `kid` identifies the key, and all keys of the set were tried. The issuer may have published the key since.
      return whenKnown(source.keySetFor(kid, keySet), (newer) => {
        if (newer === keySet) throw rejection;
        findVerifyingKey(token, algorithm, newer.candidates(kid));
        return newer;
      });
    }
  });
}

export function findVerifyingKey(
  token: SignedToken,
  algorithm: SignatureAlgorithm,
  candidates: readonly VerificationKey[],
): KeyObject {
  const { kid } = token.header;
  if (candidates.length === 0) throw new AuthError('KEY_UNKNOWN', { kid });
  const { hash } = ALGORITHMS[algorithm];
  const signed = signatureOf(token);
  let tries = 0;
  for (const key of candidates) {
    const input = key.inputs.get(algorithm);
    if (input === undefined) continue;
    // The length first (RFC 8017 §8.1.2): OpenSSL accepts an RSASSA-PSS signature without its leading zeros.
    // Synchronous, because a thread of the pool takes longer to reach than a signature takes to verify.
    if (signed.signature.length === key.signatureLength && verify(hash, signed.input, input, signed.signature))
      return input.key;
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
