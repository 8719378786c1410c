import { resolve } from 'node:path';
import { toTable } from '../../nest/routes/route-report-text.js';
import type { RouteReport } from '../../nest/routes/route-report.js';
import { routeReport } from '../../nest/routes/route-reporter.js';
import { CommandError, type CommandIo, EXIT, type ExitCode } from '../command-io.js';
import { failingRoutes, readFailOn } from './failing-routes.js';
import type { LoadedApplication } from './dry-run.js';
import { importFrom, messageOf, type Loaded, loadApplication } from './load-application.js';

export interface RoutesOptions {
  readonly file: string;
  readonly exportName: string | undefined;
  /** Names with commas between. */
  readonly failOn: string | undefined;
  readonly json: boolean;
}

export async function routes(
  { file, exportName, failOn, json }: RoutesOptions,
  { cwd, stdout, stderr }: Pick<CommandIo, 'cwd' | 'stdout' | 'stderr'>,
): Promise<ExitCode> {
  const failures = readFailOn(failOn);
  const loaded = await loadApplication(file, exportName, cwd);
  try {
    const report = await reportOf(loaded, resolve(cwd, file));
    for (const warning of loaded.warnings) stderr.write(`warning: ${warning}\n`);
    const failed = failingRoutes(report.routes, failures);
    stdout.write(json ? `${JSON.stringify({ ...report, failed }, undefined, 2)}\n` : textOf(report));
    if (failed.length === 0) return EXIT.OK;
    const names = failed.map(({ kind, pattern, access }) => `  ${kind} ${pattern} (${access})`).join('\n');
    stderr.write(
      `--fail-on ${failures.join(',')}: ${String(failed.length)} of ${String(report.routes.length)}\n${names}\n`,
    );
    return EXIT.PROBLEMS;
  } finally {
    await close(loaded.app, stderr);
    loaded.end();
  }
}

/** What was found is told all the same. */
async function close(app: LoadedApplication, stderr: CommandIo['stderr']): Promise<void> {
  try {
    await app.close();
  } catch (error) {
    stderr.write(`The application does not close: ${messageOf(error)}\n`);
  }
}

async function reportOf({ app, isFromModule }: Loaded, path: string): Promise<RouteReport> {
  const report = (await ownReport(path)) ?? routeReport;
  try {
    const asMade = report(asked(app));
    return isFromModule ? withUnknown(asMade, report(asked(withoutInheritance(app)))) : asMade;
  } catch (error) {
    if ((error as Error).constructor.name !== 'UnknownElementException') throw error;
    throw new CommandError(
      'The application has no AuthModule: import it into the root module (AuthModule.forRoot({ issuer, audience })), or choose the module that does with --export.',
      EXIT.PROBLEMS,
    );
  }
}

function asked(app: Pick<LoadedApplication, 'get'>): Parameters<typeof routeReport>[0] {
  return app as unknown as Parameters<typeof routeReport>[0];
}

/** The same application, as if a microservice had been connected to it that knows none of its global guards. */
function withoutInheritance(app: LoadedApplication): Pick<LoadedApplication, 'get' | 'getMicroservices'> {
  const applicationConfig = { getGlobalGuards: () => [], getGlobalRequestGuards: () => [] };
  return { get: (...call) => app.get(...call), getMicroservices: () => [{ applicationConfig }] };
}

/** What depends on how `main` connects microservices, which no module says. */
function withUnknown({ routes: all, warnings }: RouteReport, { routes: others }: RouteReport): RouteReport {
  const known = all.map((route, index) =>
    route.access === others[index]?.access ? route : { ...route, access: 'unknown' as const },
  );
  const isAllKnown = known.every((route, index) => route === all[index]);
  return { routes: known, warnings: isAllKnown ? warnings : [...warnings, CONNECTED_ELSEWHERE] };
}

const CONNECTED_ELSEWHERE =
  'Message handlers are guarded where connectMicroservice() is given { inheritAppConfig: true }, which the root module does not say: give a function that creates the application and connects them (--export)';

/** That of the copy of this package which the application imports. */
async function ownReport(path: string): Promise<typeof routeReport | undefined> {
  try {
    return ((await importFrom(path, 'nestjs-resource-server')) as { routeReport?: typeof routeReport }).routeReport;
  } catch {
    return undefined;
  }
}

function textOf({ routes: all, warnings }: RouteReport): string {
  if (all.length === 0) return 'The application has no routes.\n';
  const lines = warnings.map((warning) => `warning: ${warning}`);
  return [toTable(all), ...(lines.length === 0 ? [] : ['', ...lines]), ''].join('\n');
}
