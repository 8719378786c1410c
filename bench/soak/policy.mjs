// What the options promise about calls to an issuer, as numbers: see RemoteKeyOptions in src/options/options.ts, and the
// pauses in src/remote/refresh-backoff.ts and src/remote/unknown-kid-budget.ts.

/** Short times, so that much happens in two minutes. */
export const POLICY = { refreshSeconds: 5, maxStaleSeconds: 60, unknownKidCooldownSeconds: 5, timeoutMs: 300 };

/** Of its freshness, a set has this much behind it when it is asked for again: 80 to 95 %. */
const EARLIEST_REFRESH = 0.8;
/** In a cool-down: one call for whatever kid is unknown, five for kids that come back. */
const CALLS_PER_COOLDOWN = 1 + 5;
/** After a failure: 1, 2, 4, … 30 seconds, and up to a quarter less by jitter. */
const FIRST_PAUSE_SECONDS = 1;
const MAX_PAUSE_SECONDS = 30;
const SHORTEST_OF_PAUSE = 0.75;
/** RFC 8414's location and OpenID Connect's; the second is asked where the first did not answer with metadata. */
const METADATA_LOCATIONS = 2;

/**
 * How often one issuer may be asked, whatever callers send: at most, since these add up only when each comes at its worst
 * moment.
 *
 * @param seconds that the application ran.
 * @param outages how many `seconds` each of them lasted.
 */
export function boundOf(seconds, outages) {
  const refreshes = 1 + Math.floor(seconds / (EARLIEST_REFRESH * POLICY.refreshSeconds));
  const unknownKids = CALLS_PER_COOLDOWN * (1 + Math.floor(seconds / POLICY.unknownKidCooldownSeconds));
  // The call after an outage succeeds, and comes earlier than a refresh would.
  const inOutages = sum(outages.map((outage) => attemptsWithin(outage.seconds) + 1));
  return {
    refreshes,
    unknownKids,
    inOutages,
    keySets: refreshes + unknownKids + inOutages,
    // At start; for a kid that was missed before; and as long as the issuer's address is doubtful, after a failure.
    metadata: 1 + unknownKids + METADATA_LOCATIONS * inOutages,
  };
}

/** RefreshBackoff that an outage sees when each pause is as short as it may be. */
export function attemptsWithin(seconds) {
  // An attempt that is under way when the outage ends still fails.
  const until = seconds + (2 * POLICY.timeoutMs) / 1000;
  let attempts = 1;
  for (let at = pauseAfter(1); at <= until; at += pauseAfter(attempts)) attempts += 1;
  return attempts;
}

function pauseAfter(failures) {
  return SHORTEST_OF_PAUSE * Math.min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), MAX_PAUSE_SECONDS);
}

/** How the bound comes about, for the reader of the table. */
export function explainBound(seconds, bounds) {
  const total = (name) => sum(bounds.map((bound) => bound[name]));
  const { refreshSeconds, unknownKidCooldownSeconds } = POLICY;
  return [
    `How often ${bounds.length} issuers may be asked in ${seconds.toFixed(1)} s:`,
    `  ${total('refreshes')} refreshes: 1 at start, then one per ${EARLIEST_REFRESH} × ${refreshSeconds} s`,
    `  ${total('unknownKids')} for unknown kids: ${CALLS_PER_COOLDOWN} per cool-down of ${unknownKidCooldownSeconds} s (1 for any kid, 5 for kids that come back)`,
    `  ${total('inOutages')} in outages: in each as many as pauses of ${SHORTEST_OF_PAUSE} × 1, 2, 4, … s let into its length, and 1 that ends it`,
    `  metadata: 1 at start, 1 for each unknown kid that came back, ${METADATA_LOCATIONS} locations for each call of an outage`,
  ].join('\n');
}

export function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
