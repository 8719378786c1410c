import { AuthError } from '../../model/errors.js';
import { shortened } from '../../model/printable-text.js';
import { ALGORITHM_NAMES, isSignatureAlgorithm, type SignatureAlgorithm } from '../../keys/algorithms.js';
import type { DecodedToken } from '../jwt/compact.js';
import type { Check, HeaderCheck } from './check.js';

/**
 * RFC 7515 §4.1.11: a recipient that does not understand a critical extension must reject the token. This package
 * understands none. Libraries that ignore `crit` accept tokens whose restrictions they cannot see.
 */
export const criticalHeaderCheck = {
  name: 'critical-extensions',
  run({ header }) {
    if ('crit' in header) throw new AuthError('HEADER_CRITICAL');
  },
  explain: ({ header }) => ({ got: header.crit }),
} as const satisfies HeaderCheck;

export function namedAlgorithm({ alg }: DecodedToken['header']): SignatureAlgorithm {
  if (!isSignatureAlgorithm(alg))
    throw new AuthError('ALGORITHM_NOT_ALLOWED', { expected: ALGORITHM_NAMES, received: receivedMember(alg) });
  return alg;
}

/** Returns a member of the header for the log. It contains no personal data. A caller chooses its length. */
export function receivedMember(value: unknown): string {
  return typeof value === 'string' ? shortened(value, 40) : typeof value;
}

/** RFC 8725 §3.2: rejects `none`, HMAC and unknown algorithms before the issuer is looked up. */
export const algorithmCheck = {
  name: 'algorithm',
  run({ header }) {
    namedAlgorithm(header);
  },
  explain: ({ header }) => ({ got: header.alg }),
} as const satisfies HeaderCheck;

/** RFC 7515 §2: base64url has no padding. `=` can only be padding in a token that was decoded. */
export const paddingCheck = {
  name: 'padding',
  run({ token }, { padding }) {
    if (padding === 'reject' && token.includes('='))
      throw new AuthError('TOKEN_MALFORMED', { reason: 'base64url with padding (`=`)' });
  },
} as const satisfies Check;

/** RFC 8725 §3.1: the recipient chooses the algorithms; the token may only name one of them. */
export const allowedAlgorithmCheck = {
  name: 'algorithm-allowed',
  run({ header }, { issuer, algorithms }) {
    const received = namedAlgorithm(header);
    if (!algorithms.has(received))
      throw new AuthError('ALGORITHM_NOT_ALLOWED', { issuer, expected: [...algorithms], received });
  },
  explain: ({ header }, { algorithms }) => ({ got: header.alg, expected: [...algorithms] }),
} as const satisfies Check;
