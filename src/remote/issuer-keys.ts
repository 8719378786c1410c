import { AuthError } from '../model/errors.js';
import type { KeySet } from '../keys/key-set.js';
import type { IssuerKeyHealth, KeySource } from '../keys/key-source.js';
import type { KeyStore } from '../keys/key-store.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import { type CachedKeySet, lifetime } from './cached-key-set.js';
import { type ExchangeOptions, FetchError, withDeadline } from './http-exchange.js';
import type { TenantLimits } from './fetch-limit.js';
import { fetchJwks } from './jwks-client.js';
import { KeySetHistory } from './key-set-history.js';
import { KeySetPersistence } from './key-set-persistence.js';
import { RefreshBackoff } from './refresh-backoff.js';
import { UnknownKidBudget } from './unknown-kid-budget.js';

interface IssuerKeysOptions extends ResolvedRemoteKeys, ExchangeOptions {
  readonly issuer: string;
  readonly isConfigured: boolean;
  readonly signal: AbortSignal;
  readonly clock: () => number;
  /** Returns the addresses of the keys. If they are `isDoubtful`, the addresses returned last may be outdated. */
  readonly locate: (isDoubtful: boolean) => Promise<readonly string[]>;
  readonly store: KeyStore | undefined;
  readonly origin: string;
  /** The limits that the tenants share. Undefined for a configured issuer. */
  readonly limits?: TenantLimits | undefined;
  /** When the first fetch is allowed. */
  readonly notBefore?: number | undefined;
  /** Receives warnings for the log. Must not throw. */
  readonly onProblem: (message: string) => void;
}

const MIN_TIMER_MS = 1_000;
const REPEAT_WARNING_MS = 600_000;
const MAX_WARNED_KEYS = 10;
// Bounds of what callers without a valid token can make this process remember.
const MAX_UNKNOWN_KIDS = 500;
const MAX_UNKNOWN_KIDS_OF_TENANT = 50;
/** For one token whose key is missing. */
const MAX_FETCHES_FOR_TOKEN = 3;
/** In refreshes: how long a key is used after it was seen last, if the servers of the issuer have different keys. */
const FLAPPING_REFRESHES = 6;
const MAX_FLAPPING_SECONDS = 3_600;

/**
 * The cached key set of one issuer, fetched as `RemoteKeyOptions` describes. All requests that need a fetch share it. A set is
 * replaced as a whole, and only by a set with a usable key. Unknown key ids have a budget of their own. The stored set, then the
 * fallback, is used until the issuer first responds, and never afterwards.
 */
export class IssuerKeys implements KeySource {
  lastFetchAt = -Infinity;
  private cached: CachedKeySet | undefined;
  private refreshing: Promise<void> | undefined;
  private restoring: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly backoff: RefreshBackoff;
  private readonly unknownKids: UnknownKidBudget;
  private readonly history: KeySetHistory;
  private readonly persistence: KeySetPersistence | undefined;
  private lastWarning: { readonly kind: string; readonly at: number } | undefined;

  constructor(readonly options: IssuerKeysOptions) {
    const { isConfigured, store, refreshSeconds, unknownKidCooldownSeconds, notBefore } = options;
    this.backoff = new RefreshBackoff(notBefore);
    const maxUnknownKids = isConfigured ? MAX_UNKNOWN_KIDS : MAX_UNKNOWN_KIDS_OF_TENANT;
    this.unknownKids = new UnknownKidBudget(unknownKidCooldownSeconds * 1000, maxUnknownKids);
    this.history = new KeySetHistory(Math.min(FLAPPING_REFRESHES * refreshSeconds, MAX_FLAPPING_SECONDS) * 1000);
    this.persistence = store && new KeySetPersistence(store, options);
  }

  keySetFor(kid: string | undefined, rejectedSet?: KeySet): KeySet | Promise<KeySet> {
    const now = this.options.clock();
    const cached = this.usableAt(now);
    if (cached === undefined) return this.awaitKeySet(kid, rejectedSet);
    const { keySet } = cached;
    if (keySet === rejectedSet || keySet.candidates(kid).length === 0) return this.search(kid, keySet, now);
    if (!this.backoff.isDue(now)) return keySet;
    const refreshed = this.refresh();
    // A set that was not refreshed for long, because no token was received, may contain withdrawn keys: wait for the
    // refresh. During an outage no newer set is available.
    const isNeglected = this.backoff.failures === 0 && now - cached.freshUntil >= cached.freshUntil - cached.fetchedAt;
    return isNeglected ? this.awaitCurrent(refreshed) : keySet;
  }

  current(): KeySet | undefined {
    return this.usableAt(this.options.clock())?.keySet;
  }

  /** Fetches the keys before the first token is received. Never rejects; `health` returns the result. */
  async warmUp(): Promise<void> {
    const { clock } = this.options;
    await this.restore();
    if (this.backoff.isDue(clock())) await this.refresh();
    // The first token need not wait before another attempt.
    this.backoff.skipPause();
  }

