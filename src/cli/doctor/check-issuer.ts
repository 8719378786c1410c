import type { KeySet } from '../../keys/key-set.js';
import { isFetchableAddress } from '../../model/address.js';
import { quoted, toTypeScript } from '../printable.js';
import { checkDiscovery, type Metadata } from './check-discovery.js';
import { checkJwksUri, checkKeySet } from './check-key-set.js';
import type { CheckReport } from './check-report.js';
import { type Probe, probe, type ProbeOptions } from './probe.js';

/** The arguments of `doctor`. */
export interface DoctorRequest {
  readonly issuer: string;
  readonly audience: readonly string[] | undefined;
  readonly jwksUri: string | undefined;
  readonly allowHttp: boolean;
  readonly clockToleranceSeconds: number;
}

/**
 * Makes every check of the issuer that is possible. With `--jwks-uri`, no metadata is needed.
 * @returns whether the first request was answered, and the keys of the issuer.
 */
export async function checkIssuer(
  request: DoctorRequest,
  options: ProbeOptions,
  report: CheckReport,
): Promise<{ readonly isReachable: boolean; readonly keySet: KeySet | undefined }> {
  const { jwksUri, allowHttp } = request;
  const probes: Probe[] = [];
  const send = async (address: string) => {
    const result = await probe(address, options);
    probes.push(result);
    return result;
  };
  const isFetchable = checkIssuerAddress(request, report);
  let metadata: Pick<Metadata, 'jwksUri' | 'location'> | undefined;
  if (jwksUri !== undefined) metadata = { jwksUri, location: jwksUri };
  else if (isFetchable) metadata = await checkDiscovery(correctedIssuer(request.issuer), send, report);
  const address = metadata && checkJwksUri(metadata, allowHttp, report);
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
function checkIssuerAddress({ issuer: given, jwksUri, allowHttp }: DoctorRequest, report: CheckReport): boolean {
  const issuer = correctedIssuer(given);
  const isFetchable = isFetchableAddress(issuer, allowHttp);
  if (!isFetchable) {
    // RFC 7519 §4.1.1: `iss` can be any string. Only discovery needs a URL.
    const isName = jwksUri !== undefined && issuer === given && !URL.canParse(issuer);
    const example = `https://${issuer.replace(/^[a-z][\w+.-]*:\/*/i, '')}`;
    const fix = `Write the complete URL exactly as \`iss\` has it, for example ${toTypeScript(example)}. Over http, anyone on the network path can forge every token; in a closed network, use --allow-http and insecureAllowHttp: true.`;
    report.add('issuer', isName ? 'warning' : 'problem', `${quoted(issuer)} is not an https URL`, fix, 'https://…');
  } else if (issuer !== given) {
    const found = 'it contains white space, credentials, a query, a fragment or /.well-known';
    report.add('issuer', 'problem', found, `Write ${toTypeScript(issuer)}.`, quoted(issuer));
  } else report.add('issuer', 'ok', quoted(issuer));
  return isFetchable;
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
