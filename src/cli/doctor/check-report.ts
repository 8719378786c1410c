import type { Explanation } from '../../token/explain.js';
import { escapeUnprintable } from '../printable.js';

/** The checks of an issuer, in the order of the report. The names are stable: scripts select rows of `--json` by name. */
const ISSUER_CHECKS = [
  'issuer',
  'reachable',
  'discovery',
  'metadata-issuer',
  'jwks-uri',
  'jwks',
  'keys',
  'clock',
] as const;

type CheckName = (typeof ISSUER_CHECKS)[number] | `token.${Explanation['check']}` | 'configuration';

/**
 * `ok`: correct. `warning`: works, but needs attention. `problem`: tokens are rejected, or must not be trusted, until it is
 * fixed. `skipped`: not checked.
 */
type CheckStatus = 'ok' | 'warning' | 'problem' | 'skipped';

/** The result of one check. */
export interface CheckRow {
  readonly check: CheckName;
  readonly status: CheckStatus;
  readonly found: string;
  readonly expected?: string;
  /** The fix, with the exact text to write if there is one. */
  readonly fix?: string;
}

/** The results of all checks: those of the issuer, then the others in the order in which they were made. */
export class CheckReport {
  private readonly rowByCheck = new Map<CheckName, CheckRow>(
    ISSUER_CHECKS.map((check) => [check, { check, status: 'skipped', found: 'not checked' }]),
  );

  get rows(): readonly CheckRow[] {
    return [...this.rowByCheck.values()];
  }

  /** Adds or replaces a row. The texts may quote a server or a token, so control characters are escaped. */
  add(check: CheckName, status: CheckStatus, found: string, fix?: string, expected?: string): void {
    const escape = (text: string | undefined) => text && escapeUnprintable(text);
    this.rowByCheck.set(check, {
      check,
      status,
      found: escapeUnprintable(found),
      expected: escape(expected),
      fix: escape(fix),
    });
  }

  select(status: CheckStatus): readonly CheckRow[] {
    return this.rows.filter((row) => row.status === status);
  }
}
