import { LRUCache } from 'lru-cache';
import type { KeySource } from '../keys/key-source.js';
import { AuthError } from '../model/errors.js';
import { isPromise, type MaybePromise } from '../model/maybe-promise.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { ResolvedKeys } from '../options/resolve-keys.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { requiredClaim, STRING } from './claims.js';

/** Whether the issuer is in the options or was returned by the `issuers` function of the application. */
export type KeySourceKind = 'configured' | 'resolved';

export interface KeySources {
  /** Creates a source without fetching anything. */
  create(issuer: string, keys: ResolvedKeys, kind: KeySourceKind): KeySource;
  release(source: KeySource): void;
}

export interface TrustedIssuer extends ResolvedIssuer {
  readonly keySource: KeySource;
  readonly onVerified?: () => void;
}

// Longer than any real issuer. A longer name is rejected without calling the `issuers` function.
const MAX_ISSUER_LENGTH = 2_048;

/** The issuers of the options, or those that the `issuers` function of the application returns. */
export class TrustedIssuers {
  /** The configured issuers. Empty if the `issuers` function decides. */
  readonly names: readonly string[];
  /** Whether the `issuers` function of the application decides. */
  readonly isDynamic: boolean;
  private readonly find: (name: string) => MaybePromise<TrustedIssuer | undefined>;
  /** The issuer of tokens without `iss`. */
  private readonly unnamed: TrustedIssuer | undefined;

  constructor(issuers: ResolvedOptions['issuers'], sources: KeySources) {
    this.isDynamic = typeof issuers === 'function';
    if (typeof issuers === 'function') {
      const tenants = new TenantKeySourceCache(sources);
      this.names = [];
      this.find = async (name) => {
        const issuer = await issuers(name);
        return issuer && tenants.withKeySource(issuer);
      };
    } else {
      const trusted = issuers.map((issuer) => {
        return { ...issuer, keySource: sources.create(issuer.issuer, issuer.keys, 'configured') };
      });
      const byName = new Map(trusted.flatMap((issuer) => issuer.names.map((name) => [name, issuer] as const)));
      this.unnamed = trusted.find(({ names }) => names.length === 0);
      this.names = [...byName.keys()];
      this.find = (name) => byName.get(name);
    }
  }

  /**
   * Returns the issuer whose name is exactly the `iss` of a token. No other claim influences which keys, audience and algorithms
   * the token is verified with.
   * @throws AuthError ISSUER_UNTRUSTED, CLAIM_MISSING or CLAIM_INVALID, before anything is fetched.
   */
  of(claims: Readonly<Record<string, unknown>>): MaybePromise<TrustedIssuer> {
    if (this.unnamed !== undefined && !Object.hasOwn(claims, 'iss')) return this.unnamed;
    const name = requiredClaim(claims, 'iss', STRING);
    const found = name.length > MAX_ISSUER_LENGTH ? undefined : this.find(name);
    return isPromise(found) ? found.then((issuer) => requireTrusted(issuer, name)) : requireTrusted(found, name);
  }
}

function requireTrusted(issuer: TrustedIssuer | undefined, name: string): TrustedIssuer {
  if (issuer === undefined) throw new AuthError('ISSUER_UNTRUSTED', { issuer: name });
  return issuer;
}

/** The keys of the tenants used least recently are evicted, and fetched again when needed. */
const MAX_PROVEN = 1_000;
const MAX_UNPROVEN = 100;

/**
 * The key sources of the tenants that the `issuers` function returns. A source that has verified a token can be evicted
 * only by others that have: invalid tokens, whatever tenants they name, share a small cache of their own.
 */
class TenantKeySourceCache {
  private readonly proven: LRUCache<string, KeySource>;
  private readonly unproven: LRUCache<string, KeySource>;

  constructor(private readonly sources: KeySources) {
    const dispose = (source: KeySource, _id: string, reason: LRUCache.DisposeReason) => {
      if (reason === 'evict') sources.release(source);
    };
    this.proven = new LRUCache({ max: MAX_PROVEN, dispose });
    this.unproven = new LRUCache({ max: MAX_UNPROVEN, dispose });
  }

  /** Adds the same source for the same issuer and `keys`, although the options object is a new one for each token. */
  withKeySource(issuer: ResolvedIssuer): TrustedIssuer {
    // Without headers, which may be a new credential for each token.
    const id = JSON.stringify([issuer.issuer, { ...issuer.keys, headers: undefined }]);
    const known = this.proven.get(id) ?? this.unproven.get(id);
    const keySource = known ?? this.sources.create(issuer.issuer, issuer.keys, 'resolved');
    if (known === undefined) this.unproven.set(id, keySource);
    const onVerified = () => {
      if (this.proven.has(id)) return;
      this.unproven.delete(id);
      this.proven.set(id, keySource);
    };
    return { ...issuer, keySource, onVerified };
  }
}
