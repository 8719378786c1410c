import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { ConfigurationError } from '../model/errors.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { KeySourceRegistry } from '../remote/key-source-registry.js';

/** Fetches keys when the application starts (`warmUp`), and stops background fetches when it shuts down. */
export class KeyLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly sources: KeySourceRegistry,
    private readonly warmUp: ResolvedOptions['warmUp'],
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.warmUp === 'off') return;
    const warmedUp = this.sources.warmUp();
    if (this.warmUp === 'background') return;
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
