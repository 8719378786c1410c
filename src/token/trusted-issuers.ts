import { isPromise } from '../model/maybe-promise.js';
import { AuthError } from '../model/errors.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { KeySource } from '../keys/key-source.js';
import { TenantKeySourceCache, type KeySources } from './tenant-key-source-cache.js';

/** A trusted issuer with its options and the source of its keys, which are used to verify a token that names it. */
export interface TrustedIssuer extends ResolvedIssuer {
  readonly keySource: KeySource;
  /** Called when one of its keys has verified a token. */
  readonly onVerified?: () => void;
}

// Longer than any real issuer. A longer name is rejected without calling the `issuers` function.
const MAX_ISSUER_LENGTH = 2_048;

/** The trusted issuers: those of the options, or those that the `issuers` function of the application returns. */
export class TrustedIssuers {
  /** The configured issuers. Empty if the `issuers` function decides. */
  readonly names: readonly string[];
  private readonly find: (issuer: string) => TrustedIssuer | undefined | Promise<TrustedIssuer | undefined>;

  constructor(issuers: ResolvedOptions['issuers'], sources: KeySources) {
    this.names = typeof issuers === 'function' ? [] : issuers.map(({ issuer }) => issuer);
    if (typeof issuers === 'function') {
      const kept = new TenantKeySourceCache(sources);
      this.find = async (name) => {
        const issuer = await issuers(name);
        return issuer && { ...issuer, ...kept.get(issuer) };
      };
    } else {
      const byName = new Map(
        issuers.map((issuer) => {
          const keySource = sources.create(issuer.issuer, issuer.keys, 'configured');
          return [issuer.issuer, { ...issuer, keySource }];
        }),
      );
      this.find = (name) => byName.get(name);
    }
  }

  /**
   * Returns the issuer with exactly this name. No other claim of a token influences which keys, audience and algorithms it is
   * verified with.
   * @throws AuthError ISSUER_UNTRUSTED, before anything is fetched.
   */
  get(name: string): TrustedIssuer | Promise<TrustedIssuer> {
    const found = name.length > MAX_ISSUER_LENGTH ? undefined : this.find(name);
    return isPromise(found) ? found.then((issuer) => trusted(issuer, name)) : trusted(found, name);
  }
}

function trusted(issuer: TrustedIssuer | undefined, name: string): TrustedIssuer {
  if (issuer === undefined) throw new AuthError('ISSUER_UNTRUSTED', { issuer: name });
  return issuer;
}
