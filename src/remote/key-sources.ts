import type { IssuerKeyHealth } from '../keys/key-health.js';
import type { KeySource } from '../keys/key-source.js';
import { StaticKeys } from '../keys/static-keys.js';
import type { ResolvedKeys } from '../options/resolve-keys.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { KeySourceKind, KeySources } from '../token/trusted-issuers.js';
import { discoverJwksUri } from './discovery.js';
import { RemoteKeys } from './remote-keys.js';

export interface RemoteKeySourcesOptions extends Pick<
  ResolvedOptions,
  'fetch' | 'clock' | 'insecureAllowHttp' | 'keyStore'
> {
  readonly onProblem: (message: string) => void;
  /** Default `Math.random`. */
  readonly random?: () => number;
}

/** Makes the key sources of one module, and looks after them together. */
export class RemoteKeySources implements KeySources {
  private readonly remote = new Set<RemoteKeys>();
  private readonly listed: RemoteKeys[] = [];
  private readonly pinned: IssuerKeyHealth[] = [];

  constructor(private readonly options: RemoteKeySourcesOptions) {}

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
    // Tenants come and go: nobody is asked for their keys but for their tokens.
    const schedule = kind === 'listed' ? later : undefined;
    const source = new RemoteKeys({ ...keys, issuer, fetch, clock, random, locate, store, schedule, onProblem });
    this.remote.add(source);
    if (kind === 'listed') this.listed.push(source);
    return source;
  }

  /** A tenant that was not heard of for long. What still waits for its keys gets them. */
  release(source: KeySource): void {
    if (source instanceof RemoteKeys) this.remote.delete(source);
  }

  /** Gets the keys of the listed issuers. Never rejects: `health` says how it went. */
  async warmUp(): Promise<void> {
    await Promise.all(this.listed.map((source) => source.warmUp()));
  }

  health(): readonly IssuerKeyHealth[] {
    return [...this.pinned, ...[...this.remote].map((source) => source.health())];
  }

  async close(): Promise<void> {
    await Promise.all([...this.remote].map((source) => source.close()));
  }
}

function healthOfStatic(issuer: string): IssuerKeyHealth {
  return { issuer, state: 'fresh', source: 'static', ageSeconds: undefined, failures: 0, lastErrorCode: undefined };
}

/** A timer that keeps no process alive. */
function later(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs).unref();
  return () => {
    clearTimeout(timer);
  };
}