  health(): IssuerKeyHealth {
    const { issuer, isConfigured, clock } = this.options;
    const now = clock();
    const cached = this.usableAt(now);
    const { failures, lastErrorCode } = this.backoff;
    return {
      issuer,
      isConfigured,
      state: cached === undefined ? 'unavailable' : now < cached.freshUntil ? 'fresh' : 'stale',
      source: cached?.source,
      ageSeconds: cached && Number.isFinite(cached.fetchedAt) ? (now - cached.fetchedAt) / 1000 : undefined,
      failures,
      lastErrorCode,
    };
  }

  forgetPauses(): void {
    this.backoff.skipPause();
    this.unknownKids.endCooldown();
  }

  /** The `signal` of the options ends a fetch. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.persistence?.close();
  }

  private usableAt(now: number): CachedKeySet | undefined {
    return this.cached !== undefined && now < this.cached.usableUntil ? this.cached : undefined;
  }

  private async awaitKeySet(kid: string | undefined, rejectedSet: KeySet | undefined): Promise<KeySet> {
    const { clock } = this.options;
    await this.restore();
    if (this.usableAt(clock()) !== undefined) return this.keySetFor(kid, rejectedSet);
    return this.backoff.isDue(clock()) ? this.awaitCurrent(this.refresh()) : this.currentOrThrow();
  }

  private async awaitCurrent(refreshed: Promise<void> | undefined): Promise<KeySet> {
    if (refreshed === undefined) throw this.unavailable('BUSY');
    await refreshed;
    return this.currentOrThrow();
  }

  /** Looks in a newer set for a kid that the cached set lacks, within the budget for unknown kids. */
  private async search(kid: string | undefined, searchedSet: KeySet, now: number): Promise<KeySet> {
    const { backoff, unknownKids } = this;
    // During an outage, the pause between attempts also applies to unknown kids.
    const mayFetch = (backoff.failures === 0 || backoff.isDue(now)) && unknownKids.allowsFetch(kid, now);
    if (this.refreshing !== undefined) {
      await this.refreshing;
    } else if (mayFetch) {
      // If the kid is missing for the second time, the key set may have moved to another address.
      await this.fetchFor(kid, now, unknownKids.isMissing(kid));
    }
    // The issuer may have published the key in the meantime, so the token must not be rejected as invalid. If the set has a key of
    // this name, its verdict stands: anyone can send a token with a known `kid` and any signature.
    if (backoff.failures > 0 && !searchedSet.hasKid(kid)) throw this.unavailable();
    const keySet = this.currentOrThrow();
    // The key may be at the address that did not answer.
    const [partial] = this.cached?.fetched?.failures ?? [];
    if (partial !== undefined && keySet.candidates(kid).length === 0) throw this.unavailable(partial.code);
    if (keySet !== searchedSet && keySet.candidates(kid).length > 0) unknownKids.clearMiss(kid);
    else unknownKids.recordMiss(kid, this.options.clock());
    return keySet;
  }

  /** Fetches once, and again while the answers change: each may be of another server of the issuer. */
  private async fetchFor(kid: string | undefined, now: number, relocate: boolean): Promise<void> {
    const { backoff, unknownKids } = this;
    for (let fetches = 0; fetches < MAX_FETCHES_FOR_TOKEN; fetches += 1) {
      const before = this.current();
      await this.awaitCurrent(this.refresh(relocate && fetches === 0));
      // A failed fetch does not show whether the kid exists, and is limited by its own pause.
      if (backoff.failures > 0) return;
      unknownKids.recordFetch(now);
      const keySet = this.currentOrThrow();
      if (keySet === before || keySet.candidates(kid).length > 0 || !unknownKids.hasRetries) return;
    }
  }

  private currentOrThrow(): KeySet {
    const keySet = this.current();
    if (keySet === undefined) throw this.unavailable();
    return keySet;
  }

  private unavailable(reason: string | undefined = this.backoff.lastErrorCode): AuthError {
    const { issuer, clock } = this.options;
    const seconds = Math.ceil(this.backoff.msUntilNext(clock()) / 1000);
    const detail = { issuer, reason };
    return new AuthError('KEYS_UNAVAILABLE', detail, { retryAfterSeconds: Math.max(1, seconds) });
  }

  /** Never rejects; `backoff` has the result. Undefined if too many fetches for tenants are in progress. */
  private refresh(relocate = false): Promise<void> | undefined {
    if (this.refreshing !== undefined) return this.refreshing;
    const { limits } = this.options;
    const limit = this.cached?.fetched === undefined ? limits?.firstFetches : limits?.laterFetches;
    const loading = limit === undefined ? this.load(relocate) : limit.run(() => this.load(relocate));
    return (this.refreshing = loading?.finally(() => (this.refreshing = undefined)));
  }

  private async load(relocate: boolean): Promise<void> {
    // The age counts from the request: a key may be withdrawn while the response is on its way.
    const startedAt = this.options.clock();
    this.lastFetchAt = startedAt;
    try {
      this.accept(await this.fetchKeySet(relocate, startedAt));
    } catch (error) {
      this.fail(error instanceof FetchError ? error : new FetchError('KEYS_UNUSABLE', 'cannot be read'));
    }
    this.scheduleRefresh();
  }

