import { keysIn } from '../../keys/key-document.js';
import { KeySet } from '../../keys/key-set.js';
import { hasPrivateMembers } from '../../keys/verification-key.js';
import { isDowngrade, isFetchableAddress, isSimilarAddress, withoutQuery } from '../../model/address.js';
import { printable, quoted } from '../../model/printable-text.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { adviceOf } from '../../presets/provider.js';
import { PROVIDERS, recognizeIssuer } from '../../presets/providers.js';
import { FetchError, withHeaders } from '../../remote/http-exchange.js';
import { metadataLocations, requireJwksUri } from '../../remote/metadata.js';
import { counted } from '../../token/hints.js';
import { toTypeScript } from '../command-io.js';
import type { CheckReport } from './check-report.js';
import { failureFix, type Probe, probe, type ProbeOptions } from './probe.js';

export interface DoctorRequest {
  readonly issuer: string;
  /** `null` if the API does not check it. */
  readonly audience: readonly string[] | null | undefined;
  readonly metadataUri?: string;
  readonly jwksUri: string | undefined;
  /** Request headers for metadata and keys. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly allowHttp: boolean;
  readonly clockToleranceSeconds: number;
}

export async function checkIssuer(
  request: DoctorRequest,
  options: ProbeOptions,
  report: CheckReport,
): Promise<{ readonly isReachable: boolean; readonly keySet: KeySet | undefined }> {
  const { jwksUri, metadataUri, headers, allowHttp } = request;
  const probes: Probe[] = [];
  const isFetchable = checkIssuerAddress(request, report);
  const first = jwksUri ?? metadataUri ?? (isFetchable ? correctedIssuer(request.issuer) : undefined);
  // As the API, which sends configured headers only to the first origin.
  const fetch = withHeaders(
    options.fetch,
    headers,
    first !== undefined && URL.canParse(first) ? [new URL(first).origin] : [],
  );
  const send = async (address: string) => {
    const result = await probe(address, { ...options, fetch });
    probes.push(result);
    return result;
  };
  let metadata: Pick<Metadata, 'jwksUri' | 'location'> | undefined;
  if (jwksUri !== undefined) metadata = { jwksUri, location: jwksUri };
  else if (metadataUri !== undefined)
    metadata = await checkDiscovery(correctedIssuer(request.issuer), [metadataUri], send, report);
  else if (first !== undefined) metadata = await checkDiscovery(first, metadataLocations(first), send, report);
  const address = metadata && checkJwksUri(metadata.jwksUri, metadata.location, allowHttp, report);
  const keySet = address === undefined ? undefined : checkKeySet(await send(address), report);
  const aheadSeconds = probes.map((each) => each.aheadSeconds).find((seconds) => seconds !== undefined);
  if (aheadSeconds !== undefined) checkClock(aheadSeconds, request, report);
  return { isReachable: probes[0]?.isUnreachable !== true, keySet };
}

/** Removes everything that an issuer does not have (RFC 8414 §2). The result contains no credentials. */
export function correctedIssuer(given: string): string {
  return (
    given
      .replace(/\s+/g, '')
      // A password may contain any character, also `/`, `?` and `@`.
      .replace(/^((?:[a-z][\w+.-]*:\/\/)?).*@/i, '$1')
      .replace(/[?#].*$/, '')
      // RFC 8414 §3 inserts the well-known part before the path, OpenID Connect Discovery §4 appends it.
      .replace(/\/\.well-known\/[^/]*/, '')
  );
}

/** Returns whether metadata may be fetched from the corrected issuer. */
function checkIssuerAddress(request: DoctorRequest, report: CheckReport): boolean {
  const { issuer: given, allowHttp } = request;
  const issuer = correctedIssuer(given);
  const isFetchable = isFetchableAddress(issuer, allowHttp);
  // RFC 7519 §4.1.1: `iss` can be any text. Only discovery needs a URL.
  const isName = (request.jwksUri ?? request.metadataUri) !== undefined;
  if (!isFetchable && !isName) {
    const example = `https://${issuer.replace(/^[a-z][\w+.-]*:\/*/i, '')}`;
    const fix = `Write the complete URL exactly as \`iss\` has it, for example ${toTypeScript(example)}. Over http, anyone on the network path can forge every token; in a closed network, use --allow-http and insecureAllowHttp: true.`;
    report.add('issuer', 'problem', `${quoted(issuer)} is not an https URL`, fix, 'https://…');
  } else if (issuer !== given) {
    const found = 'it contains white space, credentials, a query, a fragment or /.well-known';
    report.add('issuer', 'problem', found, `Write ${toTypeScript(issuer)}.`, quoted(issuer));
  } else report.add('issuer', 'ok', quoted(issuer));
  return isFetchable;
}

type Metadata = NonNullable<ReturnType<typeof readMetadata>>;

async function checkDiscovery(
  issuer: string,
  locations: readonly string[],
  send: (address: string) => Promise<Probe>,
  report: CheckReport,
): Promise<Metadata | undefined> {
  const skipped: Probe[] = [];
  let metadata: Metadata | undefined;
  for (const location of locations) {
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
  report.add('reachable', 'ok', `${new URL(locations[0] ?? issuer).host} answered`);
  const failures = skipped.map(({ failure, address }) => failure ?? `${address}: another JSON document`).join('; ');
  if (metadata === undefined) {
    const alternative = URL.canParse(issuer) ? await alternativeFix(issuer, send) : undefined;
    const fix = alternative ?? failureFix(...skipped) ?? NOT_FOUND_FIX;
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
    report.add('metadata-issuer', 'problem', quoted(named), fix, `${quoted(issuer)} (--issuer)`);
  }
  return metadata;
}

function readMetadata({ body, address }: Probe) {
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

/** Returns undefined if the named issuer is neither another spelling nor known to belong to the same provider. */
export function issuerMismatchFix(issuer: string, named: string): string | undefined {
  const provider = recognizeIssuer(issuer)?.provider;
  const advice = provider && adviceOf(provider, 'ISSUER_UNTRUSTED', { issuer, named });
  if (advice !== undefined || !isSimilarAddress(issuer, named)) return advice;
  if (isDowngrade(issuer, named))
    return "Configure the issuer to name itself with https. Behind a proxy that terminates TLS, set the issuer's public address (KC_HOSTNAME in Keycloak), or let the issuer trust the proxy's X-Forwarded-Proto.";
  const slash = named.endsWith('/') ? 'with the trailing slash' : 'without the trailing slash';
  const spelling = named.endsWith('/') === issuer.endsWith('/') ? 'in this spelling' : slash;
  return `Write issuer: ${toTypeScript(named)}, ${spelling}. \`iss\` must match exactly.`;
}

function checkJwksUri(value: unknown, location: string, allowHttp: boolean, report: CheckReport): string | undefined {
  const jwksUri = typeof value === 'string' ? value : undefined;
  try {
    const address = requireJwksUri(jwksUri, location, { jwksOrigins: undefined, allowHttp });
    report.add('jwks-uri', 'ok', printableAddress(address));
    return address;
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    const problem = error.message.replace(/^.* has a jwks_uri that /s, '');
    const found = jwksUri === undefined ? problem : `${printableAddress(jwksUri)} ${problem}`;
    const fix =
      "Use an https URL without credentials and fragment; over http, anyone on the network path can replace the keys. Set the public address of the authorization server, or let it trust the proxy's X-Forwarded-Proto. Or configure the address yourself: --jwks-uri <url>, keys: { from: 'jwks', uri }.";
    report.add('jwks-uri', 'problem', found, fix, 'https://…');
    return undefined;
  }
}

function checkKeySet(response: Probe, report: CheckReport): KeySet | undefined {
  const { address, body, failure } = response;
  const jwks = keysIn(body);
  const shown = printableAddress(address);
  if (jwks === undefined) {
    const fix =
      failureFix(response) ??
      'There is no key set ({ "keys": [ … ] }, RFC 7517 §5) at this address. Correct --jwks-uri, or jwks_uri in the metadata, or let the proxy forward this path.';
    report.add('jwks', 'problem', failure ?? `${shown}: another JSON document`, fix, 'a JSON Web Key Set');
    return undefined;
  }
  report.add('jwks', 'ok', `${counted(jwks.length, 'keys')} at ${shown}`);
  checkKeys(jwks, report);
  return new KeySet(jwks);
}

function checkKeys(jwks: readonly unknown[], report: CheckReport): void {
  const secret = jwks.filter(isJsonObject).filter(hasPrivateMembers);
  if (secret.length > 0) {
    const fix =
      'Revoke these keys NOW and create new ones: anyone who has read this address can sign tokens as this issuer. Then publish only the public members (kty, kid, use, alg, n and e, or crv, x and y).';
    const kids = secret.map(({ kid }) => quoted(kid)).join(', ');
    report.add('keys', 'problem', printable(`private or symmetric keys are published: ${kids}`), fix);
    return;
  }
  // RFC 7517 §4.2: a set may also contain encryption keys.
  const keySet = new KeySet(jwks.filter((jwk) => !isJsonObject(jwk) || jwk.use !== 'enc'));
  const { problems, isUsable } = keySet;
  if (problems.length > 0 || !isUsable) {
    const found = printable(problems.join('; ')) || 'no key is for signatures';
    const fix =
      'Publish signing keys: RSA of at least 2048 bits (RS256), P-256 (ES256) or Ed25519 (EdDSA), with "use": "sig", "verify" in key_ops and the alg that they sign with, or without these members. Tokens signed with other keys are rejected.';
    report.add('keys', isUsable ? 'warning' : 'problem', found, fix);
    return;
  }
  const kids = keySet.candidates(undefined).map(({ kid }) => (kid === undefined ? 'a key without kid' : quoted(kid)));
  report.add('keys', 'ok', printable(`${String(kids.length)} can verify tokens: ${kids.join(', ')}`));
}

function printableAddress(address: string): string {
  return printable(withoutQuery(address).replace(/(?<=^[a-z]+:\/\/)[^/]*@/i, '…@'));
}

/** A wrong clock is the most frequent cause of TOKEN_NOT_YET_VALID. */
function checkClock(aheadSeconds: number, { clockToleranceSeconds }: DoctorRequest, report: CheckReport): void {
  const distance = Math.abs(aheadSeconds);
  const found = `the issuer is ${String(distance)} s ${aheadSeconds > 0 ? 'ahead' : 'behind'}`;
  // A `Date` header has whole seconds, and a response takes time.
  if (distance <= 2) report.add('clock', 'ok', 'the same as on this machine');
  else if (distance <= clockToleranceSeconds) report.add('clock', 'ok', found);
  else {
    const effect = aheadSeconds > 0 ? 'New tokens are rejected as not yet valid.' : 'Tokens expire too early.';
    const fix = `${effect} Synchronize both clocks with a time server (chrony, systemd-timesyncd; also after a virtual machine was paused).`;
    report.add('clock', 'problem', found, fix, `at most ${String(clockToleranceSeconds)} s (clockToleranceSeconds)`);
  }
}
