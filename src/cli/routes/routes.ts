import { parseArgs } from 'node:util';
import { toTable } from '../../nest/routes/route-report-text.js';
import type { ReportedRoute } from '../../nest/routes/route-report.js';
import { CommandError, type CommandIo, EXIT, type ExitCode } from '../command-io.js';
import { printable, withoutTokens } from '../printable.js';
import { loadApplication, messageOf, withinLimit } from './load-application.js';

export const ROUTES_HELP = `Usage: nestjs-resource-server routes <file> [options]

Prints every route of a built application, its access and its requirements.

<file> exports the root module (a class, a dynamic module, or a promise of one) or a function that creates the
application and returns it. The command imports the file: it must not listen when it is imported.
The command creates, initializes and closes the application. It does not call listen().

Options:
  --export <name>  the export to use, if several qualify
  --no-init        create no provider and run no lifecycle hook; needs a root module
  --allow <route>  allow an open route, for example --allow 'GET /health'; repeatable
  --json           print one JSON document

Example:
  $ nestjs-resource-server routes dist/app.module.js --allow 'GET /health'

Exit codes:
  0  every route requires a token, accepts guests (@OptionalAuth) or is allowed
  1  a route is open, unguarded or unknown and not allowed, --allow matches no such route, or AuthModule is missing
  2  wrong usage, or the file has no suitable export
  3  nothing was checked: the application does not start
`;

/** Runs `routes`: prints the report of an application and compares its open routes with those that are allowed. */
export async function routes(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { file, allow, json, ...options } = readArguments(args);
  const { app, report } = await loadApplication(file, { ...options, cwd: io.cwd });
  const open = report.routes.filter(isOpen);
  const failed = open.filter((route) => !allow.includes(nameOf(route)));
  const stale = allow.filter((name) => !open.some((route) => nameOf(route) === name));
  if (json) {
    io.stdout.write(`${JSON.stringify({ ...report, failed, stale }, undefined, 2)}\n`);
  } else {
    const table = report.routes.length === 0 ? 'The application has no routes.' : toTable(report.routes);
    const warnings = report.warnings.map((warning) => `warning: ${warning}\n`);
    io.stdout.write([`${table}\n`, warnings.length > 0 ? '\n' : '', ...warnings].join(''));
  }
  for (const route of failed) {
    io.stderr.write(`error: ${nameOf(route)} is ${route.access}. Protect it, or add --allow '${nameOf(route)}'.\n`);
  }
  for (const name of stale) {
    io.stderr.write(`error: --allow '${printable(name)}' matches no open route. Remove it.\n`);
  }
  try {
    await withinLimit(app.close());
  } catch (error) {
    io.stderr.write(`warning: The application does not close: ${messageOf(error)}\n`);
  }
  return failed.length + stale.length === 0 ? EXIT.OK : EXIT.PROBLEMS;
}

function readArguments(args: readonly string[]) {
  const options = {
    export: { type: 'string' },
    'no-init': { type: 'boolean' },
    allow: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) {
      throw new CommandError('Give one built file, for example: nestjs-resource-server routes dist/app.module.js');
    }
    const { allow = [], json = false, export: exportName, 'no-init': isPreview = false } = values;
    return { file, allow, json, exportName, isPreview };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(withoutTokens(messageOf(error)));
  }
}

/** The same rule as `openRoutes()`: a field without requirements is protected by the query that reads it. */
function isOpen({ access, kind, requires }: ReportedRoute): boolean {
  return access !== 'guarded' && access !== 'optional' && (kind !== 'field' || requires.length > 0);
}

function nameOf({ kind, pattern }: ReportedRoute): string {
  return `${kind} ${pattern}`;
}
