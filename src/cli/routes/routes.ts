import { parseArgs } from 'node:util';
import { printable } from '../../model/printable-text.js';
import { wrapLines } from '../../model/text-layout.js';
import { isOpen, type ReportedRoute, toTable } from '../../nest/routes/route-report.js';
import { CommandError, type CommandIo, EXIT, type ExitCode, printProblem, style, toJson } from '../command-io.js';
import { loadApplication } from '../load-application.js';

export const ROUTES_HELP = `Usage: nestjs-resource-server routes <file> [options]

Prints every route of a built application, its access and its requirements.

<file> exports the root module (a class, a dynamic module, or a promise of one) or a function that creates the
application and returns it. The command imports the file, and initializes and closes the application. Do not listen in it.

Options:
  --export <name>  the export to use, if several qualify
  --no-init        create no provider and run no lifecycle hook; needs a root module
  --fail-on <list> fail for routes with this access: open, unguarded or unknown, separated by commas
  --allow <route>  allow such a route, for example --allow 'GET /health'; repeatable. Without --fail-on, every other
                   open, unguarded or unknown route fails
  --json           print one JSON document

Example:
  $ nestjs-resource-server routes dist/app.module.js --allow 'GET /health'

Exit codes:
  0  no route fails
  1  a route fails (--fail-on, --allow), --allow matches no such route, or AuthModule is missing
  2  wrong usage, or the file has no suitable export
  3  nothing was checked: the application does not start
`;

export async function routes(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { file, allow, failOn, json, exportName, isPreview } = readArguments(args);
  const { result: report, close } = await loadApplication(file, exportName, isPreview, (ownCopy, app, origin) =>
    ownCopy.createReport(app, origin),
  );
  const open = report.routes.filter((route) => isOpen(route));
  const failed = open.filter((route) => failOn.includes(route.access) && !allow.includes(routeName(route)));
  const stale = allow.filter((name) => !open.some((route) => routeName(route) === name));
  if (json) {
    io.stdout.write(toJson({ ...report, failed, stale }));
  } else {
    const table = toTable(report.routes, (subject, text) => style(io.stdout, COLORS[subject], text));
    io.stdout.write(wrapLines(`${table || 'The application has no routes.'}\n`, io.stdout.columns));
    if (report.warnings.length > 0) io.stdout.write('\n');
    for (const warning of report.warnings) printProblem(io.stdout, 'warning', warning);
  }
  for (const route of failed) {
    const name = routeName(route);
    printProblem(io.stderr, 'error', `${name} is ${route.access}. Protect it, or add --allow '${name}'.`);
  }
  for (const name of stale)
    printProblem(io.stderr, 'error', `--allow '${printable(name)}' matches no open route. Remove it.`);
  await close(io.stderr);
  return failed.length + stale.length === 0 ? EXIT.OK : EXIT.PROBLEMS;
}

function readArguments(args: readonly string[]) {
  const options = {
    export: { type: 'string' },
    'no-init': { type: 'boolean' },
    allow: { type: 'string', multiple: true },
    'fail-on': { type: 'string' },
    json: { type: 'boolean' },
  } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0)
    throw new CommandError('Give one built file, for example: nestjs-resource-server routes dist/app.module.js');
  const { allow = [], json = false, export: exportName, 'no-init': isPreview = false } = values;
  const { 'fail-on': listed = allow.length > 0 ? FAILURES.join() : '' } = values;
  const failOn = listed.split(/[\s,]+/).filter((access) => access !== '');
  const wrong = failOn.find((access) => !FAILURES.includes(access));
  if (wrong !== undefined)
    throw new CommandError(`--fail-on takes ${FAILURES.join(', ')}, separated by commas, not ${printable(wrong)}.`);
  return { file, allow, failOn, json, exportName, isPreview };
}

const COLORS = {
  guarded: 'green',
  optional: 'cyan',
  open: 'yellow',
  unguarded: 'red',
  unknown: 'magenta',
  handler: 'dim',
} as const;

const FAILURES: readonly string[] = ['open', 'unguarded', 'unknown'] satisfies ReportedRoute['access'][];

function routeName({ kind, pattern }: ReportedRoute): string {
  return `${kind} ${pattern}`;
}
