import { isFetchableAddress, isInternalHost, withoutQuery } from '../model/address.js';
import { FetchError } from './fetch-error.js';

interface JwksUriRules {
  /** Allowed origins; undefined for any origin. */
  readonly jwksOrigins: readonly string[] | undefined;
  /** Whether http is allowed for hosts other than loopback. */
  readonly allowHttp: boolean;
}

/**
 * Returns the `jwks_uri` of authorization server metadata in its canonical form.
 *
 * @param location Where the metadata came from.
 * @throws FetchError if there is none, or if it must not be fetched.
 */
export function requireJwksUri(jwksUri: string | undefined, location: string, rules: JwksUriRules): string {
  const source = `${withoutQuery(location)}: the metadata`;
  if (jwksUri === undefined) throw new FetchError('METADATA_INVALID', `${source} has no jwks_uri`);
  const refusal = (problem: string) => new FetchError('ADDRESS_REFUSED', `${source} has a jwks_uri that ${problem}`);
  if (!isFetchableAddress(jwksUri, rules.allowHttp))
    throw refusal('must not be fetched (use https, or http on loopback)');
  const { href, hostname, origin } = new URL(jwksUri);
  // The keys may be on another host than the issuer, as with Google and Entra ID. But metadata from a public host must
  // not make this server send requests into its own network (SSRF).
  if (isInternalHost(hostname) && !isInternalHost(new URL(location).hostname))
    throw refusal('points to an internal network');
  if (rules.jwksOrigins?.includes(origin) === false) throw refusal('has an origin that is not in `jwksOrigins`');
  return href;
}
