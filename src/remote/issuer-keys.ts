import { AuthError } from '../model/errors.js';
import type { IssuerKeyHealth } from '../keys/issuer-key-health.js';
import type { KeySet } from '../keys/key-set.js';
import type { KeySource } from '../keys/key-source.js';
import type { KeyStore } from '../keys/key-store.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import { RefreshBackoff } from './refresh-backoff.js';
import { withDeadline } from './deadline.js';
import { FetchError } from './fetch-error.js';
import { cachedFromFallback, cachedFromIssuer, type CachedKeySet } from './cached-key-set.js';
import { fetchJwks } from './jwks-client.js';
import { KeySetPersistence } from './key-set-persistence.js';
import { UnknownKidBudget } from './unknown-kid-budget.js';

export interface IssuerKeysOptions extends ResolvedRemoteKeys {
  readonly issuer: string;
  /** Else it is a tenant of a resolver's. */
  readonly isConfigured: boolean;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** From 0 to 1, as `Math.random`: so that the processes of a fleet do not all ask at once. */
  readonly random: () => number;
  /** Finds the address of the key set. */
  readonly locate: (signal: AbortSignal) => string | Promise<string>;
  readonly store: KeyStore | undefined;
  /** By which way the keys come: stored ones that came another way are not used. */
  readonly origin: string;
  /** When the issuer may be asked first: milliseconds since 1970. */
  readonly notBefore?: number | undefined;
  /** How many unknown key ids are remembered. */
  readonly maxUnknownKids: number;
  /** Runs something later, and returns what cancels it. Without it nothing is fetched but for a request. */
  readonly schedule: ((run: () => void, delayMs: number) => () => void) | undefined;
  /** Told about each failure, for the log. */
  readonly onProblem: (message: string) => void;
}

const MIN_TIMER_MS = 1_000;
const REPORT_AGAIN_MS = 600_000;
const MAX_PROBLEMS = 10;

/**
 * The key set of an issuer, kept whole: which set serves, and when the issuer is asked.
 *
 * - One fetch at a time; whoever needs it waits for the same one.
 * - A set is asked for again before it is no longer fresh, beside the requests that it serves.
 * - While the issuer cannot be reached the last set serves, until `maxStaleSeconds` after it was fetched.
 * - A set is replaced whole, by one that holds a usable key, or not at all.
 * - Key ids that are not in the set have a budget of their own.
 * - Before the first answer of the issuer the store's set serves, then the fallback; after it never again.
 */
export class IssuerKeys implements KeySource {
  /** When the issuer was asked last; -Infinity when never. */
  lastAskedAt = -Infinity;
  private held: CachedKeySet | undefined;
  private pending: Promise<void> | undefined;
  private address: string | undefined;
  private isAddressDoubtful = false;
  private cancelTimer: (() => void) | undefined;
  private lastReport: { readonly kind: string; readonly at: number } | undefined;
  private readonly attempts: RefreshBackoff;
  private readonly unknown: UnknownKidBudget;
  private readonly knownGood: KeySetPersistence | undefined;
  private restoring: Promise<void> | undefined;
  private isRestored: boolean;
  private readonly closing = new AbortController();

  constructor(readonly options: IssuerKeysOptions) {
    const { store, unknownKidCooldownSeconds, random, notBefore, maxUnknownKids } = options;
    this.attempts = new RefreshBackoff(random, notBefore);
    this.unknown = new UnknownKidBudget(unknownKidCooldownSeconds * 1000, maxUnknownKids);
    this.knownGood =
      store &&
      new KeySetPersistence({
        ...options,
        store,
        onProblem: (message) => {
          this.tell(message);
        },
      });
    this.isRestored = store === undefined;
  }

  keySetFor(kid: string | undefined, rejectedSet?: KeySet): KeySet | Promise<KeySet> {
    const now = this.options.clock();
    const held = this.heldAt(now);
    if (held === undefined) return this.awaitKeySet(kid, rejectedSet);
    const { keySet } = held.jwks;
    if (keySet === rejectedSet || keySet.candidates(kid).length === 0) return this.search(kid, keySet, now);
    if (!this.attempts.isDue(now)) return keySet;
    const refreshed = this.refresh();
    // A set that nobody asked for over a long time is not trusted unseen. In an outage it is all there is.
    const isForgotten = this.attempts.failures === 0 && now - held.freshUntil >= held.freshUntil - held.fetchedAt;
    return isForgotten ? refreshed.then(() => this.servingKeySet()) : keySet;
  }

