import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { IssuerKeyHealth } from '../keys/key-source.js';
import { ConfigurationError } from '../model/errors.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { RESOLVED_OPTIONS } from './auth-options.js';

/** The type `HealthIndicatorResult` of `@nestjs/terminus`. */
export type KeyHealthResult<Key extends string = string> = Record<
  Key,
  { readonly status: 'up' | 'down'; readonly issuers: Readonly<Record<string, Omit<IssuerKeyHealth, 'issuer'>>> }
>;

/** The state of the signing keys of each issuer, for metrics and health checks. */
@Injectable()
export class KeyHealth {
  constructor(@Inject(KeySourceRegistry) private readonly sources: KeySourceRegistry) {}

  /** Returns the state for each configured issuer, and for each tenant whose keys are cached. Fetches nothing. */
  issuers(): readonly IssuerKeyHealth[] {
    return this.sources.health();
  }

  /**
   * A health indicator for `@nestjs/terminus`: `health.check([() => keys.isHealthy('keys')])`. `down` while the keys of a configured
   * issuer are unavailable after a failed fetch. An issuer whose keys were not needed yet does not count, and neither does a
   * tenant of an `issuers` function, because an unauthenticated caller can name it.
   *
   * The result names all issuers. Consider who may read it.
   * @param key of the result.
   */
  isHealthy<Key extends string = 'keys'>(key: Key = 'keys' as Key): KeyHealthResult<Key> {
    const issuers = this.issuers();
    const isDown = issuers.some(
      ({ isConfigured, state, failures }) => isConfigured && state === 'unavailable' && failures > 0,
    );
    const byName = Object.fromEntries(issuers.map(({ issuer, ...health }) => [issuer, health]));
    return { [key]: { status: isDown ? 'down' : 'up', issuers: byName } } as KeyHealthResult<Key>;
  }
}

/** Fetches keys when the application starts (`warmUp`), and stops background fetches when it shuts down. */
@Injectable()
export class KeyLifecycle implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    @Inject(KeySourceRegistry) private readonly sources: KeySourceRegistry,
    @Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'warmUp'>,
    // Its creation registers the key sources of the configured issuers.
    @Inject(AccessTokenVerifier) _verifier: AccessTokenVerifier,
  ) {}

  async onModuleInit(): Promise<void> {
    const { warmUp } = this.settings;
    if (warmUp === 'off') return;
    const warmedUp = this.sources.warmUp();
    if (warmUp === 'background') return;
    await warmedUp;
    const problems = this.sources
      .health()
      .filter(({ state }) => state === 'unavailable')
      .map(({ issuer, lastErrorCode = 'not fetched' }) => ({
        path: 'warmUp',
        message: `is 'required', but the keys of ${issuer} cannot be fetched (${lastErrorCode}; the log has the details)`,
      }));
    if (problems.length > 0) {
      await this.sources.close();
      throw new ConfigurationError(problems);
    }
  }

  /** Nest then waits for the requests in progress, which may wait for keys. */
  beforeApplicationShutdown(): void {
    this.sources.endFetchesSoon();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sources.close();
  }
}
