import { checkNotBefore } from '../../token/checks.js';
import { type CheckName, type CheckRow, ok, problem } from './check-row.js';
import { type Explained, refusalOf } from './explain-token.js';
import { timeAndDistance } from './times.js';
import type { Facts, RowOf, Verdict } from './token-facts.js';
import { noTimeRow } from './token-times.js';

/** The verifier has one check for both: where that did not pass, each is looked at for itself. */
export function timeVerdict(claim: 'nbf' | 'iat'): (explained: Explained, facts: Facts) => Verdict {
  return (explained, { decoded: { claims }, issuer, nowSeconds }) => {
    const verdict = explained.get('not-before') ?? { passed: undefined };
    if (verdict.passed !== false) return verdict;
    const refusal = refusalOf(() => {
      checkNotBefore({ [claim]: claims[claim] }, issuer, nowSeconds);
    });
    return refusal === undefined ? { passed: true } : { passed: false, code: refusal.code };
  };
}

/** RFC 7519 §4.1.5 and §4.1.6: a time that is over. */
export function timeRow(check: CheckName, claim: 'nbf' | 'iat', word: string): RowOf {
  return (facts, verdict) => rowOf(check, claim, word, facts, verdict);
}

function rowOf(
  check: CheckName,
  claim: 'nbf' | 'iat',
  word: string,
  { decoded, nowSeconds, issuer }: Facts,
  { passed, code }: Verdict,
): CheckRow {
  const time = decoded.claims[claim];
  if (time === undefined) return ok(check, `the token has no ${claim}`);
  if (typeof time !== 'number' || code === 'CLAIM_INVALID') return noTimeRow(check, claim, time);
  const when = timeAndDistance(time, nowSeconds);
  if (passed === true)
    return ok(
      check,
      time <= nowSeconds ? `${word} since ${when}`.replace('issued since', 'issued') : `${word} ${when}`,
    );
  const mend = `Its time is still to come (not valid yet): the clock of this machine is behind, or the issuer's ahead; let both follow a time server. Small differences: clockToleranceSeconds.`;
  return problem(check, `${word} ${when}`, mend, `not later than in ${String(issuer.clockToleranceSeconds)} s`);
}
