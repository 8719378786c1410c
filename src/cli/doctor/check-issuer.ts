import { isSignatureAlgorithm } from '../../keys/algorithms.js';
import type { JsonObject } from '../../model/json-object.js';
import { isDowngrade, isSimilarAddress } from '../../model/similar-address.js';
import { metadataLocations } from '../../remote/metadata.js';
import { printable } from '../printable.js';
import { alternativeIssuers, checkDiscovery } from './check-discovery.js';
import { checkGivenJwksUri, checkJwksUri, checkKeySet } from './check-key-set.js';
import type { CheckReport } from './check-report.js';
import { checkIssuerSpelling, withoutSecrets } from './issuer-spelling.js';
import { Prober, type ProberOptions } from './prober.js';

/** The arguments of `doctor`. */
export interface DoctorRequest {
  readonly issuer: string;
  readonly audience: readonly string[] | undefined;
  readonly jwksUri: string | undefined;
  readonly allowHttp: boolean;
  readonly clockToleranceSeconds: number;
}

export interface IssuerFacts {
  readonly isReachable: boolean;
  /** The given issuer with its spelling corrected. */
  readonly issuer: string;
  /** The name that the issuer gives itself. Undefined if unknown, or if the metadata is of another issuer. */
  readonly name: string | undefined;
  /** The issuer that the metadata names. */
  readonly metadataIssuer: string | undefined;
  readonly jwks: readonly unknown[] | undefined;
}

/** Makes every check of the issuer that is possible. A problem in one does not prevent the others. */
export async function checkIssuer(
  request: DoctorRequest,
  options: ProberOptions,
  report: CheckReport,
): Promise<IssuerFacts> {
  const { jwksUri, allowHttp, clockToleranceSeconds } = request;
  const given = request.issuer.trim();
  const prober = new Prober(options);
  const issuer = checkIssuerSpelling(request.issuer, request, report);
  const found = issuer === undefined ? undefined : await checkDiscovery(issuer, prober, report);
  const { metadata } = found ?? {};
  let address: string | undefined;
  if (jwksUri !== undefined) {
    ignoreDiscoveryProblems(report);
    address = checkGivenJwksUri(jwksUri, allowHttp, report);
  } else if (found !== undefined) address = checkJwksUri(found, allowHttp, report);
  const jwks = address === undefined ? undefined : await checkKeySet(address, prober, report);
  if (metadata !== undefined) checkAlgorithms(metadata, report);
  checkClock(prober, clockToleranceSeconds, report);

  const [location = ''] = issuer === undefined ? [] : metadataLocations(issuer);
  const metadataIssuer = typeof metadata?.issuer === 'string' ? metadata.issuer : undefined;
  // RFC 7519 §4.1.1: with --jwks-uri, any string can be an issuer.
  const isName = report.get('issuer')?.status === 'warning' && withoutSecrets(given) === given;
  return {
    isReachable: !prober.unreachable.has(jwksUri ?? location),
    issuer: issuer ?? given,
    name: issuer === undefined ? (isName ? given : undefined) : ownName(issuer, metadataIssuer, jwksUri),
    metadataIssuer,
    jwks,
  };
}

function ignoreDiscoveryProblems(report: CheckReport): void {
  for (const check of report.select(['reachable', 'discovery', 'metadata-issuer'], 'problem')) {
    const { found = '', fix = '', expected } = report.get(check) ?? {};
    report.add(check, 'warning', found, `With --jwks-uri the metadata is not needed. ${fix}`, expected);
  }
}

function ownName(issuer: string, named: string | undefined, jwksUri: string | undefined): string | undefined {
  if (named === issuer) return issuer;
  const fallback = jwksUri === undefined ? undefined : issuer;
  if (named === undefined || !URL.canParse(named)) return fallback;
  // The template `{tenantid}` of Microsoft is not the name of an issuer.
  if (named.includes('{') || isDowngrade(issuer, named)) return undefined;
  const isSameTenant = alternativeIssuers(issuer).some((other) => other.issuer === named && other.isSameTenant);
  return isSameTenant || isSimilarAddress(issuer, named) ? named : fallback;
}

/** Checks what the server can sign with. Metadata does not say which algorithm it uses for access tokens. */
function checkAlgorithms(metadata: JsonObject, report: CheckReport): void {
  const listed = metadata.id_token_signing_alg_values_supported;
  const names = Array.isArray(listed) ? listed.filter((name) => typeof name === 'string') : [];
  if (names.length === 0) return;
  const found = names.map(printable).join(', ');
  if (!names.some(isSignatureAlgorithm)) {
    const fix =
      'Configure the authorization server to sign with RS256, ES256 or EdDSA. HS256 and none are never accepted: with HS256 anyone who can verify a token can also sign one, and none means no signature.';
    report.add('algorithms', 'problem', found, fix, 'RS, PS, ES or EdDSA');
  } else if (names.includes('none')) {
    const fix = 'The server issues unsigned tokens to some clients. Disable that; this package always rejects them.';
    report.add('algorithms', 'warning', found, fix);
  } else report.add('algorithms', 'ok', found);
}

function checkClock({ serverClock }: Prober, toleranceSeconds: number, report: CheckReport): void {
  if (serverClock === undefined) return;
  const { aheadSeconds, uncertainSeconds } = serverClock;
  const distance = Math.abs(aheadSeconds);
  // The time in transit may explain a part of the difference.
  const difference = Math.max(0, distance - uncertainSeconds);
  const found = `the issuer is ${String(Math.round(distance))} s ${aheadSeconds > 0 ? 'ahead' : 'behind'}`;
  const synchronize =
    'Synchronize both clocks with a time server (chrony, systemd-timesyncd; also after a virtual machine was paused).';
  if (difference > toleranceSeconds) {
    const effect = aheadSeconds > 0 ? 'New tokens are rejected as not yet valid.' : 'Tokens expire too early.';
    const workaround =
      distance < 300 ? ` Until then, write clockToleranceSeconds: ${String(Math.ceil(distance + 1))}.` : '';
    const expected = `at most ${String(toleranceSeconds)} s (clockToleranceSeconds)`;
    report.add('clock', 'problem', found, `${effect} ${synchronize}${workaround}`, expected);
  } else if (difference > 5)
    report.add('clock', 'warning', found, `${synchronize} Up to ${String(toleranceSeconds)} s are tolerated.`);
  else report.add('clock', 'ok', distance <= uncertainSeconds + 1 ? 'the same as on this machine' : found);
}
