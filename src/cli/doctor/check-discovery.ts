import { isJsonObject } from '../../model/unknown-value.js';
import { isDowngrade, isSimilarAddress, slashHint } from '../../model/similar-address.js';
import { adviceOf } from '../../presets/provider.js';
import { PROVIDERS, recognizeIssuer } from '../../presets/providers.js';
import { metadataLocations } from '../../remote/metadata.js';
import { printable, quoted, toTypeScript } from '../printable.js';
import type { CheckReport } from './check-report.js';
import { failureFix, type Probe } from './probe.js';

export interface Metadata {
  readonly issuer: string;
  readonly jwksUri: unknown;
  readonly location: string;
}

/** Fetches the metadata as the API does. */
export async function checkDiscovery(
  issuer: string,
  send: (address: string) => Promise<Probe>,
  report: CheckReport,
): Promise<Metadata | undefined> {
  const probes: Probe[] = [];
  for (const location of metadataLocations(issuer)) {
    const result = await send(location);
    probes.push(result);
    // Metadata of another issuer does not end the search: the API skips them, too.
    if (result.isUnreachable || readMetadata(result)?.issuer === issuer) break;
  }
  const [first] = probes;
  if (first?.isUnreachable === true) {
    report.add('reachable', 'problem', first.failure ?? '', failureFix(first));
    return undefined;
  }
  report.add('reachable', 'ok', `${new URL(issuer).host} answered`);
  const documents = probes.map(readMetadata).filter((document) => document !== undefined);
  const skipped = probes
    .filter((result) => readMetadata(result) === undefined)
    .map(({ failure, address }) => failure ?? `${address}: another JSON document`)
    .join('; ');
  const found = documents.find((document) => document.issuer === issuer) ?? documents[0];
  if (found === undefined) {
    const fix = (await alternativeFix(issuer, send)) ?? failureFix(...probes) ?? NOT_FOUND_FIX;
    report.add('discovery', 'problem', skipped, fix);
    return undefined;
  }
  report.add('discovery', 'ok', printable(found.location) + (skipped === '' ? '' : ` (skipped ${skipped})`));
  // RFC 8414 §3.3, OpenID Connect Discovery §4.3: the names must be identical.
  if (found.issuer === issuer) report.add('metadata-issuer', 'ok', quoted(issuer));
  else reportOtherIssuer(issuer, found, report);
  return found;
}

function readMetadata({ body, address }: Probe): Metadata | undefined {
  if (!isJsonObject(body) || typeof body.issuer !== 'string') return undefined;
  return { issuer: body.issuer, jwksUri: body.jwks_uri, location: address };
}

const NOT_FOUND_FIX =
  'Write `iss` exactly as a token has it. Many issuers have a path (/realms/…, /oauth2/default, /v2.0). For an issuer without metadata, use --jwks-uri <url>.';

/** Looks for the issuer at the other paths of its provider, on the same host. */
async function alternativeFix(issuer: string, send: (address: string) => Promise<Probe>): Promise<string | undefined> {
  const alternatives = PROVIDERS.flatMap((provider) => provider.alternativeIssuers?.(new URL(issuer)) ?? []);
  for (const alternative of alternatives) {
    const [location = ''] = metadataLocations(alternative);
    const named = readMetadata(await send(location))?.issuer;
    if (named !== undefined)
      return `There is metadata at ${printable(location)}. Write issuer: ${toTypeScript(named)}.`;
  }
  return undefined;
}

function reportOtherIssuer(issuer: string, { issuer: named, location }: Metadata, report: CheckReport): void {
  const fix =
    issuerMismatchFix(issuer, named) ??
    `If \`iss\` of the tokens is ${quoted(named)}, write issuer: ${toTypeScript(named)}; if the API reaches only this address, add keys: { from: 'discovery', uri: ${toTypeScript(location)} }. Otherwise, this is another issuer: check the address.`;
  report.add('metadata-issuer', 'problem', `the metadata is for ${quoted(named)}`, fix, `${quoted(issuer)} (--issuer)`);
}

/**
 * Returns what to do if the metadata or a token names another issuer, or undefined if that issuer is neither another spelling
 * nor known to belong to the same provider.
 */
export function issuerMismatchFix(issuer: string, named: string): string | undefined {
  if (!isSimilarAddress(issuer, named)) {
    const provider = recognizeIssuer(issuer)?.provider;
    return provider && adviceOf(provider, 'ISSUER_UNTRUSTED', { issuer, named });
  }
  if (isDowngrade(issuer, named))
    return "Configure the issuer to name itself with https. Behind a proxy that terminates TLS, set the issuer's public address (KC_HOSTNAME in Keycloak), or let the issuer trust the proxy's X-Forwarded-Proto.";
  return `Write issuer: ${toTypeScript(named)}, ${slashHint(issuer, named) ?? 'in this spelling'}. \`iss\` must match exactly.`;
}
