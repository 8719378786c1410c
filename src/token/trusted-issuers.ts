import { LRUCache } from 'lru-cache';
import { AuthError } from '../errors.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { ResolvedKeys } from '../options/resolve-keys.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { KeySource } from '../keys/key-source.js';

/** An issuer together with the source of its keys: all that a token which names it is checked against. */
export interface TrustedIssuer extends ResolvedIssuer {
  readonly keySource: KeySource;
}

/** Whether an issuer stands in a list, or was named by a resolver. */
export type KeySourceKind = 'listed' | 'resolved';

/** Makes the key sources. */
export interface KeySources {
  /** Must not fetch anything yet. */
  create(issuer: string, keys: ResolvedKeys, kind: KeySourceKind): KeySource;
  /** Told that a source is not asked any more. */
  release(source: KeySource): void;
}

// Key sets that are kept for a resolver's tenants; those used least are fetched again.
const MAX_RESOLVED_KEY_SOURCES = 1_000;
// Longer than any issuer's name; what is longer is not worth asking anybody about.
const MAX_ISSUER_LENGTH = 2_048;

/** The issuers that are trusted: a list, or what the user's resolver says (`AuthOptions.issuers`). */
export class TrustedIssuers {
  private readonly find: (issuer: string) => TrustedIssuer | undefined | Promise<TrustedIssuer | undefined>;

  constructor(issuers: ResolvedOptions['issuers'], sources: KeySources) {
    if (typeof issuers === 'function') {
      const kept = new LRUCache<string, KeySource>({
        max: MAX_RESOLVED_KEY_SOURCES,
        dispose: (source) => {
          sources.release(source);
        },
      });
      this.find = async (name) => {
        const issuer = await issuers(name);
        return issuer && { ...issuer, keySource: keySourceOf(issuer, kept, sources) };
      };
    } else {
      const byName = new Map(
        issuers.map((issuer) => {
          const keySource = sources.create(issuer.issuer, issuer.keys, 'listed');
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

/** Keys outlive the options object that a resolver makes anew for each token, but not a change of `keys`. */
function keySourceOf(
  { issuer, keys }: ResolvedIssuer,
  kept: LRUCache<string, KeySource>,
  sources: KeySources,
): KeySource {
  const id = JSON.stringify([issuer, keys]);
  const known = kept.get(id);
  if (known !== undefined) return known;
  const created = sources.create(issuer, keys, 'resolved');
  kept.set(id, created);
  return created;
}
