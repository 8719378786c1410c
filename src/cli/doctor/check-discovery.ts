import { isJsonObject, type JsonObject } from '../../model/json-object.js';
import type { AlternativeIssuer } from '../../presets/provider.js';
import { PROVIDERS } from '../../presets/providers.js';
import { metadataLocations } from '../../remote/metadata.js';
import { literal, printable, quoted } from '../printable.js';
import type { CheckReport } from './check-report.js';
import { issuerMismatchFix } from './issuer-spelling.js';
import { failureFix, type Probe, type Prober } from './prober.js';

export interface LocatedMetadata {
  readonly metadata: JsonObject;
  readonly location: string;
}

const MAX_ALTERNATIVES = 6;

/** Fetches the metadata as the API does, and looks for the issuer at other paths if there are none. */
export async function checkDiscovery(
  issuer: string,
  prober: Prober,
  report: CheckReport,
): Promise<LocatedMetadata | undefined> {
  const probes: Probe[] = [];
  for (const location of metadataLocations(issuer)) {
    const result = await prober.probe(location);
    probes.push(result);
    // Metadata of another issuer does not end the search: the API skips them, too.
    if (result.isUnreachable || readMetadata(result)?.metadata.issuer === issuer) break;
  }
  const [first] = probes as [Probe];
  const { host } = new URL(issuer);
  if (first.isUnreachable || probes.every(({ code }) => /^STATUS (?:429|5)/.test(code ?? '')))
    report.add('reachable', 'problem', first.failure ?? '', failureFix([first]));
  else report.add('reachable', 'ok', `${host} answered`);
  if (first.isUnreachable) return undefined;

  const results = probes.map(readMetadata).filter((result) => result !== undefined);
  const own = results.find(({ metadata }) => metadata.issuer === issuer) ?? results[0];
  const found = own ?? (await findElsewhere(issuer, prober));
  const others = probes
    .filter((result) => readMetadata(result) === undefined)
    .map(({ failure, address }) => failure ?? `${address}: another JSON document`)
    .join('; ');
  if (own === undefined) report.add('discovery', 'problem', others, notFoundFix(probes, found));
  else report.add('discovery', 'ok', printable(own.location) + (others === '' ? '' : ` (skipped ${others})`));
  if (found !== undefined) checkMetadataIssuer(issuer, found, report);
  return found;
}

function readMetadata({ body, address }: Probe): LocatedMetadata | undefined {
  const isMetadata = isJsonObject(body) && ('issuer' in body || 'jwks_uri' in body);
  return isMetadata ? { metadata: body, location: address } : undefined;
}

/** Looks for metadata at other paths of the same host. A redirect is not followed: it may lead into a private network (SSRF). */
async function findElsewhere(issuer: string, prober: Prober): Promise<LocatedMetadata | undefined> {
  const { origin, pathname } = new URL(issuer);
  const segments = pathname.split('/').filter((segment) => segment !== '');
  const parents = segments.map((_segment, index) => [origin, ...segments.slice(0, index)].join('/')).reverse();
  const others = new Set([...alternativeIssuers(issuer).map((alternative) => alternative.issuer), ...parents]);
  const locations = [...others].slice(0, MAX_ALTERNATIVES).flatMap((other) => metadataLocations(other).slice(0, 2));
  const results = await Promise.all([...new Set(locations)].map((location) => prober.probe(location)));
  return results.map(readMetadata).find((result) => result !== undefined);
}

/** Issuers at other paths of the same host, by what is known about providers. */
export function alternativeIssuers(issuer: string): readonly AlternativeIssuer[] {
  return PROVIDERS.flatMap((provider) => provider.alternativeIssuers?.(new URL(issuer)) ?? []);
}

function notFoundFix(probes: readonly Probe[], other: LocatedMetadata | undefined): string {
  if (typeof other?.metadata.issuer === 'string')
    return `There is metadata at ${printable(other.location)}. Write issuer: ${literal(other.metadata.issuer)}.`;
  const advice =
    'Write `iss` exactly as a token has it. Many issuers have a path (/realms/…, /oauth2/default, /v2.0). For an issuer without metadata, use --jwks-uri <url>.';
  return failureFix(probes) ?? advice;
}

/** RFC 8414 §3.3, OpenID Connect Discovery §4.3: the names must be identical. */
function checkMetadataIssuer(issuer: string, { metadata, location }: LocatedMetadata, report: CheckReport): void {
  const { issuer: named } = metadata;
  const expected = `${quoted(issuer)} (--issuer)`;
  if (named === issuer) report.add('metadata-issuer', 'ok', quoted(named));
  else if (typeof named !== 'string') {
    const fix =
      'This is not the metadata of an authorization server. Write the issuer as `iss` in a token has it, or use --jwks-uri <url>.';
    report.add('metadata-issuer', 'problem', 'the metadata has no issuer', fix, expected);
  } else {
    const fix =
      issuerMismatchFix(issuer, named) ??
      `If \`iss\` of the tokens is ${quoted(named)}, write issuer: ${literal(named)}; if the API reaches only this address, add keys: { from: 'discovery', uri: ${literal(location)} }. Otherwise, this is another issuer: check the address.`;
    report.add('metadata-issuer', 'problem', `the metadata is for ${quoted(named)}`, fix, expected);
  }
}
