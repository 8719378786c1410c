import { type CheckRow, ok, problem, skipped, warning } from './check-row.js';
import type { ServerClock } from './probe.js';

const WORTH_A_WARNING_SECONDS = 5;

/** The issuer's clock, as its `Date` header (RFC 9110 §6.6.1) tells it, against that of this machine. */
export function checkClock(clock: ServerClock | undefined, toleranceSeconds: number): CheckRow {
  if (clock === undefined) return skipped('clock', 'no answer had a Date header');
  const { aheadSeconds, uncertainSeconds } = clock;
  // Only what cannot be the time that the answer took.
  const off = Math.max(0, Math.abs(aheadSeconds) - uncertainSeconds);
  const seconds = String(Math.round(Math.abs(aheadSeconds)));
  const found = `the issuer is ${seconds} s ${aheadSeconds > 0 ? 'ahead' : 'behind'}`;
  const tolerated = String(toleranceSeconds);
  const bridge = Math.min(300, Math.ceil(Math.abs(aheadSeconds) + 1));
  const settle = `Let both clocks follow a time server (chrony, systemd-timesyncd; in a virtual machine after a pause, too): this machine's or the issuer's is wrong.`;
  const effect =
    aheadSeconds > 0 ? 'New tokens are refused as not valid yet' : 'Tokens end here earlier than their issuer means';
  if (off > toleranceSeconds) {
    const until = Math.abs(aheadSeconds) < 300 ? ` Until then: clockToleranceSeconds: ${String(bridge)}.` : '';
    return problem('clock', found, `${effect}. ${settle}${until}`, `at most ${tolerated} s (clockToleranceSeconds)`);
  }
  if (off > WORTH_A_WARNING_SECONDS) return warning('clock', found, `${settle} Up to ${tolerated} s are tolerated.`);
  return ok('clock', Math.abs(aheadSeconds) <= uncertainSeconds + 1 ? 'as this machine has it' : found);
}
