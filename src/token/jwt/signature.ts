import { type KeyObject, verify } from 'node:crypto';
import { ALGORITHMS, type SignatureAlgorithm } from '../../keys/algorithms.js';
import { AuthError } from '../../model/errors.js';
import { type MaybePromise, whenKnown } from '../../model/maybe-promise.js';
import type { KeySet } from '../../keys/key-set.js';
import type { KeySource } from '../../keys/key-source.js';
import { keyId, type VerificationKey } from '../../keys/verification-key.js';
import { type DecodedToken, signatureOf } from './compact.js';

type SignedToken = Pick<DecodedToken, 'token' | 'header'>;

// A token without a `kid` may cost at most this many verifications. Key sets of real issuers have fewer than ten keys.
const MAX_TRIES = 16;
/** The first byte of a signature in DER encoding. Some libraries use it instead of R and S (RFC 7518 §3.4). */
const DER_SEQUENCE = 0x30;

/**
 * Returns the key id of a token; undefined if it is absent or empty.
 * @throws AuthError TOKEN_MALFORMED if the `kid` is neither a string (RFC 7515 §4.1.4) nor the number that some issuers write.
 */
export function namedKey({ kid }: DecodedToken['header']): string | undefined {
  const id = keyId(kid);
  if (id !== undefined || kid === undefined || kid === null || kid === '') return id;
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
      const isInvalid = rejection instanceof AuthError && rejection.code === 'SIGNATURE_INVALID';
      if (candidates.length === 0 || (keySet.hasKid(kid) && !isInvalid)) throw rejection;
      // The issuer may have published another key since: no `kid` identifies the key, or the issuer uses the `kid` again for a new key,
      // as some do after a restart.
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
  const row = ALGORITHMS[algorithm];
  const signed = signatureOf(token);
  let tries = 0;
  for (const key of candidates) {
    const input = key.inputs.get(algorithm);
    if (input === undefined) continue;
    // The length first (RFC 8017 §8.1.2): OpenSSL accepts an RSASSA-PSS signature without its leading zeros.
    // Synchronous, because a thread of the pool takes longer to reach than a signature takes to verify.
    if (signed.signature.length === key.signatureLength && verify(row.hash, signed.input, input, signed.signature))
      return input.key;
    tries += 1;
    if (tries === MAX_TRIES) break;
  }
  if (tries > 0) {
    const isDer =
      row.kty === 'EC' && signed.signature.length !== row.signatureLength && signed.signature[0] === DER_SEQUENCE;
    throw new AuthError('SIGNATURE_INVALID', { kid, ...(isDer && { reason: 'the signature is DER-encoded' }) });
  }
  throw new AuthError('KEY_UNSUITABLE', {
    kid,
    expected: algorithm,
    reasons: candidates.map(({ problem, inputs }) => problem ?? `is for ${[...inputs.keys()].join(', ')}`),
  });
}
