import { Inject, Injectable } from '@nestjs/common';
import type { IssuerKeyHealth } from '../keys/key-health.js';
import { RemoteKeySources } from '../remote/key-sources.js';

/** How it stands with the keys of each issuer: for metrics, and for a health check. */
@Injectable()
export class KeyHealth {
  constructor(@Inject(RemoteKeySources) private readonly sources: RemoteKeySources) {}

  /** The listed issuers, and those of a resolver whose keys are kept. Asks nobody. */
  issuers(): readonly IssuerKeyHealth[] {
    return this.sources.health();
  }
}
