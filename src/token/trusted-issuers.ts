import { AuthError } from '../model/errors.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { KeySource } from '../keys/key-source.js';
import { TenantKeySourceCache, type KeySources } from './tenant-key-source-cache.js';

/** An issuer together with the source of its keys: all that a token which names it is checked against. */
export interface TrustedIssuer extends ResolvedIssuer {
  readonly keySource: KeySource;
  /** To be told that one of its keys has verified a token. */
  readonly onVerified?: () => void;
}

// Longer than any issuer's name; what is longer is not worth asking anybody about.
const MAX_ISSUER_LENGTH = 2_048;

/** The issuers that are trusted: a list, or what the user's resolver says (`AuthOptions.issuers`). */
export class TrustedIssuers {
  /** Those that are listed; none where a resolver says who is trusted. */
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
   * The issuer of exactly this name. Whatever a token says beside its issuer has no say in which keys, audience and
   * algorithms it is checked against.
   * @throws AuthError ISSUER_UNTRUSTED; nothing was fetched then.
   */
  get(name: string): TrustedIssuer | Promise<TrustedIssuer> {
    const found = name.length > MAX_ISSUER_LENGTH ? undefined : this.find(name);
    return found instanceof Promise ? found.then((issuer) => trusted(issuer, name)) : trusted(found, name);
  }
}

function trusted(issuer: TrustedIssuer | undefined, name: string): TrustedIssuer {
  if (issuer === undefined) throw new AuthError('ISSUER_UNTRUSTED', { issuer: name });
  return issuer;
}