  private fetchKeySet(relocate: boolean, startedAt: number): Promise<CachedKeySet> {
    // One deadline for metadata and key set: the requests that need the keys wait for both.
    return withDeadline(2 * this.options.timeoutMs, this.options.signal, async (signal) => {
      const addresses = await this.locate(relocate || this.backoff.failures > 0, signal);
      const fetched = await fetchJwks(addresses, { ...this.options, signal }, this.cached?.fetched, startedAt);
      const keySet = this.unite(fetched.keySet, startedAt);
      return { keySet, source: 'issuer', fetched, ...lifetime(startedAt, this.options, fetched.maxAgeSeconds) };
    });
  }

  private async locate(isDoubtful: boolean, signal: AbortSignal): Promise<readonly string[]> {
    const { locate, timeoutMs } = this.options;
    const addresses = this.cached?.fetched?.addresses;
    if (addresses === undefined || !isDoubtful) return addresses ?? locate(isDoubtful);
    // The shorter deadline leaves time to fetch the keys from the known addresses.
    return withDeadline(timeoutMs, signal, () => locate(true)).catch(() => addresses);
  }

  private unite(fetched: KeySet, now: number): KeySet {
    const wasFlapping = this.history.isFlapping(now);
    const keySet = this.history.add(fetched, now);
    if (!wasFlapping && this.history.isFlapping(now))
      this.warn(
        "change from one fetch to the next and back: several servers answer in turn and have different keys. The keys of all answers are used. Give all servers the same keys, or list the address of each: keys: { from: 'jwks', uri: [ … ] }",
      );
    return keySet;
  }

  private accept(accepted: CachedKeySet): void {
    const { keySet, fetched, fetchedAt, freshUntil } = accepted;
    const previous = this.cached?.keySet;
    const { failures } = this.backoff;
    if (failures > 0) this.warn(`can be fetched again after ${String(failures)} failed attempts`);
    const problems = keySet === previous ? [] : keySet.problems.slice(0, MAX_WARNED_KEYS);
    if (problems.length > 0) this.warn(`cannot all be used: ${problems.join('; ')}`);
    const missing = fetched?.failures.map(({ message }) => message).join('; ') ?? '';
    if (missing === '') this.lastWarning = undefined;
    else this.warnOnce('PARTIAL', `cannot be fetched from all addresses: ${missing}`, fetchedAt);
    this.cached = accepted;
    this.backoff.recordSuccess(fetchedAt, freshUntil - fetchedAt);
    // A withdrawn kid may return: the issuer's servers may serve the old and the new set in turn.
    for (const kid of previous?.kids ?? []) if (!keySet.hasKid(kid)) this.unknownKids.recordWithdrawal(kid, fetchedAt);
    this.persistence?.save(accepted);
  }

  private fail(failure: FetchError): void {
    const { clock, fallback, signal } = this.options;
    const now = clock();
    // Keys that the issuer has published rule out the fallback, even after they have expired.
    if (fallback !== undefined && this.cached?.source !== 'issuer' && this.usableAt(now) === undefined) {
      const unlimited = { fetchedAt: -Infinity, freshUntil: -Infinity, usableUntil: Infinity };
      this.cached = { keySet: fallback, source: 'fallback', ...unlimited };
    }
    const hasKeys = this.usableAt(now) !== undefined;
    this.backoff.recordFailure(now, failure, hasKeys);
    if (!signal.aborted)
      this.warnOnce(`${failure.code} ${String(hasKeys)}`, `cannot be fetched: ${failure.message}`, now);
  }

  /** During an outage, a failure of the same kind is repeated only every ten minutes. */
  private warnOnce(kind: string, what: string, now: number): void {
    if (this.lastWarning?.kind === kind && now - this.lastWarning.at < REPEAT_WARNING_MS) return;
    this.lastWarning = { kind, at: now };
    this.warn(what);
  }

  private warn(what: string): void {
    this.options.onProblem(`Keys of ${this.options.issuer} ${what}`);
  }

  private scheduleRefresh(): void {
    clearTimeout(this.timer);
    const { isConfigured, clock, signal } = this.options;
    // There may be many tenants; their keys are fetched only when their tokens are received.
    if (!isConfigured || signal.aborted) return;
    const refresh = () => {
      if (this.backoff.isDue(clock())) void this.refresh();
      else this.scheduleRefresh();
    };
    this.timer = setTimeout(refresh, Math.max(MIN_TIMER_MS, this.backoff.msUntilNext(clock()))).unref();
  }

  /** Loads the stored set once. @throws AuthError KEYS_UNAVAILABLE if too many sets of tenants are being loaded. */
  private async restore(): Promise<void> {
    const { persistence } = this;
    if (persistence === undefined) return;
    const { limits, clock } = this.options;
    const load = async () => {
      const stored = await persistence.load(clock());
      // Another server of the issuer may have keys of it that the next answer lacks.
      if (stored !== undefined) this.history.add(stored.keySet, clock());
      this.cached ??= stored;
    };
    this.restoring ??= limits === undefined ? load() : limits.storeLoads.run(load);
    if (this.restoring === undefined) throw this.unavailable('BUSY');
    await this.restoring;
  }
}
