import { KeySet } from '../../keys/key-set.js';
import { CHECKS, type CheckName, type CheckRow, skipped } from './check-row.js';
import { checkClock } from './clock.js';
import { checkDiscovery, type Discovery } from './discovery.js';
import type { DoctorRequest } from './doctor-request.js';
import { nameOf } from './issuer-name.js';
import { checkSpelling } from './issuer-spelling.js';
import { checkGivenAddress, checkKeySet, checkNamedAddress, type FetchedKeys, type JwksAddress } from './jwks.js';
import { checkKeys, KEY_CHECKS } from './keys.js';
import { checkAlgorithms } from './metadata-algorithms.js';
import { pasted } from './pasted.js';
import type { ProbeOptions } from './probe.js';
import { recognisedProvider } from './recognised-provider.js';
import { tokenNames } from './token-names.js';
import { tokenOptions } from './token-options.js';
import { checkToken, tokenNotGiven } from './token-rows.js';

export interface Diagnosis {
  readonly rows: readonly CheckRow[];
  readonly isReachable: boolean;
  /** TypeScript to paste; undefined where something has to be mended first, which the row `configuration` names. */
  readonly configuration: string | undefined;
}

const MAX_BYTES = 512 * 1024;

/** Makes every check that can be made, in order. What one of them finds never keeps the others from being made. */
export async function diagnose(
  request: DoctorRequest,
  { fetch, clock }: Pick<ProbeOptions, 'fetch' | 'clock'>,
): Promise<Diagnosis> {
  const { jwksUri, timeoutMs, clockToleranceSeconds } = request;
  const options: ProbeOptions = { fetch, clock, timeoutMs, maxBytes: MAX_BYTES };
  const spelling = checkSpelling(request.issuer, request);
  const discovery = spelling.issuer === undefined ? undefined : await checkDiscovery(spelling.issuer, options);
  const address = jwksAddress(discovery, request);
  const fetched = address?.address === undefined ? undefined : await checkKeySet(address.address, options);
  const keySet = fetched?.keys === undefined ? undefined : new KeySet(fetched.keys);

  const found = discovery?.found;
  const rows = [
    spelling.row,
    ...discoveryRows(discovery, jwksUri),
    ...(address === undefined ? [] : [address.row]),
    ...keyRows(fetched),
    ...(found === undefined ? [] : [checkAlgorithms(found.metadata)]),
    checkClock(discovery?.clock ?? fetched?.clock, clockToleranceSeconds),
  ];
  // A name need not be an address where the keys are found without it.
  const isName = spelling.issuer === undefined && spelling.row.status !== 'problem';
  const asked = spelling.issuer ?? request.issuer.trim();
  const name =
    spelling.issuer === undefined ? (isName ? asked : undefined) : nameOf(spelling.issuer, discovery, jwksUri);
  const provider = recognisedProvider(name ?? asked);
  const named = request.token === undefined ? undefined : tokenNames(request.token, provider?.audienceClaim ?? 'aud');
  const paste = pasted({ ...request, issuer: name, rows, token: named });
  const tokenRows =
    request.token === undefined
      ? tokenNotGiven()
      : await checkToken({
          ...tokenOptions(asked, request, provider),
          token: request.token,
          provider,
          keySet,
          published: { issuer: textOf(found?.metadata.issuer), location: found?.location },
          nowSeconds: clock() / 1000,
        });
  return {
    rows: complete([...rows, paste.row, ...tokenRows]),
    isReachable: isReachable(discovery, fetched, jwksUri),
    configuration: paste.text,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
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

function jwksAddress(discovery: Discovery | undefined, { jwksUri, allowHttp }: DoctorRequest): JwksAddress | undefined {
  if (jwksUri !== undefined) return checkGivenAddress(jwksUri, allowHttp);
  return discovery?.found && checkNamedAddress(discovery.found, allowHttp);
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

function isReachable(
  discovery: Discovery | undefined,
  fetched: FetchedKeys | undefined,
  jwksUri: string | undefined,
): boolean {
  return jwksUri === undefined ? discovery?.isReachable !== false : fetched?.isReachable !== false;
}

/** A row for each check: what was not made says so. */
function complete(rows: readonly CheckRow[]): readonly CheckRow[] {
  const made = new Map<CheckName, CheckRow>(rows.map((row) => [row.check, row]));
  const hasToken = rows.filter(({ check }) => check.startsWith('token.')).length > 1;
  return CHECKS.filter((check) => hasToken || !check.startsWith('token.') || check === 'token.form').map(
    (check) => made.get(check) ?? skipped(check, 'could not be looked at'),
  );
}
