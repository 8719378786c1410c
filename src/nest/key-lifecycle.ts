import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ConfigurationError } from '../model/errors.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { RESOLVED_OPTIONS } from './auth-options.js';

/** Fetches keys when the application starts (`warmUp`), and stops background fetches when it shuts down. */
@Injectable()
export class KeyLifecycle implements OnModuleInit, OnApplicationShutdown {
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

  async onApplicationShutdown(): Promise<void> {
    await this.sources.close();
  }
}
