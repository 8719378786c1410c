import { isSignatureAlgorithm } from '../../src/keys/algorithms.js';
import { AuthError } from '../../src/model/errors.js';
import { checkNoCriticalExtension } from '../../src/token/checks.js';
import { decodeCompact } from '../../src/token/jwt/compact.js';
import { KeySet } from '../../src/keys/key-set.js';
import { checkSignatureByAny } from '../../src/token/jwt/signature.js';

const EMPTY_OBJECT = Buffer.from('{}').toString('base64url');

/**
 * What an access token goes through up to its signature, for a JWS whose payload is no JSON object: its form, critical
 * extensions, the algorithm, the key, the signature.
 * @throws AuthError
 */
export function checkJws(jws: string, keys: readonly unknown[]): void {
  const parts = jws.split('.');
  const [header = '', payload = ''] = parts;
  // The form is judged by the real decoder: with an object in the payload's place, and the payload as signature.
  const decoded = decodeCompact(parts.with(Math.min(1, parts.length - 1), EMPTY_OBJECT).join('.'));
  decodeCompact(`${header}.${EMPTY_OBJECT}.${payload}`);
  checkNoCriticalExtension(decoded.header);
  const { alg, kid } = decoded.header;
  if (!isSignatureAlgorithm(alg)) throw new AuthError('ALGORITHM_NOT_ALLOWED');
  const candidates = new KeySet(keys).candidates(typeof kid === 'string' ? kid : undefined);
  checkSignatureByAny({ token: jws, header: decoded.header }, alg, candidates);
}
