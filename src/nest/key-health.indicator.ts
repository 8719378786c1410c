import { Inject, Injectable } from '@nestjs/common';
import type { IssuerKeyHealth } from '../keys/key-health.js';
import { KeyHealth } from './key-health.js';

/** What `@nestjs/terminus` calls a `HealthIndicatorResult`. */
export type KeyHealthResult<Key extends string = string> = Record<
  Key,
  { readonly status: 'up' | 'down'; readonly issuers: Readonly<Record<string, Omit<IssuerKeyHealth, 'issuer'>>> }
>;

/**
 * For `@nestjs/terminus`: `health.check([() => keys.isHealthy('keys')])`. `down` while there is an issuer whose keys cannot
 * be had; one that nobody has asked yet is no reason. In a readiness check that takes the application out of service, think of what it still could do: tokens
 * of the other issuers, open routes.
 */
@Injectable()
export class KeyHealthIndicator {
  constructor(@Inject(KeyHealth) private readonly health: KeyHealth) {}

  /** @param key under which the result stands. */
  isHealthy<Key extends string = 'keys'>(key: Key = 'keys' as Key): KeyHealthResult<Key> {
    const issuers = this.health.issuers();
    const status = issuers.some(({ state, failures }) => state === 'dead' && failures > 0) ? 'down' : 'up';
    const byName = Object.fromEntries(issuers.map(({ issuer, ...health }) => [issuer, health]));
    return { [key]: { status, issuers: byName } } as KeyHealthResult<Key>;
  }
}
