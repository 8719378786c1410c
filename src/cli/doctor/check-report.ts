import { escapeUnprintable } from '../../model/printable-text.js';
import { alignColumns, wrapLines } from '../../model/text-layout.js';
import type { Explanation } from '../../token/explain.js';
import { counted } from '../../token/hints.js';
import { type Output, style } from '../command-io.js';

/** The checks of an issuer, in the order of the report. The names are stable: scripts select rows of `--json` by name. */
const CHECKS = ['issuer', 'reachable', 'discovery', 'metadata-issuer', 'jwks-uri', 'jwks', 'keys', 'clock'] as const;

/** The checks of a protected resource, and of what an MCP client needs from its authorization server. */
const RESOURCE_CHECKS = [
  'resource',
  'challenge',
  'challenge-metadata',
  'challenge-scope',
  'challenge-error',
  'wrong-token',
  'resource-metadata',
  'metadata-resource',
  'metadata-members',
  'authorization-servers',
  ...CHECKS,
  'authorization-code',
  'registration',
] as const;

const REPORTED = { issuer: CHECKS, resource: RESOURCE_CHECKS, application: [] } as const;

type TokenCheckName = Explanation['check'] | 'size' | 'scopes' | 'roles' | 'permissions';

type CheckName =
  (typeof RESOURCE_CHECKS)[number] | 'accepted' | 'proxy' | 'application' | `token.${TokenCheckName}` | 'configuration';

/** `problem`: tokens are rejected, or must not be trusted, until it is fixed. `skipped`: not checked. */
type CheckStatus = keyof typeof COLORS;

const COLORS = { ok: 'green', warning: 'yellow', problem: 'red', skipped: 'dim' } as const;

export interface CheckRow {
  readonly check: CheckName;
  readonly status: CheckStatus;
  readonly found: string;
  readonly expected?: string;
  readonly fix?: string;
}

export class CheckReport {
  private readonly rowByKey = new Map<unknown, CheckRow>();

  /** @param subject Its checks have a row each from the start. */
  constructor(subject: keyof typeof REPORTED) {
    for (const check of REPORTED[subject]) this.add(check, 'skipped', 'not checked');
  }

  get rows(): readonly CheckRow[] {
    return [...this.rowByKey.values()];
  }

  /**
   * Adds or replaces a row. The texts may quote a server or a token, so control characters are escaped.
   * @param key of the row, for a check that has several.
   */
  add(
    check: CheckName,
    status: CheckStatus,
    found: string,
    fix?: string,
    expected?: string,
    key: unknown = check,
  ): void {
    const escape = (text: string | undefined) => text && escapeUnprintable(text);
    const row = { check, status, found: escapeUnprintable(found), expected: escape(expected), fix: escape(fix) };
    this.rowByKey.set(key, row);
  }

  select(status: CheckStatus): readonly CheckRow[] {
    return this.rows.filter((row) => row.status === status);
  }

  toText(configuration: string | undefined, output: Output): string {
    const bold = (text: string) => style(output, 'bold', text);
    const label = (status: CheckStatus) => style(output, COLORS[status], status);
    const paragraph = ({ status, check, found, expected, fix }: CheckRow) =>
      [
        `${label(status)}: ${bold(check)}`,
        `  found:    ${found}`,
        ...(expected === undefined ? [] : [`  expected: ${expected}`]),
        ...(fix === undefined ? [] : [`  fix:      ${fix}`]),
      ].join('\n');
    const [problems, warnings] = [this.select('problem'), this.select('warning')];
    const skipped = this.select('skipped').filter(({ fix }) => fix !== undefined);
    const summary = `${counted(problems.length, 'problems')}, ${counted(warnings.length, 'warnings')}.`;
    const wrap = (text: string) => wrapLines(text, output.columns);
    const parts = [
      wrap(alignColumns(this.rows.map(({ status, check, found }) => [label(status), check, found]))),
      style(output, ['bold', problems.length > 0 ? 'red' : 'green'], summary),
      ...[...problems, ...warnings].map(paragraph).map(wrap),
      // A terminal wraps code without adding line ends to what is copied.
      ...(configuration === undefined ? [] : [`${bold('Configuration')}\n\n${configuration}`]),
      ...skipped.map(({ status, check, fix = '' }) => wrap(`${label(status)}: ${check}: ${fix}`)),
    ];
    return `${parts.join('\n\n')}\n`;
  }
}