  current(): KeySet | undefined {
    return this.heldAt(this.options.clock())?.jwks.keySet;
  }

  /** Gets keys before anybody asks for one. Never rejects: `health` says how it went. */
  async warmUp(): Promise<void> {
    const { clock } = this.options;
    await this.restore();
    if (this.attempts.isDue(clock())) await this.refresh();
    // The first request need not sit the pause out: that nobody answered at start is not its fault.
    this.forgetFailures();
  }

  health(): IssuerKeyHealth {
    const now = this.options.clock();
    const held = this.heldAt(now);
    const { failures, lastErrorCode } = this.attempts;
    return {
      issuer: this.options.issuer,
      isConfigured: this.options.isConfigured,
      state: held === undefined ? 'unavailable' : now < held.freshUntil ? 'fresh' : 'stale',
      source: held?.source,
      ageSeconds: held && Number.isFinite(held.fetchedAt) ? (now - held.fetchedAt) / 1000 : undefined,
      failures,
      lastErrorCode,
    };
  }

  /** Whoever needs the issuer next may ask it, whatever was before. The keys that serve go on. */
  forgetPauses(): void {
    this.forgetFailures();
    this.unknown.forgetCooldown();
  }

  /** Asks nobody any more, and leaves no timer, no socket and no half-written store behind. */
  async close(): Promise<void> {
    this.cancelTimer?.();
    this.closing.abort();
    await this.knownGood?.close();
  }

  private forgetFailures(): void {
    if (this.attempts.failures > 0) this.attempts.allowAtOnce(this.options.clock());
  }

  private heldAt(now: number): CachedKeySet | undefined {
    return this.held !== undefined && now < this.held.servesUntil ? this.held : undefined;
  }

  /** No set to answer from: wait for one, or say when to come back. */
  private async awaitKeySet(kid: string | undefined, rejectedSet: KeySet | undefined): Promise<KeySet> {
    if (!this.isRestored) {
      await this.restore();
      return this.keySetFor(kid, rejectedSet);
    }
    if (this.attempts.isDue(this.options.clock())) await this.refresh();
    return this.servingKeySet();
  }

  private async search(kid: string | undefined, known: KeySet, now: number): Promise<KeySet> {
    const { attempts, unknown } = this;
    // In an outage the pause between attempts holds for everybody.
    const mayAsk = (attempts.failures === 0 || attempts.isDue(now)) && unknown.mayAsk(kid, now);
    if (this.pending !== undefined) {
      await this.pending;
    } else if (mayAsk) {
      // What is missed for the second time may have moved: then the metadata say where to.
      await this.refresh(unknown.wasMissed(kid));
      // A fetch that failed has found nothing out; when the next one may be is for its pause to say.
      if (attempts.failures === 0) unknown.asked(now);
    }
    // The issuer may have published the key since: we do not know, and must not say that the token is bad.
    if (attempts.failures > 0) throw this.unavailable();
    const keySet = this.servingKeySet();
    if (keySet !== known && keySet.candidates(kid).length > 0) unknown.found(kid);
    else unknown.missed(kid, this.options.clock());
    return keySet;
  }

  private servingKeySet(): KeySet {
    const held = this.heldAt(this.options.clock());
    if (held === undefined) throw this.unavailable();
    return held.jwks.keySet;
  }

  private unavailable(): AuthError {
    const { issuer, clock } = this.options;
    const seconds = Math.ceil(this.attempts.msUntilNext(clock()) / 1000);
    const detail = { issuer, reason: this.attempts.lastErrorCode };
    return new AuthError('KEYS_UNAVAILABLE', detail, { retryAfterSeconds: Math.max(1, seconds) });
  }

  /** Never rejects: how it went is in the fields. */
  private refresh(relocate = false): Promise<void> {
    this.pending ??= this.load(relocate).finally(() => {
      this.pending = undefined;
    });
    return this.pending;
  }

