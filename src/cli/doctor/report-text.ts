import { styleText } from 'node:util';
import type { CheckReport, CheckRow } from './check-report.js';

const COLORS = { ok: 'green', warning: 'yellow', problem: 'red', skipped: 'dim' } as const;

/** Formats a report for a terminal: one line per check, then the fixes, then the configuration. */
export function reportText(report: CheckReport, configuration: string | undefined, hasColors: boolean): string {
  // The caller decides about colors, because `styleText` would look at the real `process.stdout`.
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    hasColors ? styleText(format, text, { validateStream: false }) : text;
  const { rows } = report;
  const width = Math.max(...rows.map(({ check }) => check.length));
  const line = ({ status, check, found }: CheckRow) =>
    `${style(COLORS[status], status.padEnd('problem'.length))}  ${check.padEnd(width)}  ${found}`;
  const paragraph = ({ status, check, found, expected, fix }: CheckRow) =>
    [
      `${style(COLORS[status], status)}: ${style('bold', check)}`,
      `  found:    ${found}`,
      ...(expected === undefined ? [] : [`  expected: ${expected}`]),
      ...(fix === undefined ? [] : [`  fix:      ${fix}`]),
    ].join('\n');
  const [problems, warnings] = [report.select('problem'), report.select('warning')];
  const skipped = report.select('skipped').filter(({ fix }) => fix !== undefined);
  const parts = [
    rows.map(line).join('\n'),
    style('bold', `${countText(problems, 'problem')}, ${countText(warnings, 'warning')}.`),
    ...[...problems, ...warnings].map(paragraph),
    ...(configuration === undefined ? [] : [`${style('bold', 'Configuration')}\n\n${configuration}`]),
    ...skipped.map(({ check, fix = '' }) => `${style('dim', 'skipped')}: ${check}: ${fix}`),
  ];
  return `${parts.join('\n\n')}\n`;
}

function countText({ length }: readonly CheckRow[], noun: string): string {
  return `${String(length)} ${noun}${length === 1 ? '' : 's'}`;
}
