import { Inject, Injectable } from '@nestjs/common';
import type { IssuerKeyHealth } from '../keys/issuer-key-health.js';
import { KeyHealth } from './key-health.js';

/** What `@nestjs/terminus` calls a `HealthIndicatorResult`. */
export type KeyHealthResult<Key extends string = string> = Record<
  Key,
  { readonly status: 'up' | 'down'; readonly issuers: Readonly<Record<string, Omit<IssuerKeyHealth, 'issuer'>>> }
>;

/**
 * For `@nestjs/terminus`: `health.check([() => keys.isHealthy('keys')])`. `down` while there is a listed issuer whose keys
 * cannot be had. One that nobody has asked yet is no reason, nor is a tenant that a resolver named: anybody can send a
 * token with its name.
 *
 * The result names all issuers; think of who may read it.
 */
@Injectable()
export class KeyHealthIndicator {
  constructor(@Inject(KeyHealth) private readonly health: KeyHealth) {}

  /** @param key under which the result stands. */
  isHealthy<Key extends string = 'keys'>(key: Key = 'keys' as Key): KeyHealthResult<Key> {
    const issuers = this.health.issuers();
    const isDown = issuers.some(
      ({ isConfigured, state, failures }) => isConfigured && state === 'unavailable' && failures > 0,
    );
    const byName = Object.fromEntries(issuers.map(({ issuer, ...health }) => [issuer, health]));
    return { [key]: { status: isDown ? 'down' : 'up', issuers: byName } } as KeyHealthResult<Key>;
  }
}
