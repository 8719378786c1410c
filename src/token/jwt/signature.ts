import { verify } from 'node:crypto';
import { ALGORITHMS, type SignatureAlgorithm } from '../../keys/algorithms.js';
import { AuthError } from '../../model/errors.js';
import type { KeySet } from '../../keys/key-set.js';
import type { KeySource } from '../../keys/key-source.js';
import type { VerificationKey } from '../../keys/verification-key.js';
import { namedKey } from '../checks.js';
import { type DecodedToken, signatureOf } from './compact.js';

type SignedToken = Pick<DecodedToken, 'token' | 'header'>;

// What a token without a `kid` may cost. The sets of real issuers hold fewer than ten keys.
const MAX_TRIES = 16;

/**
 * RFC 7515 §5.2, with the keys of the token's issuer. Synchronous when no key has to be waited for.
 * @param verifiedBy the set by which this very token was verified before: as long as it is in service, that holds.
 * @returns the set by which it is verified.
 * @throws AuthError KEY_UNKNOWN, KEY_UNSUITABLE, SIGNATURE_INVALID, KEYS_UNAVAILABLE, TOKEN_MALFORMED
 */
export function checkSignature(
  token: SignedToken,
  algorithm: SignatureAlgorithm,
  source: KeySource,
  verifiedBy?: KeySet,
): KeySet | Promise<KeySet> {
  const kid = namedKey(token.header);
  const found = source.keySetFor(kid);
  return found instanceof Promise
    ? found.then((keySet) => checkWith(keySet, kid, token, algorithm, source, verifiedBy))
    : checkWith(found, kid, token, algorithm, source, verifiedBy);
}

function checkWith(
  keySet: KeySet,
  kid: string | undefined,
  token: SignedToken,
  algorithm: SignatureAlgorithm,
  source: KeySource,
  verifiedBy: KeySet | undefined,
): KeySet | Promise<KeySet> {
  if (keySet === verifiedBy) return keySet;
  const candidates = keySet.candidates(kid);
  try {
    checkSignatureByAny(token, algorithm, candidates);
    return keySet;
  } catch (error) {
    if (candidates.length === 0 || keySet.hasKid(kid)) throw error;
    return checkWithNewer(keySet, kid, token, algorithm, source, error);
  }
}

/** All keys were tried, since no name says which it is. It may have been published since. */
async function checkWithNewer(
  keySet: KeySet,
  kid: string | undefined,
  token: SignedToken,
  algorithm: SignatureAlgorithm,
  source: KeySource,
  refusal: unknown,
): Promise<KeySet> {
  const newer = await source.keySetFor(kid, keySet);
  if (newer === keySet) throw refusal;
  checkSignatureByAny(token, algorithm, newer.candidates(kid));
  return newer;
}

/**
 * Only keys that fit the algorithm are tried; which ones do was settled when they were imported.
 *
 * @param candidates the keys that the token may have been signed with.
 * @throws AuthError KEY_UNKNOWN, KEY_UNSUITABLE, SIGNATURE_INVALID
 */
export function checkSignatureByAny(
  token: SignedToken,
  algorithm: SignatureAlgorithm,
  candidates: readonly VerificationKey[],
): void {
  const { kid } = token.header;
  if (candidates.length === 0) throw new AuthError('KEY_UNKNOWN', { kid });
  const { hash } = ALGORITHMS[algorithm];
  const signed = signatureOf(token);
  let tries = 0;
  for (const { inputs, signatureLength } of candidates) {
    const input = inputs.get(algorithm);
    if (input === undefined) continue;
    // The length first (RFC 8017 §8.1.2): to OpenSSL, an RSASSA-PSS signature that lost leading zeros is a good one.
    // Synchronous on purpose: a thread of the pool takes longer to reach than a signature to check.
    if (signed.signature.length === signatureLength && verify(hash, signed.input, input, signed.signature)) return;
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
