import { isInternalHost } from '../../model/address.js';
import { isJsonObject, type JsonObject } from '../../model/json-object.js';
import { metadataLocations } from '../../remote/metadata.js';
import { literal, printable, quoted } from '../printable.js';
import { type CheckRow, ok, problem } from './check-row.js';
import { isPage, whyNoDocument, whyUnreachable } from './failures.js';
import { isDowngrade, isSameButForSpelling, otherSpellings, slashOf } from './other-spellings.js';
import { type Probe, probe, type ProbeOptions } from './probe.js';

/** Metadata of an issuer, and where they were. */
export interface FoundMetadata {
  readonly metadata: JsonObject;
  readonly location: string;
}

export interface Discovery {
  /** `reachable`, `discovery`, `metadata-issuer`. */
  readonly rows: readonly CheckRow[];
  readonly found: FoundMetadata | undefined;
  readonly isReachable: boolean;
  /** An answer with the server's clock. */
  readonly clock: Probe['clock'];
}

/** Looks for the metadata at every location of OpenID Connect Discovery §4 and RFC 8414 §3, and elsewhere when it is at none. */
export async function checkDiscovery(issuer: string, options: ProbeOptions): Promise<Discovery> {
  const probes: Probe[] = [];
  for (const location of metadataLocations(issuer)) {
    const seen = await probe(location, options);
    probes.push(seen);
    if (seen.failure?.isUnreachable === true) break;
    // As the package does: the metadata of somebody else are passed over for the next location.
    if (metadataIn(seen)?.metadata.issuer === issuer) break;
  }
  const clock = probes.find((seen) => seen.clock !== undefined)?.clock;
  const [first] = probes as [Probe];
  if (first.failure?.isUnreachable === true) {
    const { found, mend } = whyUnreachable(first, options.timeoutMs);
    return { rows: [problem('reachable', found, mend)], found: undefined, isReachable: false, clock };
  }
  const all = probes.map(metadataIn).filter((found) => found !== undefined);
  const own = all.find(({ metadata }) => metadata.issuer === issuer) ?? all[0];
  const other = own === undefined ? await findElsewhere(issuer, probes, options) : undefined;
  const found = own ?? other;
  return {
    rows: [
      reachableRow(probes),
      own === undefined ? notFoundRow(issuer, probes, other) : foundRow(own, probes),
      ...(found === undefined ? [] : [issuerRow(issuer, found)]),
    ],
    found,
    isReachable: true,
    clock,
  };
}

function metadataIn({ body, address }: Probe): FoundMetadata | undefined {
  if (!isJsonObject(body) || !('issuer' in body || 'jwks_uri' in body)) return undefined;
  return { metadata: body, location: address };
}

/** At other paths of the same host, and where a redirect leads. Each is asked once, all at the same time. */
async function findElsewhere(
  issuer: string,
  probes: readonly Probe[],
  options: ProbeOptions,
): Promise<FoundMetadata | undefined> {
  const led = probes.flatMap(({ location }) => (location?.includes('/.well-known/') === true ? [location] : []));
  const spelled = otherSpellings(issuer).flatMap((other) => metadataLocations(other).slice(0, 2));
  const seen = await Promise.all(
    [...new Set([...led, ...spelled])].filter(isSafeToAsk(issuer)).map((location) => probe(location, options)),
  );
  return seen.map(metadataIn).find((found) => found !== undefined);
}

/** A redirect must not lead this tool over http, or to another host of the network that it stands in. */
function isSafeToAsk(issuer: string): (location: string) => boolean {
  const { hostname, protocol } = new URL(issuer);
  return (location) => {
    const other = new URL(location);
    if (isInternalHost(other.hostname) && !isInternalHost(hostname)) return false;
    return other.protocol === 'https:' || (other.protocol === protocol && other.hostname === hostname);
  };
}

function reachableRow(probes: readonly Probe[]): CheckRow {
  const [first] = probes as [Probe];
  const { host } = new URL(first.address);
  if (probes.every(({ status = 0 }) => status >= 500 || status === 429)) {
    return problem(
      'reachable',
      `${host} answers ${String(first.status)}`,
      first.status === 429
        ? 'The server asks to be left alone for a while: wait, and see who else asks it that often.'
        : 'The server is there, but does not work: look into its log, or that of the proxy before it.',
      'status 200',
    );
  }
  return ok('reachable', `${host} answered in ${String(Math.round(first.tookMs))} ms`);
}

