import { styleText } from 'node:util';
import type { CheckReport, CheckRow, CheckStatus } from './check-report.js';

type Format = Parameters<typeof styleText>[0];

const STATUS_FORMATS: Readonly<Record<CheckStatus, Format>> = {
  ok: 'green',
  warning: 'yellow',
  problem: 'red',
  skipped: 'dim',
};

/** Formats a report for a terminal: one line per check, then the fixes, then the configuration. */
export function reportText(report: CheckReport, configuration: string | undefined, hasColors: boolean): string {
  // The caller decides about colors, because `styleText` would look at the real `process.stdout`.
  const style = (format: Format, text: string) =>
    hasColors ? styleText(format, text, { validateStream: false }) : text;
  const { rows } = report;
  const width = Math.max(...rows.map(({ check }) => check.length));
  const line = ({ status, check, found }: CheckRow) =>
    `${style(STATUS_FORMATS[status], status.padEnd('problem'.length))}  ${check.padEnd(width)}  ${found}`;
  const paragraph = ({ status, check, found, expected, fix }: CheckRow) =>
    [
      `${style(STATUS_FORMATS[status], status)}: ${style('bold', check)}`,
      `  found:    ${found}`,
      ...(expected === undefined ? [] : [`  expected: ${expected}`]),
      ...(fix === undefined ? [] : [`  fix:      ${fix}`]),
    ].join('\n');
  const withStatus = (status: CheckStatus) => rows.filter((row) => row.status === status);
  const reason = report.get('configuration')?.fix ?? '';
  const next = withStatus('skipped')
    .filter(({ check, fix }) => fix !== undefined && check !== 'configuration')
    .map(({ check, fix = '' }) => `${style('dim', 'skipped')}: ${check}: ${fix}`);
  const parts = [
    rows.map(line).join('\n'),
    style('bold', summary(report)),
    ...[...withStatus('problem'), ...withStatus('warning')].map(paragraph),
    `${style('bold', 'Configuration')}\n\n${(configuration ?? reason).replace(/^(?=.)/gm, '  ')}`,
    ...(next.length === 0 ? [] : [next.join('\n')]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function summary(report: CheckReport): string {
  const [problems, warnings] = [report.count('problem'), report.count('warning')];
  const isAudienceUnknown = report.get('token.audience')?.status === 'skipped';
  const texts = [
    problems === 0 ? 'No problems' : `${String(problems)} ${problems === 1 ? 'problem' : 'problems'}`,
    ...(warnings === 0 ? [] : [`${String(warnings)} ${warnings === 1 ? 'warning' : 'warnings'}`]),
    ...(isAudienceUnknown ? ['the audience of the token was not checked (--audience)'] : []),
  ];
  return `${texts.join(', ')}.`;
}
