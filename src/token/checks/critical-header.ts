import { AuthError } from '../../model/errors.js';
import type { HeaderCheck } from './check.js';

/**
 * RFC 7515 §4.1.11: a recipient that does not understand a critical extension must reject the token. This package
 * understands none. Libraries that ignore `crit` accept tokens whose restrictions they cannot see.
 */
export const criticalHeaderCheck = {
  name: 'critical-extensions',
  when: 'before-issuer',
  run({ header }) {
    if ('crit' in header) throw new AuthError('HEADER_CRITICAL');
  },
  explain: ({ header }) => ({ got: header.crit }),
} as const satisfies HeaderCheck;
