import { LRUCache } from 'lru-cache';
import { isFetchableAddress, isInternalHost, withoutQuery } from '../model/address.js';
import { quoted } from '../model/printable-text.js';
import { isJsonObject } from '../model/unknown-value.js';
import { exchange, type ExchangeOptions, FetchError, mostTelling } from './http-exchange.js';

/**
 * The members of authorization server metadata (RFC 8414 §2) that this package uses. Lists of algorithms are not among
 * them: they state what the server can do for its clients, `none` and HS256 included, not what this package accepts.
 */
interface AuthorizationServerMetadata {
  readonly issuer: string;
  /** Not verified. See {@link requireJwksUri}. */
  readonly jwks_uri?: string;
}

interface MetadataRequest extends Pick<ExchangeOptions, 'timeoutMs' | 'maxBytes'> {
  /** Default: the `fetch` of the source. */
  readonly fetch?: ExchangeOptions['fetch'];
  /** The location of the metadata. Default: the well-known locations of the issuer. */
  readonly uri: string | undefined;
}

const MAX_DOCUMENTS = 1_000;

/** The metadata of authorization servers: one cached document and one fetch at a time for each issuer. */
export class MetadataSource {
  private readonly documents = new LRUCache<string, AuthorizationServerMetadata>({ max: MAX_DOCUMENTS });
  private readonly pending = new Map<string, Promise<AuthorizationServerMetadata>>();

  constructor(private readonly options: Pick<ExchangeOptions, 'fetch' | 'signal'> & { readonly allowHttp: boolean }) {}

  /**
   * Returns the cached document, or fetches it. A failed fetch does not remove it.
   * @param isDoubtful whether the cached document may be outdated and must not be used.
   */
  async get(issuer: string, request: MetadataRequest, isDoubtful = false): Promise<AuthorizationServerMetadata> {
    const id = JSON.stringify([issuer, request.uri]);
    const cached = isDoubtful ? undefined : this.documents.get(id);
    if (cached !== undefined) return cached;
    const pending = this.pending.get(id) ?? this.load(issuer, request).finally(() => this.pending.delete(id));
    this.pending.set(id, pending);
    const metadata = await pending;
    this.documents.set(id, metadata);
    return metadata;
  }

  /**
   * Tries each location. A location that sends something else, such as a login page or the metadata of another issuer, is
   * skipped, and so is a document without keys while another location has one with keys.
   */
  private async load(issuer: string, { uri, ...limits }: MetadataRequest): Promise<AuthorizationServerMetadata> {
    const { allowHttp, ...options } = this.options;
    const failures: FetchError[] = [];
    let withoutKeys: AuthorizationServerMetadata | undefined;
    for (const location of uri === undefined ? metadataLocations(issuer) : [uri]) {
      try {
        const { body } = await exchange(location, { ...options, ...limits });
        const metadata = readMetadata(body, issuer, location);
        if (isFetchableAddress(metadata.jwks_uri ?? '', allowHttp)) return metadata;
        withoutKeys ??= metadata;
      } catch (error) {
        const failure = error as FetchError;
        failures.push(failure);
        // All locations are on the same host. Stop here; otherwise each request that needs keys waits for every timeout.
        if (failure.isUnreachable) break;
      }
    }
    if (withoutKeys !== undefined) return withoutKeys;
    const { code, retryAfterSeconds } = mostTelling(failures);
    throw new FetchError(code, failures.map(({ message }) => message).join('; '), retryAfterSeconds);
  }
}

/**
 * Returns the well-known locations of an issuer's metadata. OpenID Connect Discovery §4 appends the well-known part to the
 * issuer; RFC 8414 §3 inserts it between host and path. The two forms of OpenID are equal for an issuer without a path.
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

/** Keeps only the members in use, so that the server cannot fill the cache. */
function readMetadata(body: unknown, issuer: string, location: string): AuthorizationServerMetadata {
  const document = isJsonObject(body) ? body : {};
  // RFC 8414 §3.3, OpenID Connect Discovery §4.3: otherwise the metadata of one tenant could name the keys of another.
  if (document.issuer !== issuer) {
    const other = typeof document.issuer === 'string' ? quoted(document.issuer) : 'no issuer';
    throw new FetchError(
      'ISSUER_MISMATCH',
      `${withoutQuery(location)}: is the metadata of ${other}, not of ${JSON.stringify(issuer)}`,
    );
  }
  return { issuer, jwks_uri: typeof document.jwks_uri === 'string' ? document.jwks_uri : undefined };
}

/** Returns the `jwks_uri` of the metadata at this location in its canonical form, unless it must not be fetched. */
export function requireJwksUri(
  jwksUri: string | undefined,
  location: string,
  { jwksOrigins, allowHttp }: { readonly jwksOrigins?: readonly string[]; readonly allowHttp: boolean },
): string {
  const source = `${withoutQuery(location)}: the metadata`;
  if (jwksUri === undefined) throw new FetchError('METADATA_INVALID', `${source} has no jwks_uri`);
  const refusal = (problem: string) => new FetchError('ADDRESS_REFUSED', `${source} has a jwks_uri that ${problem}`);
  if (!isFetchableAddress(jwksUri, allowHttp)) throw refusal('must not be fetched (use https, or http on loopback)');
  const { href, hostname, origin } = new URL(jwksUri);
  // The keys may be on another host than the issuer, as with Google and Entra ID. But metadata from a public host must
  // not make this server send requests into its own network (SSRF).
  if (jwksOrigins?.includes(origin) === false) throw refusal('has an origin that is not in `jwksOrigins`');
  if (jwksOrigins === undefined && isInternalHost(hostname) && !isInternalHost(new URL(location).hostname))
    throw refusal('points to an internal network (list its origin in `jwksOrigins` if that is right)');
  return href;
}