function foundRow({ location }: FoundMetadata, probes: readonly Probe[]): CheckRow {
  const others = probes.filter((seen) => seen.address !== location && metadataIn(seen) === undefined);
  const passed = others.length === 0 ? '' : ` (passed over: ${others.map(whyNoDocument).join('; ')})`;
  return ok('discovery', printable(location) + passed);
}

function notFoundRow(issuer: string, probes: readonly Probe[], other: FoundMetadata | undefined): CheckRow {
  const found = probes.map(whyNoDocument).join('; ');
  const expected = `metadata at ${metadataLocations(issuer).join(' or ')}`;
  const named = other?.metadata.issuer;
  if (typeof named === 'string') {
    const where = probes.some(({ location }) => location === other?.location)
      ? 'There'
      : `At ${printable(other?.location ?? '')}`;
    return problem('discovery', found, `${where} are metadata: write issuer: ${literal(named)}.`, expected);
  }
  const redirect = probes.find(({ failure }) => failure?.code === 'REDIRECT');
  if (redirect !== undefined) {
    const to = redirect.location === undefined ? '' : ` (${printable(redirect.location)})`;
    const mend = `Redirects are not followed: whoever can answer once would decide where keys come from. Write the issuer to which it leads${to}; if that is a page to log in at, have the metadata published without a login.`;
    return problem('discovery', found, mend, expected);
  }
  if (probes.some(({ mediaType, failure }) => isPage(mediaType) || failure?.code === 'NOT_JSON')) {
    const mend =
      'A page (to log in at, or an application that answers everything with its index.html) stands where the metadata should be: give the address of the authorization server itself, as `iss` in a token has it.';
    return problem('discovery', found, mend, expected);
  }
  if (probes.some(({ status }) => status === 401 || status === 403)) {
    return problem(
      'discovery',
      found,
      'Metadata must be public (RFC 8414 §3): allow these paths without a login, for this machine too.',
      expected,
    );
  }
  const path = new URL(issuer).pathname.replace(/\/$/, '');
  const mend =
    path === ''
      ? 'Many issuers have a path (/realms/…, /oauth2/default, /v2.0): write `iss` as it stands in a token. Without metadata: --jwks-uri <url>.'
      : `Check the path ${printable(path)}: write \`iss\` as it stands in a token. Without metadata: --jwks-uri <url>.`;
  return problem('discovery', found, mend, expected);
}

/** RFC 8414 §3.3, OpenID Connect Discovery §4.3: equal to the letter. */
function issuerRow(issuer: string, { metadata, location }: FoundMetadata): CheckRow {
  const { issuer: named } = metadata;
  if (named === issuer) return ok('metadata-issuer', quoted(named));
  const expected = `${quoted(issuer)} (--issuer)`;
  if (typeof named !== 'string') {
    const mend =
      'These are no metadata of an authorization server. Write the issuer as `iss` in a token has it, or give --jwks-uri <url>.';
    return problem('metadata-issuer', 'the metadata name no issuer', mend, expected);
  }
  const found = `the metadata are of ${quoted(named)}`;
  if (/\{tenantid\}/i.test(named)) {
    const mend =
      "Microsoft's common endpoints issue no tokens of their own: write your tenant's id in place of common, organizations or consumers; for several tenants use entraId() of nestjs-resource-server/presets.";
    return problem('metadata-issuer', found, mend, expected);
  }
  if (isDowngrade(issuer, named) && isSameButForSpelling(issuer, named)) {
    const mend = `Have the issuer name itself with https, as it is reached: behind a proxy that ends TLS, by its public address (KC_HOSTNAME in Keycloak) or the proxy's X-Forwarded-Proto.`;
    return problem('metadata-issuer', found, mend, expected);
  }
  const slash = slashOf(issuer, named);
  if (slash !== undefined || isSameButForSpelling(issuer, named)) {
    const mend = `Write issuer: ${literal(named)}${slash === undefined ? '' : `, ${slash}`}: \`iss\` is compared to the letter.`;
    return problem('metadata-issuer', found, mend, expected);
  }
  const mend = `If the tokens' \`iss\` is ${quoted(named)}, write issuer: ${literal(named)}; where only this address can be reached from the API, add keys: { from: 'discovery', uri: ${literal(location)} }. If not, this is the metadata of another issuer: check the address.`;
  return problem('metadata-issuer', found, mend, expected);
}
