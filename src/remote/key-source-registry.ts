import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { type IssuerKeyHealth, type KeySource, staticKeys } from '../keys/key-source.js';
import { withoutQuery } from '../model/address.js';
import type { ResolvedKeys } from '../options/resolve-keys.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { KeySourceKind, KeySources } from '../token/trusted-issuers.js';
import { FetchError, withHeaders } from './http-exchange.js';
import { TenantLimits } from './fetch-limit.js';
import { IssuerKeys } from './issuer-keys.js';
import { MetadataSource, requireJwksUri } from './metadata.js';
import { isPauseOver, NO_PAUSE, type Pause } from './refresh-backoff.js';
import { KEY_ID_PLACEHOLDER, SeparateKeys } from './separate-keys.js';

interface KeySourceRegistryOptions extends Pick<ResolvedOptions, 'fetch' | 'clock' | 'insecureAllowHttp' | 'keyStore'> {
  readonly onProblem: (message: string) => void;
}

const MAX_PAUSES = 10_000;
/** Requests that are received while the application shuts down can still fetch keys from an issuer that responds in this time. */
const CLOSING_MS = 300;

/** Creates the key sources of one module, and warms up, monitors and closes them together. */
export class KeySourceRegistry implements KeySources {
  readonly metadata: MetadataSource;
  private readonly remote = new Set<IssuerKeys | SeparateKeys>();
  private readonly staticHealth: IssuerKeyHealth[] = [];
  /** When the issuer of a released tenant may be requested again. */
  private readonly pauses = new LRUCache<string, Pause>({ max: MAX_PAUSES });
  private readonly tenantLimits = new TenantLimits();
  private readonly closing = new AbortController();
  private closingTimer: NodeJS.Timeout | undefined;
  private readonly network: { readonly fetch: typeof globalThis.fetch; readonly signal: AbortSignal };

  constructor(private readonly options: KeySourceRegistryOptions) {
    // The global `fetch` is read at each call: a test or an instrumentation may replace it later.
    const fetch = options.fetch ?? ((...request: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...request));
    const { signal } = this.closing;
    // Each fetch in progress adds a listener, and Node warns about a leak after ten.
    setMaxListeners(0, signal);
    this.network = { fetch, signal };
    this.metadata = new MetadataSource({ ...this.network, allowHttp: options.insecureAllowHttp });
  }

  create(issuer: string, keys: ResolvedKeys, kind: KeySourceKind): KeySource {
    const isConfigured = kind === 'configured';
    if (keys.from === 'static') {
      const unused = { ageSeconds: undefined, failures: 0, lastErrorCode: undefined };
      if (isConfigured) this.staticHealth.push({ issuer, isConfigured, state: 'fresh', source: 'static', ...unused });
      return staticKeys(keys.keySet);
    }
    const { clock, keyStore: store, insecureAllowHttp: allowHttp } = this.options;
    const addresses = keys.from === 'jwks' ? keys.uris : [keys.uri ?? issuer];
    const fetch = withHeaders(this.network.fetch, keys.headers, [
      ...addresses.map((address) => new URL(address).origin),
      ...(keys.from === 'discovery' ? (keys.jwksOrigins ?? []) : []),
    ]);
    const common = { ...keys, ...this.network, fetch, issuer, isConfigured, clock, onProblem: this.onProblem };
    const [template = ''] = addresses;
    if (template.includes(KEY_ID_PLACEHOLDER)) return this.addRemote(new SeparateKeys({ ...common, template }));
    const source = new IssuerKeys({
      ...common,
      locate: async (isDoubtful) => {
        if (keys.from === 'jwks') return keys.uris;
        const { uri: location = issuer, jwksOrigins } = keys;
        const { jwks_uri: jwksUri } = await this.metadata.get(issuer, { ...keys, fetch }, isDoubtful);
        return [requireJwksUri(jwksUri, location, { jwksOrigins, allowHttp })];
      },
      store,
      origin: `${keys.from} ${addresses.map(storableAddress).join(' ')}`,
      limits: isConfigured ? undefined : this.tenantLimits,
      notBefore: isConfigured ? undefined : this.pauseOf(issuer),
    });
    return this.addRemote(source);
  }

  private addRemote(source: IssuerKeys | SeparateKeys): KeySource {
    this.remote.add(source);
    return source;
  }

  /** Removes the source of a tenant that was not used recently. Requests that wait for its keys still get them. */
  release(source: KeySource): void {
    if (!(source instanceof IssuerKeys || source instanceof SeparateKeys)) return;
    this.remote.delete(source);
    // Otherwise tokens that name many tenants in turn would cause a request for each token.
    const { issuer, unknownKidCooldownSeconds } = source.options;
    const until = source.lastFetchAt + unknownKidCooldownSeconds * 1000;
    if (until > (this.pauseOf(issuer) ?? 0)) this.pauses.set(issuer, { from: source.lastFetchAt, until });
  }

  /** Never rejects; `health` returns the result. */
  async warmUp(): Promise<void> {
    const configured = [...this.remote].filter(({ options }) => options.isConfigured);
    await Promise.all(configured.map((source) => source.warmUp()));
  }

  /** For tests, whose issuers change within seconds. In production, pauses protect the issuers from floods of tokens. */
  forgetPauses(): void {
    this.pauses.clear();
    for (const source of this.remote) source.forgetPauses();
  }

  health(): readonly IssuerKeyHealth[] {
    return [...this.staticHealth, ...[...this.remote].map((source) => source.health())];
  }

  /** Ends all fetches after a moment. Later requests get only keys that are cached. */
  endFetchesSoon(): void {
    this.closingTimer ??= setTimeout(this.endFetches, CLOSING_MS).unref();
  }

  async close(): Promise<void> {
    clearTimeout(this.closingTimer);
    this.endFetches();
    await Promise.all([...this.remote].map((source) => source.close()));
  }

  private pauseOf(issuer: string): number | undefined {
    const pause = this.pauses.get(issuer) ?? NO_PAUSE;
    return isPauseOver(pause, this.options.clock()) ? undefined : pause.until;
  }

  private readonly endFetches = (): void => {
    this.closing.abort(new FetchError('CLOSED', 'the application is closing'));
  };

  private readonly onProblem = (message: string): void => {
    try {
      this.options.onProblem(message);
    } catch {
      // An error of the logger in a background refresh has no handler and would end the process.
    }
  };
}

/** The query may contain a credential, so its digest replaces it. Addresses with different queries may have different keys. */
function storableAddress(address: string): string {
  const plain = withoutQuery(address);
  return plain === address ? address : `${plain}?sha256=${createHash('sha256').update(address).digest('base64url')}`;
}
