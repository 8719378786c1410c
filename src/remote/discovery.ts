import { isFetchableAddress } from '../address.js';
import { FetchError, fetchJson, type FetchJsonOptions } from './fetch-json.js';

export interface DiscoveryOptions extends FetchJsonOptions {
  /** Where the metadata lives, when it is not where the issuer's name says. */
  readonly uri: string | undefined;
  readonly allowHttp: boolean;
}

/**
 * Reads the issuer's metadata and returns its `jwks_uri`. A location that answers with something else (a login page, a
 * 404, the metadata of another issuer) is passed over for the next one.
 *
 * Its lists of algorithms are not looked at: they say what a server can do for its clients (`none` and HS256
 * included), not what we accept.
 *
 * @throws FetchError that says for every location why it did not do.
 */
export async function discoverJwksUri(issuer: string, options: DiscoveryOptions): Promise<string> {
  const failures: string[] = [];
  for (const location of options.uri === undefined ? metadataLocations(issuer) : [options.uri]) {
    try {
      return jwksUriOf(await fetchJson(location, options), issuer, location, options.allowHttp);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new FetchError(failures.join('; '));
}

/**
 * OpenID Connect Discovery §4 appends to the issuer, with its path; RFC 8414 §3 puts the well-known part between host
 * and path. For an issuer without a path the OpenID forms are one.
 */
export function metadataLocations(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    ...new Set([
      `${origin}${path}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
    ]),
  ];
}

function jwksUriOf(metadata: unknown, issuer: string, location: string, allowHttp: boolean): string {
  const { issuer: named, jwks_uri: jwksUri } = (metadata ?? {}) as { issuer?: unknown; jwks_uri?: unknown };
  // RFC 8414 §3.3, OpenID Connect Discovery §4.3: else one tenant's metadata could speak for another issuer.
  if (named !== issuer) {
    const got = typeof named === 'string' ? JSON.stringify(named.slice(0, 256)) : 'no issuer';
    throw new FetchError(`${location}: is the metadata of ${got}, not of ${JSON.stringify(issuer)}`);
  }
  if (typeof jwksUri !== 'string' || !isFetchableAddress(jwksUri, allowHttp)) {
    throw new FetchError(`${location}: has no jwks_uri that may be fetched (https, or http on loopback)`);
  }
  return jwksUri;
}