  private async load(relocate: boolean): Promise<void> {
    const { clock, fallback } = this.options;
    // The moment of asking: what is withdrawn while the answer is on its way is withdrawn after it.
    const askedAt = clock();
    this.lastAskedAt = askedAt;
    try {
      this.accept(await this.fetchKeys(relocate, askedAt));
    } catch (error) {
      const failure = error instanceof FetchError ? error : new FetchError('KEYS_UNUSABLE', 'cannot be read');
      this.isAddressDoubtful = true;
      // Only for want of anything better: what the issuer has once published counts more, even after it is too old.
      const isWanted = this.held?.source !== 'issuer' && this.heldAt(clock()) === undefined;
      if (isWanted && fallback !== undefined) this.held = cachedFromFallback(fallback);
      this.attempts.failed(clock(), failure, this.heldAt(clock()) !== undefined);
      this.reportFailure(failure);
    }
    this.plan();
  }

  private fetchKeys(relocate: boolean, askedAt: number): Promise<CachedKeySet & { readonly address: string }> {
    // For all exchanges together: whoever waits for keys waits for metadata and key set.
    return withDeadline(2 * this.options.timeoutMs, this.closing.signal, async (signal) => {
      const address = await this.locate(relocate, signal);
      const known = this.held?.address === address ? this.held.jwks : undefined;
      const { jwks, maxAgeSeconds } = await fetchJwks(address, { ...this.options, signal }, known);
      return { ...cachedFromIssuer(jwks, address, askedAt, maxAgeSeconds, this.options), address };
    });
  }

  private async locate(relocate: boolean, signal: AbortSignal): Promise<string> {
    const known = this.address;
    if (known === undefined) return this.options.locate(signal);
    if (!relocate && !this.isAddressDoubtful) return known;
    try {
      // Slow metadata must leave time for the keys.
      return await withDeadline(this.options.timeoutMs, signal, async (inner) => this.options.locate(inner));
    } catch {
      // They cannot be had: the keys may be, where they were.
      return known;
    }
  }

  private accept(held: CachedKeySet & { readonly address: string }): void {
    const { fetchedAt, freshUntil, address, jwks } = held;
    const before = this.held?.jwks.keySet;
    const { failures } = this.attempts;
    if (failures > 0) this.report(`can be fetched again, after ${String(failures)} failed attempts`);
    const { problems } = jwks.keySet;
    if (jwks.keySet !== before && problems.length > 0) {
      this.report(`are in part of no use: ${problems.slice(0, MAX_PROBLEMS).join('; ')}`);
    }
    this.lastReport = undefined;
    this.held = held;
    this.address = address;
    this.isAddressDoubtful = false;
    this.attempts.succeeded(fetchedAt, freshUntil - fetchedAt);
    // A kid that is gone may come back: some issuers serve the old set and the new one in turn after a rotation.
    for (const kid of before?.kids ?? []) if (!jwks.keySet.hasKid(kid)) this.unknown.missed(kid, fetchedAt);
    this.knownGood?.save(held);
  }

  /** Wakes up for the next attempt, so that no request has to wait for it. */
  private plan(): void {
    this.cancelTimer?.();
    const { schedule, clock } = this.options;
    if (schedule === undefined || this.closing.signal.aborted) return;
    const delayMs = Math.max(MIN_TIMER_MS, this.attempts.msUntilNext(clock()));
    this.cancelTimer = schedule(() => {
      if (this.attempts.isDue(clock())) void this.refresh();
      else this.plan();
    }, delayMs);
  }

  private restore(): Promise<void> {
    this.restoring ??= this.loadKnownGood();
    return this.restoring;
  }

  private async loadKnownGood(): Promise<void> {
    const stored = await this.knownGood?.load(this.options.clock());
    // What the issuer itself has said by now counts more.
    this.held ??= stored;
    this.isRestored = true;
  }

  /** The first failure, what is new about a later one, and every now and then that it goes on. */
  private reportFailure({ code, message }: FetchError): void {
    if (this.closing.signal.aborted) return;
    const now = this.options.clock();
    const kind = `${code} ${this.heldAt(now) === undefined ? 'without keys' : 'with keys'}`;
    if (this.lastReport?.kind === kind && now - this.lastReport.at < REPORT_AGAIN_MS) return;
    this.lastReport = { kind, at: now };
    this.report(`cannot be fetched: ${message}`);
  }

  private report(what: string): void {
    this.tell(`Keys of ${this.options.issuer} ${what}`);
  }

  /** Nobody may be waiting for what failed: a logger that throws would end the process. */
  private tell(message: string): void {
    try {
      this.options.onProblem(message);
    } catch {
      // What is lost is a line of the log.
    }
  }
}
