import { isFetchableAddress } from '../../address.js';
import { KeySet } from '../../keys/key-set.js';
import { resolveOptions } from '../../options/resolve-options.js';
import type { ResolvedIssuer } from '../../options/resolve-issuer.js';
import { CHECKS, type CheckName, type CheckRow, skipped } from './check-row.js';
import { checkClock } from './clock.js';
import { configurationOf } from './configuration.js';
import { checkDiscovery, type Discovery } from './discovery.js';
import { checkSpelling, withoutCredentials } from './issuer-spelling.js';
import { checkGivenAddress, checkKeySet, checkNamedAddress, type FetchedKeys, type JwksAddress } from './jwks.js';
import { checkKeys, KEY_CHECKS } from './keys.js';
import { checkAlgorithms } from './metadata-algorithms.js';
import { isSameButForSpelling } from './other-spellings.js';
import type { ProbeOptions } from './probe.js';
import { recognisedProvider } from './recognised-provider.js';
import { checkToken, tokenNotGiven } from './token-rows.js';

export interface DoctorRequest {
  readonly issuer: string;
  readonly audience: readonly string[] | undefined;
  readonly jwksUri: string | undefined;
  readonly token: string | undefined;
  readonly allowHttp: boolean;
  readonly timeoutMs: number;
  readonly clockToleranceSeconds: number;
}

export interface Diagnosis {
  readonly rows: readonly CheckRow[];
  readonly isReachable: boolean;
  /** TypeScript to paste; undefined where not even the issuer is known. */
  readonly configuration: string | undefined;
}

const MAX_BYTES = 512 * 1024;
const DEFAULT_TOLERANCE_SECONDS = 5;

/** Makes every check that can be made, in order. What one of them finds never keeps the others from being made. */
export async function diagnose(
  request: DoctorRequest,
  { fetch, clock }: Pick<ProbeOptions, 'fetch' | 'clock'>,
): Promise<Diagnosis> {
  const { jwksUri, timeoutMs, clockToleranceSeconds } = request;
  const options: ProbeOptions = { fetch, clock, timeoutMs, maxBytes: MAX_BYTES };
  const spelling = checkSpelling(request.issuer, request);
  const discovery = spelling.issuer === undefined ? undefined : await checkDiscovery(spelling.issuer, options);
  const address = await jwksAddress(discovery, request, options);
  const fetched = address?.address === undefined ? undefined : await checkKeySet(address.address, options);
  const keySet = fetched?.keys === undefined ? undefined : new KeySet(fetched.keys);

  const found = discovery?.found;
  const published = typeof found?.metadata.issuer === 'string' ? found.metadata.issuer : undefined;
  const issuer = spelling.issuer ?? request.issuer.trim();
  const rows = [
    spelling.row,
    ...discoveryRows(discovery, jwksUri),
    ...(address === undefined ? [] : [address.row]),
    ...keyRows(fetched),
    ...(found === undefined ? [] : [checkAlgorithms(found.metadata)]),
    checkClock(discovery?.clock ?? fetched?.clock, clockToleranceSeconds),
    ...(request.token === undefined
      ? tokenNotGiven()
      : await checkToken({
          token: request.token,
          issuer: issuerOptions(issuer, request),
          audience: request.audience,
          keySet,
          published: { issuer: published, location: found?.location },
          nowSeconds: clock() / 1000,
        })),
  ];
  return {
    rows: complete(rows),
    isReachable: isReachable(discovery, fetched, jwksUri),
    configuration: configuration(request, spelling.issuer, discovery),
  };
}

/** What the metadata say is not needed where the keys' address is given; it is told all the same. */
function discoveryRows(discovery: Discovery | undefined, jwksUri: string | undefined): readonly CheckRow[] {
  const rows = discovery?.rows ?? [];
  return jwksUri === undefined
    ? rows
    : rows.map((row) =>
        row.status === 'problem'
          ? { ...row, status: 'warning', mend: `With --jwks-uri the metadata are not needed. ${row.mend ?? ''}`.trim() }
          : row,
      );
}

