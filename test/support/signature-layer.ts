import { KeySet } from '../../src/keys/key-set.js';
import { namedAlgorithm } from '../../src/token/checks/header.js';
import { criticalHeaderCheck } from '../../src/token/checks/header.js';
import { decodeCompact } from '../../src/token/jwt/compact.js';
import { findVerifyingKey, namedKey } from '../../src/token/jwt/signature.js';

const EMPTY_OBJECT = Buffer.from('{}').toString('base64url');

/**
 * Checks a JWS up to its signature, in the same way as an access token: form, critical extensions, algorithm, key, signature.
 * Its payload need not be a JSON object.
 * @throws AuthError
 */
export function checkJws(jws: string, keys: readonly unknown[]): void {
  const parts = jws.split('.');
  const [header = '', payload = ''] = parts;
  // The decoder checks the form of each part: with an object instead of the payload, and the payload as a signature.
  const decoded = decodeCompact(parts.with(Math.min(1, parts.length - 1), EMPTY_OBJECT).join('.'));
  decodeCompact(`${header}.${EMPTY_OBJECT}.${payload}`);
  criticalHeaderCheck.run(decoded as never);
  const algorithm = namedAlgorithm(decoded.header);
  const candidates = new KeySet(keys).candidates(namedKey(decoded.header));
  findVerifyingKey({ token: jws, header: decoded.header }, algorithm, candidates);
}
