import type { Door } from '../nest/routes/route-reporter.js';
import { accessOf, CLOSED, code, type OperationAccess } from './operation-access.js';

/**
 * What an operation asks for that several handlers answer, of which the request selects one by its version or its host: each of
 * the alternatives is enough for one of them, and whatever one may refuse with may come. Closed, where no handler answers.
 */
export function accessOfAll(doors: readonly Door[]): OperationAccess {
  const accesses = doors.map(accessOf);
  const [first, ...others] = accesses;
  if (first === undefined) return CLOSED;
  if (others.every((other) => JSON.stringify(other) === JSON.stringify(first))) return first;
  const closed = accesses.filter(({ access }) => access === 'closed' || access === 'optional');
  // None of ours asks for a token.
  if (closed.length === 0) return { ...CLOSED, access: 'unguarded' };
  return {
    ...CLOSED,
    access: accesses.some(({ access }) => access === 'open' || access === 'optional') ? 'optional' : 'closed',
    scopes: unique(closed.flatMap(({ scopes }) => scopes)),
    namedScopes: [...new Set(closed.flatMap(({ namedScopes }) => namedScopes))],
    mayBeForbidden: closed.some(({ mayBeForbidden }) => mayBeForbidden),
    stepUp: closed.find(({ stepUp }) => stepUp !== undefined)?.stepUp,
    handlers: [...new Set(doors.map((door, index) => inMarkdown(door, accesses[index] ?? CLOSED)))],
  };
}

/** One that has more than another stays: it is what another handler needs. */
function unique(sets: OperationAccess['scopes']): OperationAccess['scopes'] {
  const byNames = new Map(sets.map((names) => [[...names].sort().join(' '), names]));
  return [...byNames.values()];
}

const TOKENS = {
  closed: 'a token',
  optional: 'a token, if one is sent',
  open: 'no token',
  unguarded: 'nothing of `AuthGuard`',
} as const satisfies Record<OperationAccess['access'], string>;

function inMarkdown({ handler: { controller, method } }: Door, access: OperationAccess): string {
  const needs = [TOKENS[access.access], ...access.requiresScopes, ...access.requires];
  return `${code(`${controller.name}.${method.name}`)}: ${needs.join('; ')}`;
}
