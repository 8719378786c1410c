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
  const skipped: Probe[] = [];
  let metadata: Metadata | undefined;
  for (const location of metadataLocations(issuer)) {
    const result = await send(location);
    const document = readMetadata(result);
    if (document === undefined) skipped.push(result);
    else if (metadata === undefined || document.issuer === issuer) metadata = document;
    // Metadata of another issuer does not end the search: the API skips them, too.
    if (result.isUnreachable || document?.issuer === issuer) break;
  }
  const [first] = skipped;
  if (metadata === undefined && first?.isUnreachable === true) {
    report.add('reachable', 'problem', first.failure ?? '', failureFix(first));
    return undefined;
  }
  report.add('reachable', 'ok', `${new URL(issuer).host} answered`);
  const failures = skipped.map(({ failure, address }) => failure ?? `${address}: another JSON document`).join('; ');
  if (metadata === undefined) {
    const fix = (await alternativeFix(issuer, send)) ?? failureFix(...skipped) ?? NOT_FOUND_FIX;
    report.add('discovery', 'problem', failures, fix);
    return undefined;
  }
  const { issuer: named, location } = metadata;
  report.add('discovery', 'ok', printable(location) + (failures === '' ? '' : ` (skipped ${failures})`));
  // RFC 8414 §3.3, OpenID Connect Discovery §4.3: the names must be identical.
  if (named === issuer) {
    report.add('metadata-issuer', 'ok', quoted(issuer));
  } else {
    const fix =
      issuerMismatchFix(issuer, named) ??
      `If \`iss\` of the tokens is ${quoted(named)}, write issuer: ${toTypeScript(named)}; if the API reaches only this address, add keys: { from: 'discovery', uri: ${toTypeScript(location)} }. Otherwise, this is another issuer: check the address.`;
    report.add(
      'metadata-issuer',
      'problem',
      `the metadata is for ${quoted(named)}`,
      fix,
      `${quoted(issuer)} (--issuer)`,
    );
  }
  return metadata;
}

function readMetadata({ body, address }: Probe): Metadata | undefined {
  if (!isJsonObject(body) || typeof body.issuer !== 'string') return undefined;
  return { issuer: body.issuer, jwksUri: body.jwks_uri, location: address };
}

const NOT_FOUND_FIX =
  'Write `iss` exactly as a token has it. Many issuers have a path (/realms/…, /oauth2/default, /v2.0). For an issuer without metadata, use --jwks-uri <url>.';

/** Looks for the issuer at the other paths of its provider, on the same host. */
async function alternativeFix(issuer: string, send: (address: string) => Promise<Probe>): Promise<string | undefined> {
  for (const alternative of PROVIDERS.flatMap((each) => each.alternativeIssuers?.(new URL(issuer)) ?? [])) {
    const [location = ''] = metadataLocations(alternative);
    const named = readMetadata(await send(location))?.issuer;
    if (named !== undefined)
      return `There is metadata at ${printable(location)}. Write issuer: ${toTypeScript(named)}.`;
  }
  return undefined;
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
