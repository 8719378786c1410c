// Calculates the maximum number of calls to an issuer that the options allow. See RemoteKeyOptions in
// src/options/options.ts, src/remote/refresh-backoff.ts and src/remote/unknown-kid-budget.ts.

/** Short times, so that two minutes cover many refreshes. */
export const POLICY = { refreshSeconds: 5, maxStaleSeconds: 60, unknownKidCooldownSeconds: 5, timeoutMs: 300 };

/** A key set is refreshed after 80 to 95 % of its lifetime. */
const EARLIEST_REFRESH = 0.8;
/** Calls per cooldown: one for any unknown kid, five for unknown kids that arrive repeatedly. */
const CALLS_PER_COOLDOWN = 1 + 5;
/** Pauses after failures: 1, 2, 4, … 30 seconds, minus up to 25 % jitter. */
const FIRST_PAUSE_SECONDS = 1;
const MAX_PAUSE_SECONDS = 30;
const SHORTEST_OF_PAUSE = 0.75;
/** The locations of RFC 8414 and OpenID Connect. The second is the fallback if the first returns no metadata. */
const METADATA_LOCATIONS = 2;

/**
 * Returns the maximum number of calls to one issuer, regardless of the tokens that clients send. The real number is lower,
 * because the worst cases rarely coincide.
 *
 * @param seconds the duration of the run.
 * @param outages the outages with their duration in `seconds`.
 */
export function boundOf(seconds, outages) {
  const refreshes = 1 + Math.floor(seconds / (EARLIEST_REFRESH * POLICY.refreshSeconds));
  const unknownKids = CALLS_PER_COOLDOWN * (1 + Math.floor(seconds / POLICY.unknownKidCooldownSeconds));
  // The first call after an outage succeeds and is earlier than the regular refresh.
  const inOutages = sum(outages.map((outage) => attemptsWithin(outage.seconds) + 1));
  return {
    refreshes,
    unknownKids,
    inOutages,
    keySets: refreshes + unknownKids + inOutages,
    // At start, for an unknown kid that arrived before, and after each failure, because the `jwks_uri` may have changed.
    metadata: 1 + unknownKids + METADATA_LOCATIONS * inOutages,
  };
}

/** Returns the maximum number of attempts during an outage, with the shortest possible pauses. */
export function attemptsWithin(seconds) {
  // An attempt that is in flight when the outage ends still fails.
  const until = seconds + (2 * POLICY.timeoutMs) / 1000;
  let attempts = 1;
  for (let at = pauseAfter(1); at <= until; at += pauseAfter(attempts)) attempts += 1;
  return attempts;
}

function pauseAfter(failures) {
  return SHORTEST_OF_PAUSE * Math.min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), MAX_PAUSE_SECONDS);
}

/** Explains the calculation of the bound below the table. */
export function explainBound(seconds, bounds) {
  const total = (name) => sum(bounds.map((bound) => bound[name]));
  const { refreshSeconds, unknownKidCooldownSeconds } = POLICY;
  return [
    `Maximum number of calls to ${bounds.length} issuers in ${seconds.toFixed(1)} s:`,
    `  ${total('refreshes')} refreshes: 1 at start, then one per ${EARLIEST_REFRESH} × ${refreshSeconds} s`,
    `  ${total('unknownKids')} for unknown kids: ${CALLS_PER_COOLDOWN} per cooldown of ${unknownKidCooldownSeconds} s (1 for any kid, 5 for repeated kids)`,
    `  ${total('inOutages')} in outages: attempts with pauses of ${SHORTEST_OF_PAUSE} × 1, 2, 4, … s, and 1 after each outage`,
    `  metadata: 1 at start, 1 for each call for an unknown kid, ${METADATA_LOCATIONS} locations for each call in an outage`,
  ].join('\n');
}

export function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
