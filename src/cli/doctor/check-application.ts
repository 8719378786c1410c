import { type IssuerKeyHealth, staticKeys } from '../../keys/key-source.js';
import { KeySet } from '../../keys/key-set.js';
import { quoted } from '../../model/printable-text.js';
import { recognizeIssuer } from '../../presets/providers.js';
import { isUnreachable } from '../../remote/http-exchange.js';
import type { Explanation } from '../../token/explain.js';
import { counted } from '../../token/hints.js';
import { decodeCompact } from '../../token/jwt/compact.js';
import { TrustedIssuers } from '../../token/trusted-issuers.js';
import { toTypeScript } from '../command-io.js';
import type { AuthServices } from '../load-application.js';
import { issuerMismatchFix } from './check-issuer.js';
import type { CheckReport } from './check-report.js';
import { addTokenRows } from './check-token.js';

/**
 * Reports the keys of each issuer of an application, and what its own verifier finds about a token. `validate` is called, as
 * it is for a request.
 * @param modules the AuthModules of the application. Of several, the rows are from one that accepts the token or trusts its issuer.
 * @returns whether the issuers can be reached; undefined without AuthModule.
 */
export async function checkApplication(
  modules: readonly AuthServices[],
  token: string | undefined,
  report: CheckReport,
): Promise<boolean | undefined> {
  const results = await Promise.all(
    modules.map(async ({ issuers, audiences, keySources, verifier }) => {
      await keySources.warmUp();
      const explained: (readonly Explanation[])[] = [];
      for (const audience of token === undefined ? [] : audiences)
        explained.push(await verifier.explain(token ?? '', { fetchesKeys: true, ...(audience && { audience }) }));
      const rows = explained.find(isAccepted) ?? explained[0] ?? [];
      // The token may have caused the first fetch of its keys.
      return { issuers, rows, keys: keySources.health() };
    }),
  );
  const accepting = results.find(({ rows }) => isAccepted(rows));
  const result = accepting ?? results.find(({ rows }) => trustsIssuer(rows)) ?? results[0];
  if (result === undefined) return undefined;
  const keys = results.flatMap((each) => each.keys);
  for (const health of keys) addKeys(health, report);
  if (token !== undefined && results.length > 1) {
    const names = result.keys.map(({ issuer }) => issuer).join(', ');
    report.add('application', 'ok', `${String(results.length)} AuthModules; the token is checked by that of ${names}`);
  }
  if (token !== undefined) await addRows(token, result.rows, result.issuers, report);
  return !keys.some(({ state, lastErrorCode }) => state === 'unavailable' && isUnreachable(lastErrorCode));
}

function isAccepted(rows: readonly Explanation[]): boolean {
  return rows.every(({ passed }) => passed === true);
}

function trustsIssuer(rows: readonly Explanation[]): boolean {
  return rows.some(({ check, passed }) => check === 'issuer' && passed === true);
}

function addKeys(health: IssuerKeyHealth, report: CheckReport): void {
  const { issuer, state, source, ageSeconds, lastErrorCode } = health;
  const age = ageSeconds === undefined ? '' : `, ${counted(Math.round(ageSeconds), 'seconds')} old`;
  const failure = lastErrorCode === undefined ? '' : `, the last fetch failed (${lastErrorCode})`;
  // Without keys and without a failure, no token has needed a key yet.
  const working = source === undefined ? 'skipped' : 'ok';
  const status = failure === '' ? working : state === 'unavailable' ? 'problem' : 'warning';
  const fix = `For details, run doctor --issuer ${toTypeScript(issuer)}, with --jwks-uri, --metadata-uri and --header as in the option \`keys\`.`;
  const found = `${quoted(issuer)}: ${source ?? 'no'} keys${age}${failure}`;
  report.add('keys', status, found, failure === '' ? undefined : fix, undefined, health);
}

const NO_KEYS = { create: () => staticKeys(new KeySet([])), release: () => undefined };

async function addRows(
  token: string,
  rows: readonly Explanation[],
  issuers: AuthServices['issuers'],
  report: CheckReport,
): Promise<void> {
  const trusted = new TrustedIssuers(issuers, NO_KEYS);
  const options = trustsIssuer(rows) ? await trusted.of(decodeCompact(token).claims) : undefined;
  const advised = rows.map((row) => {
    if (row.code !== 'ISSUER_UNTRUSTED') return row;
    const fixes = trusted.names.map((name) => issuerMismatchFix(name, String(row.got)));
    return { ...row, hint: fixes.find((fix) => fix !== undefined) ?? row.hint };
  });
  const issuer = options?.issuer ?? '';
  const provider = recognizeIssuer(issuer)?.provider;
  addTokenRows(token, advised, { issuer, options, provider, hasAudience: true }, report);
}
