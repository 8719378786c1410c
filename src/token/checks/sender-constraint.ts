import { AuthError } from '../../model/errors.js';
import type { Check } from './check.js';

/**
 * RFC 7800 §3.1, RFC 9700 §2.2.1: a token with `cnf` is valid only together with a proof of possession of a key. No kind of
 * proof is supported, so every such token is rejected. Ignoring `cnf` would accept a stolen token that the
 * constraint makes useless to a thief. The claim counts whatever its value is, also `null`.
 *
 * With `reportOnly: ['senderConstraint']` such tokens are accepted and reported: nothing proves then that the caller has the key.
 */
export const senderConstraintCheck = {
  name: 'sender-constraint',
  reportOnly: 'senderConstraint',
  run({ claims }) {
    if ('cnf' in claims) throw new AuthError('BINDING_UNPROVEN', { claim: 'cnf' });
  },
  explain({ claims: { cnf } }) {
    return { got: cnf === undefined ? undefined : Object.keys(Object(cnf) as object) };
  },
} as const satisfies Check;
