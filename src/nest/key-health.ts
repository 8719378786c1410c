import { Inject, Injectable } from '@nestjs/common';
import type { IssuerKeyHealth } from '../keys/issuer-key-health.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';

/** How it stands with the keys of each issuer: for metrics, and for a health check. */
@Injectable()
export class KeyHealth {
  constructor(@Inject(KeySourceRegistry) private readonly sources: KeySourceRegistry) {}

  /** The listed issuers, and those of a resolver whose keys are kept. Asks nobody. */
  issuers(): readonly IssuerKeyHealth[] {
    return this.sources.health();
  }
}
