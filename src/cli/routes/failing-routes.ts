import type { ReportedRoute } from '../../nest/routes/route-report.js';
import { CommandError } from '../command-io.js';
import { printable } from '../printable.js';

type Access = ReportedRoute['access'];

const FAILURES: readonly Access[] = ['open', 'unguarded', 'unknown'];

/** @param text names with commas between. */
export function readFailOn(text: string | undefined): readonly Access[] {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const wrong = names.find((name) => !(FAILURES as readonly string[]).includes(name));
  if (wrong !== undefined) {
    throw new CommandError(`--fail-on takes ${FAILURES.join(', ')} with commas between, not ${printable(wrong)}.`);
  }
  return names as readonly Access[];
}

/** As `openRoutes` counts: who reads a field that requires nothing came in by its query. */
export function failingRoutes(routes: readonly ReportedRoute[], failOn: readonly Access[]): readonly ReportedRoute[] {
  return routes.filter(
    ({ access, kind, requires }) => failOn.includes(access) && (kind !== 'field' || requires.length > 0),
  );
}
