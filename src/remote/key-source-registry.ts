import { LRUCache } from 'lru-cache';
import type { IssuerKeyHealth } from '../keys/issuer-key-health.js';
import type { KeySource } from '../keys/key-source.js';
import { StaticKeys } from '../keys/static-keys.js';
import type { ResolvedKeys } from '../options/resolve-keys.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { KeySourceKind, KeySources } from '../token/tenant-key-source-cache.js';
import { discoverJwksUri } from './metadata.js';
import { IssuerKeys } from './issuer-keys.js';

export interface KeySourceRegistryOptions extends Pick<
  ResolvedOptions,
  'fetch' | 'clock' | 'insecureAllowHttp' | 'keyStore'
> {
  readonly onProblem: (message: string) => void;
  /** Default `Math.random`. */
  readonly random?: () => number;
}

// What is remembered of strangers has a bound: of each listed issuer, of each tenant, and of tenants that were released.
const MAX_UNKNOWN_KIDS = 500;
const MAX_UNKNOWN_KIDS_OF_TENANT = 50;
const MAX_PAUSES = 10_000;

/** Makes the key sources of one module, and looks after them together. */
export class KeySourceRegistry implements KeySources {
  private readonly remote = new Set<IssuerKeys>();
  private readonly listed: IssuerKeys[] = [];
  /** When the issuer of a tenant that was released may be asked again. */
  private readonly pauses = new LRUCache<string, number>({ max: MAX_PAUSES });
  private readonly pinned: IssuerKeyHealth[] = [];

  constructor(private readonly options: KeySourceRegistryOptions) {}

  create(issuer: string, keys: ResolvedKeys, kind: KeySourceKind): KeySource {
    if (keys.from === 'static') {
      if (kind === 'listed') this.pinned.push(healthOfStatic(issuer));
      return new StaticKeys(keys.keySet);
    }
    const { clock, keyStore: store, random = Math.random, onProblem, insecureAllowHttp: allowHttp } = this.options;
    // Looked up at each call: a test or an instrumentation may have replaced it since.
    const fetch = this.options.fetch ?? ((...call: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...call));
    const locate =
      keys.from === 'jwks'
        ? () => keys.uri
        : (signal: AbortSignal) => discoverJwksUri(issuer, { ...keys, fetch, signal, allowHttp });
    const isConfigured = kind === 'listed';
    const source = new IssuerKeys({
      ...keys,
      issuer,
      isConfigured,
      fetch,
      clock,
      random,
      locate,
      store,
      onProblem,
      origin: keys.from === 'jwks' ? `jwks ${keys.uri}` : `discovery ${keys.uri ?? issuer}`,
      // Tenants come and go: nobody is asked for their keys but for their tokens.
      schedule: isConfigured ? later : undefined,
      notBefore: isConfigured ? undefined : this.pauses.get(issuer),
      maxUnknownKids: isConfigured ? MAX_UNKNOWN_KIDS : MAX_UNKNOWN_KIDS_OF_TENANT,
    });
    this.remote.add(source);
    if (isConfigured) this.listed.push(source);
    return source;
  }

  /** A tenant that was not heard of for long. What still waits for its keys gets them. */
  release(source: KeySource): void {
    if (!(source instanceof IssuerKeys)) return;
    this.remote.delete(source);
    // Else tokens that name many tenants in turn would have their issuers asked all the time.
    const { issuer, unknownKidCooldownSeconds } = source.options;
    const pausedUntil = source.lastAskedAt + unknownKidCooldownSeconds * 1000;
    if (pausedUntil > (this.pauses.get(issuer) ?? 0)) this.pauses.set(issuer, pausedUntil);
  }

  /** Gets the keys of the listed issuers. Never rejects: `health` says how it went. */
  async warmUp(): Promise<void> {
    await Promise.all(this.listed.map((source) => source.warmUp()));
  }

  /** For tests, whose issuers change within a moment; in production a pause is what keeps strangers from making us ask. */
  forgetPauses(): void {
    this.pauses.clear();
    for (const source of this.remote) source.forgetPauses();
  }

  health(): readonly IssuerKeyHealth[] {
    return [...this.pinned, ...[...this.remote].map((source) => source.health())];
  }

  async close(): Promise<void> {
    await Promise.all([...this.remote].map((source) => source.close()));
  }
}

function healthOfStatic(issuer: string): IssuerKeyHealth {
  const nothing = { ageSeconds: undefined, failures: 0, lastErrorCode: undefined };
  return { issuer, isConfigured: true, state: 'fresh', source: 'static', ...nothing };
}

/** A timer that keeps no process alive. */
function later(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs).unref();
  return () => {
    clearTimeout(timer);
  };
}
