import { KeySet } from '../../keys/key-set.js';
import { staticKeys } from '../../keys/key-source.js';
import { printable, quoted } from '../../model/printable-text.js';
import { adviceOf } from '../../presets/provider.js';
import { isCommonAudience } from '../../presets/providers.js';
import { AccessTokenVerifier } from '../../token/access-token-verifier.js';
import type { ResolvedIssuer } from '../../options/resolve-issuer.js';
import { unreadClaimOf } from '../../token/authorities.js';
import type { Explanation } from '../../token/explain.js';
import { decodeCompact } from '../../token/jwt/compact.js';
import { TrustedIssuers } from '../../token/trusted-issuers.js';
import { issuerMismatchFix } from './check-issuer.js';
import type { CheckReport } from './check-report.js';
import type { SuggestedConfiguration } from './suggested-configuration.js';

/**
 * Reports what `AccessTokenVerifier.explain` finds with this configuration. If the token names another issuer, the other
 * checks are made as if it were the configured one, and still with the keys of the configured issuer.
 */
export async function checkToken(
  token: string,
  configuration: SuggestedConfiguration,
  keySet: KeySet | undefined,
  clock: () => number,
  report: CheckReport,
): Promise<void> {
  const { issuer, issuers, hasPlaceholders } = configuration;
  const [options] = issuers;
  if (options === undefined) {
    report.add('token.form', 'skipped', 'not checked', 'Fix the problems of the configuration first.');
    return;
  }
  const keySource = staticKeys(keySet ?? new KeySet([]));
  const trusted = new TrustedIssuers(
    (name) => Promise.resolve(issuers.find(({ names }) => names.includes(name)) ?? options),
    { create: () => keySource, release: () => undefined },
  );
  // Without an own `validate`, this only calls the check of the preset.
  const callsValidate = options.providerCheck !== undefined && !hasPlaceholders;
  const rows = await new AccessTokenVerifier(trusted, clock).explain(token, { callsValidate });
  addTokenRows(token, rows, { ...configuration, options }, report);
  if (keySet === undefined) report.add('token.signature', 'skipped', 'the keys of the issuer are unavailable');
  const iss = rows.find(({ check }) => check === 'issuer')?.got;
  if (typeof iss === 'string' && iss !== issuer && !isAlias(options, issuer, iss)) {
    const fix =
      issuerMismatchFix(issuer, iss) ??
      'The token is from another issuer, or forged, unless the metadata has the same name (see metadata-issuer). Request a token from the configured issuer. If the other issuer is yours, too, run doctor again with it as --issuer.';
    report.add('token.issuer', 'problem', quoted(iss), fix, `${quoted(issuer)} (--issuer)`);
  }
}

/** Whether the options accept both names. */
function isAlias({ names }: ResolvedIssuer, issuer: string, iss: string): boolean {
  return names.includes(issuer) && names.includes(iss);
}

/** The facts about the issuer that the rows of a token and their fixes depend on. */
type TokenContext = Pick<SuggestedConfiguration, 'issuer' | 'provider' | 'hasAudience'> & {
  /** Undefined if the issuer of the token is not trusted. */
  readonly options: ResolvedIssuer | undefined;
};

/** Adds the rows of `AccessTokenVerifier.explain`, and warnings about what is no check. */
export function addTokenRows(
  token: string,
  rows: readonly Explanation[],
  context: TokenContext,
  report: CheckReport,
): void {
  for (const row of rows) addRow(row, context, report);
  addHeaderLimit(token, report);
  const { options } = context;
  if (options !== undefined && rows.some(({ check, passed }) => check === 'form' && passed === true))
    addUnreadClaims(token, options, report);
}

/** Node refuses requests whose headers are longer, before any application sees them. */
const NODE_HEADER_LIMIT = 16 * 1024;

function addHeaderLimit(token: string, report: CheckReport): void {
  if (token.length <= NODE_HEADER_LIMIT - 'Authorization: Bearer '.length) return;
  const fix =
    'Node answers 431 for headers of more than 16 KiB. Remove claims from the token, or start the API with --max-http-header-size=65536 (and set the limits of proxies).';
  report.add(
    'token.size',
    'warning',
    `${String(token.length)} characters`,
    fix,
    `less than ${String(NODE_HEADER_LIMIT)}`,
  );
}

/** Scopes, roles and permissions are no checks: an application may need none of them. */
function addUnreadClaims(token: string, { claimPaths }: ResolvedIssuer, report: CheckReport): void {
  const { claims } = decodeCompact(token);
  for (const kind of ['scopes', 'roles', 'permissions'] as const) {
    const unread = unreadClaimOf(claims, claimPaths, kind);
    if (unread !== undefined) report.add(`token.${kind}`, 'warning', unread.found, unread.fix);
  }
}

// Their values can be long, or personal data.
const HIDDEN_VALUES: ReadonlySet<Explanation['check']> = new Set(['claim-types', 'required-claims', 'validate']);

function addRow(row: Explanation, context: TokenContext, report: CheckReport): void {
  const { issuer, provider, hasAudience, options } = context;
  const { passed, code, claim, reason, got, expected, hint } = row;
  const check = `token.${row.check}` as const;
  const value = HIDDEN_VALUES.has(row.check) ? undefined : valueText(row, got);
  const failure = claim === undefined ? (reason ?? code ?? 'failed') : `claim ${claim}`;
  const found = value ?? (passed === true ? 'passed' : failure);
  if (check === 'token.audience' && options?.audience === null && passed === true) {
    const fix = 'The API accepts tokens of this issuer for other APIs.';
    report.add(check, 'warning', 'not checked (audience: null)', fix);
  } else if (check === 'token.audience' && !hasAudience) {
    const fix = 'Pass --audience <the audience of tokens for this API>: the API must reject tokens for another API.';
    report.add(check, 'skipped', found, fix);
  } else if (passed === undefined) report.add(check, 'skipped', 'not checked');
  else if (passed) report.add(check, hint === undefined ? 'ok' : 'warning', found, hint);
  else {
    const isCommon = check === 'token.audience' && [got].flat().some((name) => isCommonAudience(String(name), issuer));
    const warning = isCommon ? `Do not configure ${found}: tokens for any API have it.` : undefined;
    const advice = code && provider && adviceOf(provider, code, { issuer });
    const fix = [hint, warning, advice].filter((text) => text !== undefined).join(' ');
    report.add(check, 'problem', found, fix, valueText(row, expected));
  }
}

/** Shows times as dates, because NumericDate is hard to read. */
function valueText({ check }: Explanation, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === 'string' ? printable(value) : quoted(value);
  if (check !== 'expiration' && check !== 'not-before') return text;
  return text.replace(/\b\d{4,12}\b/g, (seconds) => `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}Z`);
}
