import { LRUCache } from 'lru-cache';
import { keysIn } from '../keys/key-document.js';
import { KeySet } from '../keys/key-set.js';
import type { IssuerKeyHealth, KeySource } from '../keys/key-source.js';
import { withoutQuery } from '../model/address.js';
import { AuthError } from '../model/errors.js';
import { isJsonObject } from '../model/unknown-value.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import { FetchLimit } from './fetch-limit.js';
import { exchange, type ExchangeOptions, FetchError } from './http-exchange.js';

/** The part of an address that is replaced by the key id. */
export const KEY_ID_PLACEHOLDER = '{kid}';
// The id becomes a part of the address. Those of AWS are UUIDs.
const KEY_ID = /^[\w-]{1,128}$/;
/** An answer that a key does not exist. Object stores answer 403 if their content must not be listed. */
const MISSING: readonly (number | undefined)[] = [400, 403, 404, 410];
/** An answer that a known key was withdrawn. */
const WITHDRAWN: readonly (number | undefined)[] = [404, 410];
/** More than are in use during a rotation. */
const MAX_KEYS = 64;
const MAX_UNKNOWN = 1_000;
const MAX_FETCHES_AT_ONCE = 16;
/** A key that could not be fetched is not requested again for this time, so that a flood of its tokens causes no flood of requests. */
const FAILURE_PAUSE_MS = 1_000;
/** How many unknown keys are requested together, and then per second. Random key ids have no other limit. */
const MAX_UNKNOWN_AT_ONCE = 20;
const UNKNOWN_PER_SECOND = 2;
const EMPTY = new KeySet([]);

interface SeparateKeysOptions extends ResolvedRemoteKeys, ExchangeOptions {
  readonly issuer: string;
  readonly isConfigured: boolean;
  readonly clock: () => number;
  /** The address of each key, with the placeholder. */
  readonly template: string;
  readonly onProblem: (message: string) => void;
}

/** A key, or the reason why there is none. Times are milliseconds since 1970. */
interface Entry {
  readonly keySet: KeySet;
  readonly fetchedAt: number;
  /** When the next request is allowed. */
  readonly retryAt: number;
  readonly failure?: FetchError;
}

/**
 * The keys of an issuer that has an address for each key. Each is fetched when its first token is received, and again after
 * `refreshSeconds`; during an outage it is used for `maxStaleSeconds`. An unknown key id is requested once in `unknownKidCooldownSeconds`,
 * all of them together at a limited rate (503 above it), and never affects known keys. There is no warm-up and no key store, because no address lists the keys.
 */
export class SeparateKeys implements KeySource {
  lastFetchAt = -Infinity;
  private readonly known = new LRUCache<string, Entry>({ max: MAX_KEYS });
  private readonly unknown = new LRUCache<string, Entry>({ max: MAX_UNKNOWN });
  private readonly pending = new Map<string, Promise<void>>();
  private readonly limit = new FetchLimit(MAX_FETCHES_AT_ONCE);
  private unknownFetches = MAX_UNKNOWN_AT_ONCE;
  private countedAt = 0;
  private failures = 0;
  private lastFailure: FetchError | undefined;

  constructor(readonly options: SeparateKeysOptions) {}

  keySetFor(kid: string | undefined): KeySet | Promise<KeySet> {
    if (kid === undefined || !KEY_ID.test(kid)) return EMPTY;
    const now = this.options.clock();
    const entry = this.entryOf(kid, now);
    if (entry === undefined) return this.awaitKey(kid);
    // A key that is not fresh is used while a newer answer is awaited.
    if (now >= entry.retryAt) void this.fetch(kid);
    if (entry.failure !== undefined && entry.keySet === EMPTY) throw this.unavailable(entry.failure);
    return entry.keySet;
  }

  current(): KeySet | undefined {
    const entries = [...this.known.values()].filter((entry) => this.isUsable(entry, this.options.clock()));
    return entries.length === 0 ? undefined : new KeySet(entries.flatMap(({ keySet }) => keySet.toJSON()));
  }

  health(): IssuerKeyHealth {
    const { issuer, isConfigured, clock } = this.options;
    const fetched = [...this.known.values()].map(({ fetchedAt }) => fetchedAt);
    const ageSeconds = fetched.length === 0 ? undefined : (clock() - Math.max(...fetched)) / 1000;
    return {
      issuer,
      isConfigured,
      // Without any token, no key is needed yet.
      state: this.failures === 0 ? 'fresh' : fetched.length > 0 ? 'stale' : 'unavailable',
      source: fetched.length > 0 ? 'issuer' : undefined,
      ageSeconds,
      failures: this.failures,
      lastErrorCode: this.lastFailure?.code,
    };
  }