async function jwksAddress(
  discovery: Discovery | undefined,
  { jwksUri, allowHttp }: DoctorRequest,
  options: ProbeOptions,
): Promise<JwksAddress | undefined> {
  if (jwksUri !== undefined) return checkGivenAddress(jwksUri, allowHttp);
  return discovery?.found && checkNamedAddress(discovery.found, allowHttp, options);
}

function keyRows(fetched: FetchedKeys | undefined): readonly CheckRow[] {
  if (fetched === undefined) return [];
  return [
    fetched.row,
    ...(fetched.keys === undefined
      ? KEY_CHECKS.map((check) => skipped(check, 'there is no key set'))
      : checkKeys(fetched.keys)),
  ];
}

/** The options as the API would have them. Without an audience, whom a token is for is not decided here. */
function issuerOptions(issuer: string, { audience, clockToleranceSeconds }: DoctorRequest): ResolvedIssuer {
  const { issuers } = resolveOptions({
    issuer: issuer === '' ? 'https://issuer.invalid' : issuer,
    audience: audience ?? 'of no token',
    audienceClaim: recognisedProvider(issuer, '')?.audienceClaim,
    // The keys were fetched before; nothing is fetched from here.
    keys: { from: 'jwks', uri: 'https://keys.invalid/' },
    clockToleranceSeconds,
  });
  const [resolved] = issuers as readonly [ResolvedIssuer];
  return resolved;
}

function isReachable(
  discovery: Discovery | undefined,
  fetched: FetchedKeys | undefined,
  jwksUri: string | undefined,
): boolean {
  return jwksUri === undefined ? discovery?.isReachable !== false : fetched?.isReachable !== false;
}

function configuration(
  request: DoctorRequest,
  issuer: string | undefined,
  discovery: Discovery | undefined,
): string | undefined {
  const { audience, jwksUri, clockToleranceSeconds, allowHttp } = request;
  const name =
    issuer === undefined ? (jwksUri === undefined ? undefined : request.issuer.trim()) : nameOf(issuer, discovery);
  // Credentials are not to be pasted anywhere.
  if (name === undefined || [name, jwksUri ?? ''].some((address) => withoutCredentials(address) !== address))
    return undefined;
  return configurationOf({
    issuer: name,
    audience,
    keys: jwksUri === undefined ? undefined : { from: 'jwks', uri: jwksUri },
    clockToleranceSeconds: clockToleranceSeconds === DEFAULT_TOLERANCE_SECONDS ? undefined : clockToleranceSeconds,
    allowHttp:
      allowHttp &&
      [name, jwksUri].some(
        (address) => address !== undefined && /^http:/i.test(address) && !isFetchableAddress(address, false),
      ),
  });
}

/** As the issuer writes itself, where it is the same one but for the spelling. */
function nameOf(issuer: string, discovery: Discovery | undefined): string {
  const named = discovery?.found?.metadata.issuer;
  if (typeof named !== 'string' || !URL.canParse(named)) return issuer;
  // Another path may be another tenant, and http would trade a trusted name for one that anybody on the way can answer for.
  const isDowngrade = /^https:/i.test(issuer) && !/^https:/i.test(named);
  return isSameButForSpelling(named, issuer) && !isDowngrade && !named.includes('{') ? named : issuer;
}

/** A row for each check: what was not made says so. */
function complete(rows: readonly CheckRow[]): readonly CheckRow[] {
  const made = new Map<CheckName, CheckRow>(rows.map((row) => [row.check, row]));
  const hasToken = rows.filter(({ check }) => check.startsWith('token.')).length > 1;
  return CHECKS.filter((check) => hasToken || !check.startsWith('token.') || check === 'token.form').map(
    (check) => made.get(check) ?? skipped(check, 'could not be looked at'),
  );
}
