import type { AccessTokenVerifier } from '../../token/access-token-verifier.js';
import { escapeUnprintable } from '../printable.js';

/** The checks of an issuer, in the order of the report. The names are stable: scripts select rows of `--json` by name. */
export const ISSUER_CHECKS = [
  'issuer',
  'reachable',
  'discovery',
  'metadata-issuer',
  'jwks-uri',
  'jwks',
  'keys',
  'private-keys',
  'symmetric-keys',
  'key-strength',
  'key-use',
  'key-ids',
  'algorithms',
  'clock',
] as const;

export type IssuerCheck = (typeof ISSUER_CHECKS)[number];

export type ExplainRow = Awaited<ReturnType<AccessTokenVerifier['explain']>>[number];

export type CheckName =
  (typeof ISSUER_CHECKS)[number] | `token.${ExplainRow['check'] | 'authorities'}` | 'configuration';

/**
 * `ok`: correct. `warning`: works, but needs attention. `problem`: tokens are rejected, or must not be trusted, until it is
 * fixed. `skipped`: not checked.
 */
export type CheckStatus = 'ok' | 'warning' | 'problem' | 'skipped';

/** The result of one check. */
export interface CheckRow {
  readonly check: CheckName;
  readonly status: CheckStatus;
  readonly found: string;
  readonly expected?: string;
  /** The fix, with the exact text to write if there is one. */
  readonly fix?: string;
}

/** Collects the results of all checks. Texts may quote a server or a token, so control characters are escaped. */
export class CheckReport {
  private readonly results = new Map<CheckName, CheckRow>();

  /** Every check of the issuer, then the other checks in the order in which they were made. */
  get rows(): readonly CheckRow[] {
    const skipped = ISSUER_CHECKS.map((check): CheckRow => ({ check, status: 'skipped', found: 'not possible' }));
    const rows = new Map<CheckName, CheckRow>(skipped.map((row) => [row.check, row]));
    for (const row of this.results.values()) rows.set(row.check, row);
    return [...rows.values()];
  }

  add(check: CheckName, status: CheckStatus, found: string, fix?: string, expected?: string): void {
    this.results.set(check, {
      check,
      status,
      found: escapeUnprintable(found),
      ...(expected !== undefined && { expected: escapeUnprintable(expected) }),
      ...(fix !== undefined && { fix: escapeUnprintable(fix) }),
    });
  }

  get(check: CheckName): CheckRow | undefined {
    return this.results.get(check);
  }

  /** Selects the checks that have one of these results. */
  select(checks: readonly CheckName[], ...statuses: readonly CheckStatus[]): readonly CheckName[] {
    return checks.filter((check) => statuses.some((status) => this.get(check)?.status === status));
  }

  count(status: CheckStatus): number {
    return this.rows.filter((row) => row.status === status).length;
  }
}