  warmUp(): Promise<void> {
    return Promise.resolve();
  }

  forgetPauses(): void {
    this.unknown.clear();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private entryOf(kid: string, now: number): Entry | undefined {
    const known = this.known.get(kid);
    if (known !== undefined && this.isUsable(known, now)) return known;
    const unknown = this.unknown.get(kid);
    return unknown !== undefined && now < unknown.retryAt ? unknown : undefined;
  }

  private isUsable({ fetchedAt }: Entry, now: number): boolean {
    const { refreshSeconds, maxStaleSeconds } = this.options;
    return now - fetchedAt < Math.max(refreshSeconds, maxStaleSeconds) * 1000;
  }

  private async awaitKey(kid: string): Promise<KeySet> {
    const fetch = this.pending.get(kid) ?? (this.allowsUnknown() ? this.fetch(kid) : undefined);
    if (fetch === undefined) throw this.unavailable();
    await fetch;
    const { failure, keySet } = this.entryOf(kid, this.options.clock()) ?? { keySet: EMPTY };
    if (failure !== undefined && keySet === EMPTY) throw this.unavailable(failure);
    return keySet;
  }

  private allowsUnknown(): boolean {
    const now = this.options.clock();
    const earned = Math.max(0, ((now - this.countedAt) / 1000) * UNKNOWN_PER_SECOND);
    this.unknownFetches = Math.min(MAX_UNKNOWN_AT_ONCE, this.unknownFetches + earned);
    this.countedAt = now;
    if (this.unknownFetches < 1) return false;
    this.unknownFetches -= 1;
    return true;
  }

  /** Never rejects. Undefined if too many keys are being fetched. */
  private fetch(kid: string): Promise<void> | undefined {
    const pending = this.pending.get(kid);
    if (pending !== undefined) return pending;
    const started = this.limit.run(() => this.load(kid));
    if (started === undefined) return undefined;
    const fetch = started.finally(() => this.pending.delete(kid));
    this.pending.set(kid, fetch);
    return fetch;
  }

  private async load(kid: string): Promise<void> {
    const { template, refreshSeconds, unknownKidCooldownSeconds, clock } = this.options;
    const now = clock();
    this.lastFetchAt = now;
    const address = template.replace(KEY_ID_PLACEHOLDER, kid);
    try {
      const { body } = await exchange(address, this.options);
      const keys = (keysIn(body) ?? []).filter(isJsonObject).map((jwk) => ({ ...jwk, kid }));
      const keySet = new KeySet(keys);
      if (!keySet.isUsable) throw new FetchError('KEYS_UNUSABLE', `${withoutQuery(address)}: has no usable key`);
      this.known.set(kid, { keySet, fetchedAt: now, retryAt: now + refreshSeconds * 1000 });
      this.unknown.delete(kid);
      this.recordSuccess();
    } catch (error) {
      const failure = error instanceof FetchError ? error : new FetchError('KEYS_UNUSABLE', 'cannot be read');
      const known = this.known.get(kid);
      if (known !== undefined && !WITHDRAWN.includes(failure.status)) {
        this.known.set(kid, { ...known, retryAt: now + FAILURE_PAUSE_MS });
        this.recordFailure(failure);
        return;
      }
      this.known.delete(kid);
      const isMissing = MISSING.includes(failure.status);
      const pauseMs = isMissing ? unknownKidCooldownSeconds * 1000 : FAILURE_PAUSE_MS;
      const entry = { keySet: EMPTY, fetchedAt: now, retryAt: now + pauseMs };
      this.unknown.set(kid, isMissing ? entry : { ...entry, failure });
      // Anyone can send a token with any key id, so the answer for an unknown one is not logged.
    }
  }

  private recordSuccess(): void {
    if (this.failures > 0) this.warn(`can be fetched again after ${String(this.failures)} failed attempts`);
    this.failures = 0;
    this.lastFailure = undefined;
  }

  private recordFailure(failure: FetchError): void {
    if (this.failures === 0) this.warn(`cannot be fetched: ${failure.message}`);
    this.failures += 1;
    this.lastFailure = failure;
  }

  private warn(what: string): void {
    this.options.onProblem(`Keys of ${this.options.issuer} ${what}`);
  }

  private unavailable(failure?: FetchError): AuthError {
    const detail = { issuer: this.options.issuer, reason: failure?.code ?? 'BUSY' };
    return new AuthError('KEYS_UNAVAILABLE', detail, { retryAfterSeconds: 1 });
  }
}
