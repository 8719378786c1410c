import { isSignatureAlgorithm } from '../../src/keys/algorithms.js';
import { AuthError } from '../../src/model/errors.js';
import { criticalHeaderCheck } from '../../src/token/checks/critical-header.js';
import { decodeCompact } from '../../src/token/jwt/compact.js';
import { KeySet } from '../../src/keys/key-set.js';
import { findVerifyingKey } from '../../src/token/jwt/signature.js';

const EMPTY_OBJECT = Buffer.from('{}').toString('base64url');

/**
 * Verifies a JWS whose payload is not a JSON object as an access token is verified: form, critical extensions, algorithm,
 * key, signature.
 * @throws AuthError
 */
export function checkJws(jws: string, keys: readonly unknown[]): void {
  const parts = jws.split('.');
  const [header = '', payload = ''] = parts;
  // The decoder checks the form, with an object instead of the payload, and with the payload as signature.
  const decoded = decodeCompact(parts.with(Math.min(1, parts.length - 1), EMPTY_OBJECT).join('.'));
  decodeCompact(`${header}.${EMPTY_OBJECT}.${payload}`);
  criticalHeaderCheck.run({ header: decoded.header } as never);
  const { alg, kid } = decoded.header;
  if (!isSignatureAlgorithm(alg)) throw new AuthError('ALGORITHM_NOT_ALLOWED');
  const candidates = new KeySet(keys).candidates(typeof kid === 'string' ? kid : undefined);
  findVerifyingKey({ token: jws, header: decoded.header }, alg, candidates);
}
