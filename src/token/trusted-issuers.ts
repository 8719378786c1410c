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

/** Makes the key source of an issuer. Must not fetch anything yet. */
export type KeySourceFactory = (issuer: string, keys: ResolvedKeys) => KeySource;

// Key sets that are kept for a resolver's tenants; those used least are fetched again.
const MAX_RESOLVED_KEY_SOURCES = 1_000;
// Longer than any issuer's name; what is longer is not worth asking anybody about.
const MAX_ISSUER_LENGTH = 2_048;

/** The issuers that are trusted: a list, or what the user's resolver says (`AuthOptions.issuers`). */
export class TrustedIssuers {
  private readonly find: (issuer: string) => TrustedIssuer | undefined | Promise<TrustedIssuer | undefined>;

  constructor(issuers: ResolvedOptions['issuers'], createKeySource: KeySourceFactory) {
    if (typeof issuers === 'function') {
      const keySources = new LRUCache<string, KeySource>({ max: MAX_RESOLVED_KEY_SOURCES });
      this.find = async (name) => {
        const issuer = await issuers(name);
        return issuer && { ...issuer, keySource: keySourceOf(issuer, keySources, createKeySource) };
      };
    } else {
      const byName = new Map(
        issuers.map((issuer) => [issuer.issuer, { ...issuer, keySource: createKeySource(issuer.issuer, issuer.keys) }]),
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
  keySources: LRUCache<string, KeySource>,
  createKeySource: KeySourceFactory,
): KeySource {
  const id = JSON.stringify([issuer, keys]);
  const known = keySources.get(id);
  if (known !== undefined) return known;
  const created = createKeySource(issuer, keys);
  keySources.set(id, created);
  return created;
}
