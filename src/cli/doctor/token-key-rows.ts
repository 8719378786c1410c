import { printable, quoted } from '../printable.js';
import { type CheckRow, ok, problem, skipped } from './check-row.js';
import type { Explained } from './explain-token.js';
import type { Facts, Verdict } from './token-facts.js';

/** Of what the verifier says to the signature: whether there was a key to make it with. */
export function keyVerdict(explained: Explained): Verdict {
  const { passed, code } = explained.get('signature') ?? {};
  if (passed === true || code === 'SIGNATURE_INVALID') return { passed: true };
  const isOfKey = code === 'KEY_UNKNOWN' || code === 'KEY_UNSUITABLE' || code === 'TOKEN_MALFORMED';
  return { passed: isOfKey ? false : undefined, code };
}

export function signatureVerdict(explained: Explained): Verdict {
  const { passed, code } = explained.get('signature') ?? {};
  return { passed: passed === true ? true : code === 'SIGNATURE_INVALID' ? false : undefined, code };
}

/** RFC 7515 §4.1.4: the key that the token names, in the set of its issuer. */
export function keyRow({ decoded, keySet, issuer }: Facts, { passed, code }: Verdict): CheckRow {
  const { kid } = decoded.header;
  const name = kid === undefined ? 'no kid' : quoted(kid);
  const kids = [...(keySet?.kids ?? [])].map(quoted).join(', ');
  if (passed === undefined) {
    const reason =
      keySet === undefined
        ? 'the keys could not be had'
        : decoded.claims.iss === issuer.issuer
          ? 'its algorithm is not accepted'
          : 'it is of another issuer, whose keys are not these, or its algorithm is not accepted';
    return skipped('token.key', `${name}: ${reason}`);
  }
  if (passed) return ok('token.key', kid === undefined ? 'no kid; each key that fits was tried' : name);
  if (code === 'KEY_UNSUITABLE') {
    const candidates = keySet?.candidates(typeof kid === 'string' ? kid : undefined) ?? [];
    const why = candidates.map(({ problem: reason, inputs }) => reason ?? `is for ${[...inputs.keys()].join(', ')}`);
    return problem(
      'token.key',
      `${name} ${printable(why.join('; '))}`,
      `The key is published, but must not verify ${quoted(decoded.header.alg)}: mend it as the rows key-use and key-strength say.`,
      `a key for ${quoted(decoded.header.alg)}`,
    );
  }
  const mend =
    'The issuer does not publish this key: get a fresh token (keys are rotated), and see that it comes from this very issuer, realm and environment.';
  return problem('token.key', name, mend, kids === '' ? 'a key of the set' : kids);
}

/** RFC 7515 §5.2. */
export function signatureRow({ decoded }: Facts, { passed }: Verdict): CheckRow {
  if (passed === undefined) return skipped('token.signature', 'there is no key to verify it with');
  if (passed) return ok('token.signature', 'verified');
  const { nonce } = decoded.header;
  const mend =
    nonce === undefined
      ? 'The token was changed, cut off or copied in part, or signed with another key under the same kid (another environment, a restored backup): get a fresh one from this very issuer, and pass it on whole.'
      : 'A header with a nonce is what tokens for Microsoft Graph have, which only Graph can verify: ask for a token for your own API (scope api://<your API>/.default).';
  return problem('token.signature', 'not made with that key', mend, 'a signature of the issuer');
}
