import { isFetchableAddress, isInternalHost, withoutQuery } from '../../model/address.js';
import { isJsonObject } from '../../model/json-object.js';
import { requireJwksUri } from '../../remote/jwks-uri.js';
import { FetchError } from '../../remote/fetch-error.js';
import { printable } from '../printable.js';
import { type CheckRow, ok, problem } from './check-row.js';
import type { FoundMetadata } from './discovery.js';
import { isPage, whyNoDocument, whyUnreachable } from './failures.js';
import { type Probe, probe, type ProbeOptions } from './probe.js';

/** The row `jwks-uri`, and the address where that is one from which keys may be fetched. */
export interface JwksAddress {
  readonly row: CheckRow;
  readonly address: string | undefined;
}

/** An address from the command line. */
export function checkGivenAddress(jwksUri: string, allowHttp: boolean): JwksAddress {
  if (isFetchableAddress(jwksUri, allowHttp)) return { row: ok('jwks-uri', shown(jwksUri)), address: jwksUri };
  const mend =
    'Give --jwks-uri an https address without credentials and fragment (http for loopback, or with --allow-http).';
  return { row: problem('jwks-uri', `${shown(jwksUri)} may not be fetched`, mend, 'https://…'), address: undefined };
}

/** Checks the `jwks_uri` of the metadata as the package does when an application runs. */
export function checkNamedAddress({ metadata, location }: FoundMetadata, allowHttp: boolean): JwksAddress {
  const named = metadata.jwks_uri;
  try {
    const jwksUri = typeof named === 'string' ? named : undefined;
    const address = requireJwksUri(jwksUri, location, { jwksOrigins: undefined, allowHttp });
    return { row: ok('jwks-uri', shown(address)), address };
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    return { row: refusedRow(named, location), address: undefined };
  }
}

function refusedRow(named: unknown, location: string): CheckRow {
  if (typeof named !== 'string') {
    const mend =
      "Have the authorization server publish its keys (jwks_uri, RFC 8414 §2); or give their address: --jwks-uri <url>, keys: { from: 'jwks', uri }.";
    return problem('jwks-uri', 'the metadata have no jwks_uri', mend, 'https://…');
  }
  const expected = 'an https address';
  if (!URL.canParse(named)) {
    return problem(
      'jwks-uri',
      `${shown(named)} is no address`,
      'Have jwks_uri mended in the authorization server.',
      expected,
    );
  }
  const { hostname, protocol } = new URL(named);
  if (protocol === 'https:' && isInternalHost(hostname) && !isInternalHost(new URL(location).hostname)) {
    const mend = `${hostname} is an address of the inside of a network: set the authorization server's public address (hostname, or the proxy's forwarded headers). If it is right here, say so yourself: keys: { from: 'jwks', uri }.`;
    return problem('jwks-uri', `${shown(named)} leads into an internal network`, mend, 'a public address');
  }
  const mend = `Have the authorization server name an https address; often it stands behind a proxy whose X-Forwarded-Proto it does not trust. Over http whoever is on the path can replace the keys. In a closed network: --allow-http, and insecureAllowHttp: true.`;
  return problem('jwks-uri', `${shown(named)} may not be fetched (http, credentials or fragment)`, mend, expected);
}

export interface FetchedKeys {
  /** The row `jwks`. */
  readonly row: CheckRow;
  /** The members of the set; undefined when there is none. */
  readonly keys: readonly unknown[] | undefined;
  readonly isReachable: boolean;
  readonly clock: Probe['clock'];
}

export async function checkKeySet(address: string, options: ProbeOptions): Promise<FetchedKeys> {
  const seen = await probe(address, options);
  const { body, failure, clock } = seen;
  const isReachable = failure?.isUnreachable !== true;
  const keys = isJsonObject(body) && Array.isArray(body.keys) ? (body.keys as readonly unknown[]) : undefined;
  if (keys === undefined) return { row: noSetRow(seen, options.timeoutMs), keys: undefined, isReachable, clock };
  if (keys.length === 0) {
    const mend =
      'Let the authorization server make a signing key (RS256, ES256 or EdDSA) for this very realm or tenant, or check that the address is the one of this issuer.';
    return { row: problem('jwks', 'the key set is empty', mend, 'at least one key'), keys, isReachable, clock };
  }
  return {
    row: ok('jwks', `${String(keys.length)} ${keys.length === 1 ? 'key' : 'keys'} at ${shown(address)}`),
    keys,
    isReachable,
    clock,
  };
}

function noSetRow(seen: Probe, timeoutMs: number): CheckRow {
  const { failure, status, mediaType, address } = seen;
  if (failure?.isUnreachable === true) {
    const { found, mend } = whyUnreachable(seen, timeoutMs);
    return problem('jwks', found, mend, 'a JSON Web Key Set');
  }
  const { host, pathname } = new URL(address);
  return problem(
    'jwks',
    `${host}${whyNoDocument(seen)}`.replace(`${host}${pathname}`, shown(address)),
    mendOf(),
    'a JSON Web Key Set',
  );

  function mendOf(): string {
    if (status === 404)
      return 'No keys are published there: check the address (--jwks-uri), or have jwks_uri of the metadata mended; a proxy may not pass this path on.';
    if (failure?.code === 'REDIRECT') return 'Redirects are not followed: name the address to which it leads.';
    if (isPage(mediaType) || failure?.code === 'NOT_JSON')
      return 'A page stands where the keys should be (to log in at, or of an application that answers everything): check the address, and that it needs no login.';
    if (status === 401 || status === 403) return 'Keys must be public: allow this path without a login.';
    if (status !== undefined && status >= 500)
      return 'The server does not work: look into its log, or that of the proxy before it.';
    if (failure?.code === 'TOO_LARGE') return 'A key set has a few KiB: check the address, or set keys: { maxBytes }.';
    return 'This is JSON, but no key set ({ "keys": [ … ] }, RFC 7517 §5): give the address of jwks_uri, not that of the metadata or of a single key.';
  }
}

function shown(address: string): string {
  return printable(withoutQuery(address).replace(/(?<=^[a-z]+:\/\/)[^/@]*@/i, '…@'));
}
