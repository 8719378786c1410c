import { isFetchableAddress, isInternalHost, withoutQuery } from '../model/address.js';
import { isJsonObject } from '../model/json-object.js';
import { FetchError } from './fetch-error.js';
import { fetchJson, type FetchJsonOptions } from './http-exchange.js';

export interface DiscoveryOptions extends FetchJsonOptions {
  /** Where the metadata lives, when it is not where the issuer's name says. */
  readonly uri: string | undefined;
  /** Origins that `jwks_uri` may have; any when undefined. */
  readonly jwksOrigins: readonly string[] | undefined;
  /** Whether it may be `http:` elsewhere than on loopback. */
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
  const failures: FetchError[] = [];
  for (const location of options.uri === undefined ? metadataLocations(issuer) : [options.uri]) {
    try {
      const answer = await fetchJson(location, options);
      return jwksUriOf(answer.isModified ? answer.body : undefined, issuer, location, options);
    } catch (error) {
      const failure = error as FetchError;
      failures.push(failure);
      // Else each location would be waited for in turn, and with them whoever waits for the keys.
      if (failure.isUnreachable) break;
    }
  }
  const last = failures.at(-1);
  throw new FetchError(last?.code ?? 'METADATA_INVALID', failures.map(({ message }) => message).join('; '), {
    retryAfterSeconds: last?.retryAfterSeconds,
  });
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

function jwksUriOf(metadata: unknown, issuer: string, location: string, options: DiscoveryOptions): string {
  const { issuer: named, jwks_uri: jwksUri } = isJsonObject(metadata) ? metadata : {};
  // RFC 8414 §3.3, OpenID Connect Discovery §4.3: else one tenant's metadata could speak for another issuer.
  if (named !== issuer) {
    const got = typeof named === 'string' ? JSON.stringify(named.slice(0, 256)) : 'no issuer';
    throw new FetchError(
      'ISSUER_MISMATCH',
      `${withoutQuery(location)}: is the metadata of ${got}, not of ${JSON.stringify(issuer)}`,
    );
  }
  if (typeof jwksUri !== 'string')
    throw new FetchError('METADATA_INVALID', `${withoutQuery(location)}: has no jwks_uri`);
  const reason = refusalOf(jwksUri, location, options);
  if (reason !== undefined)
    throw new FetchError('ADDRESS_REFUSED', `${withoutQuery(location)}: has a jwks_uri ${reason}`);
  // In its one canonical form, as it is logged, too.
  return new URL(jwksUri).href;
}

/**
 * Issuers have their keys on other hosts, too (Google, Entra ID), so another origin is no reason by itself. But metadata
 * must not lead to where they themselves could not have come from: into the network that we stand in.
 */
function refusalOf(
  jwksUri: string,
  location: string,
  { allowHttp, jwksOrigins }: DiscoveryOptions,
): string | undefined {
  if (!isFetchableAddress(jwksUri, allowHttp)) return 'that may not be fetched (https, or http on loopback)';
  const { hostname, origin } = new URL(jwksUri);
  if (isInternalHost(hostname) && !isInternalHost(new URL(location).hostname)) {
    return 'that leads into an internal network';
  }
  if (jwksOrigins !== undefined && !jwksOrigins.includes(origin)) return 'of an origin that is not in `jwksOrigins`';
  return undefined;
}
