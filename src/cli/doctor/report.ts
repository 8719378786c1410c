import pc from 'picocolors';
import type { CheckName, CheckRow, CheckStatus } from './check-row.js';
import type { Diagnosis } from './diagnose.js';

type Colors = ReturnType<typeof pc.createColors>;

/** For people: a line for each check, then each problem with its mend, then what to paste, and what can still be looked at. */
export function reportOf({ rows, configuration }: Diagnosis, hasColors: boolean): string {
  const colors = pc.createColors(hasColors);
  const toMend = rows.filter(({ status }) => status === 'problem' || status === 'warning');
  const parts = [
    rows.map((row) => line(row, colors)).join('\n'),
    countOf(rows, colors),
    ...toMend
      .toSorted((one, other) => Number(one.status === 'warning') - Number(other.status === 'warning'))
      .map((row) => paragraph(row, colors)),
    `${colors.bold('Configuration')}\n\n${indented(configuration ?? whyNone(rows))}`,
    ...notLookedAt(rows, colors),
  ];
  return `${parts.join('\n\n')}\n`;
}

const WIDTH_OF_STATUS = 'problem'.length;
const WIDTH_OF_CHECK = 'token.access-token'.length;

function line({ status, check, found }: CheckRow, colors: Colors): string {
  const text = `${colored(status, status.padEnd(WIDTH_OF_STATUS), colors)}  ${check.padEnd(WIDTH_OF_CHECK)}  ${found}`;
  return status === 'skipped' ? colors.dim(text) : text;
}

function colored(status: CheckStatus, text: string, { green, yellow, red }: Colors): string {
  if (status === 'ok') return green(text);
  if (status === 'warning') return yellow(text);
  return status === 'problem' ? red(text) : text;
}

function countOf(rows: readonly CheckRow[], { bold, green }: Colors): string {
  const count = (status: CheckStatus) => rows.filter((row) => row.status === status).length;
  const problems = count('problem');
  const warnings = count('warning');
  const statusOf = (name: CheckName) => rows.find(({ check }) => check === name)?.status;
  const isAudienceOpen = statusOf('token.form') === 'ok' && statusOf('token.audience') === 'skipped';
  if (problems + warnings === 0)
    return isAudienceOpen
      ? bold('No problems, but nobody said whom the token must be for (--audience).')
      : green('No problems.');
  const parts = [
    problems === 0 ? 'No problems' : `${String(problems)} ${problems === 1 ? 'problem' : 'problems'}`,
    ...(warnings === 0 ? [] : [`${String(warnings)} ${warnings === 1 ? 'warning' : 'warnings'}`]),
  ];
  return bold(`${parts.join(', ')}.`);
}

function paragraph({ status, check, found, expected, mend }: CheckRow, colors: Colors): string {
  return [
    `${colored(status, status, colors)}: ${colors.bold(check)}`,
    `  found:    ${found}`,
    ...(expected === undefined ? [] : [`  expected: ${expected}`]),
    ...(mend === undefined ? [] : [`  mend:     ${mend}`]),
  ].join('\n');
}

function whyNone(rows: readonly CheckRow[]): string {
  return rows.find(({ check }) => check === 'configuration')?.mend ?? '';
}

/** What the user can still have looked at, each on a line. */
function notLookedAt(rows: readonly CheckRow[], { dim }: Colors): readonly string[] {
  const lines = rows
    .filter(({ status, check, mend }) => status === 'skipped' && check !== 'configuration' && mend !== undefined)
    .map(({ check, mend }) => `${dim('skipped')}: ${check}: ${mend ?? ''}`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

/** For other programs. The rows keep their members and the names of the checks. */
export function documentOf({ rows, configuration }: Diagnosis, exitCode: number): string {
  const count = (status: CheckStatus) => rows.filter((row) => row.status === status).length;
  const document = {
    exitCode,
    problems: count('problem'),
    warnings: count('warning'),
    checks: rows,
    configuration: configuration ?? null,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
