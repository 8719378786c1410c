import { nameOfPolicy } from '../model/policy.js';
import type { PlacedRequirement } from '../access/effective-requirements.js';
import type { AuthErrorDetail } from '../model/errors.js';
import type { Door } from '../nest/routes/route-reporter.js';

/** What an operation asks of its caller, in the words of OpenAPI. */
export interface OperationAccess {
  /**
   * `closed`: a token; `optional`: guests may come; `open`: anybody; `unguarded`: this package is not asked, so what the document
   * says stands.
   */
  readonly access: 'closed' | 'optional' | 'open' | 'unguarded';
  /** Sets of scopes of which a token needs one; never empty. */
  readonly scopes: readonly (readonly string[])[];
  /** Every scope that is named, in those sets or in words. */
  readonly namedScopes: readonly string[];
  /** What a scheme cannot say, in Markdown. */
  readonly requires: readonly string[];
  /** The same for scopes, where the scheme cannot carry them. */
  readonly requiresScopes: readonly string[];
  /** Whether a good token may be refused (403). */
  readonly mayBeForbidden: boolean;
  /** Which authentication a good token may be refused for (401, RFC 9470 §3), as the challenge has it. */
  readonly stepUp: AuthErrorDetail | undefined;
  /** Where the request selects one of several handlers that do not ask for the same: what each asks for, in Markdown. */
  readonly handlers: readonly string[];
}

/** A token, and nothing is known beside. */
export const CLOSED: OperationAccess = {
  access: 'closed',
  scopes: [[]],
  namedScopes: [],
  requires: [],
  requiresScopes: [],
  mayBeForbidden: false,
  stepUp: undefined,
  handlers: [],
};

/** More than these would help nobody; the scopes are told in words then. */
const MAX_ALTERNATIVES = 16;

type Placed = PlacedRequirement<never>;
type Enforced = Placed['requirement'];

export function accessOf({ access, route }: Door): OperationAccess {
  if (access === 'open') return { ...CLOSED, access: 'open' };
  if (access === 'unguarded') return { ...CLOSED, access: 'unguarded' };
  const placed = (route.requirements as readonly Placed[]).filter(({ requirement }) => !requirement.reportOnly);
  const enforced = placed.map(({ requirement }) => requirement);
  const all = enforced.flatMap((requirement) => (requirement.kind === 'scopes' ? requirement.names : []));
  const any = enforced.flatMap((requirement) => (requirement.kind === 'anyScope' ? [requirement.names] : []));
  const scopes = alternatives(all, any);
  const isScope = ({ kind }: Enforced) => kind === 'scopes' || kind === 'anyScope';
  // What could not be put as alternatives.
  const inWords = scopes === undefined ? enforced.filter(({ kind }) => kind === 'anyScope') : [];
  return {
    // A guest meets no requirement but the module's.
    access: access === 'optional' && placed.every(({ from }) => from === 'module') ? 'optional' : 'closed',
    scopes: scopes ?? [[...new Set(all)]],
    namedScopes: [...new Set([...all, ...any.flat()])],
    requires: [...inWords, ...enforced.filter((requirement) => !isScope(requirement))].map(inMarkdown),
    requiresScopes: enforced
      .filter((requirement) => isScope(requirement) && !inWords.includes(requirement))
      .map(inMarkdown),
    mayBeForbidden: enforced.some(({ kind }) => kind !== 'acr'),
    stepUp: stepUpOf(enforced),
    handlers: [],
  };
}

function stepUpOf(enforced: readonly Enforced[]): AuthErrorDetail | undefined {
  for (const requirement of enforced) {
    if (requirement.kind !== 'acr') continue;
    const { values, maxAgeSeconds } = requirement;
    return { ...(values.length > 0 && { acrValues: values.join(' ') }), maxAgeSeconds };
  }
  return undefined;
}

/** Undefined when they are too many. */
function alternatives(
  all: readonly string[],
  any: readonly (readonly string[])[],
): readonly (readonly string[])[] | undefined {
  if (any.reduce((count, names) => count * names.length, 1) > MAX_ALTERNATIVES) return undefined;
  const sets = any.reduce<readonly (readonly string[])[]>(
    (found, names) => found.flatMap((set) => names.map((name) => [...set, name])),
    [all],
  );
  const unique = sets.map((set) => [...new Set(set)]);
  // Whoever has more than another set needs, has that.
  return unique.filter(
    (set, index) =>
      !unique.some(
        (other, at) =>
          at !== index && other.every((name) => set.includes(name)) && (other.length < set.length || at < index),
      ),
  );
}

const NOUNS = {
  scopes: 'scope',
  anyScope: 'scope',
  roles: 'role',
  anyRole: 'role',
  permissions: 'permission',
  anyPermission: 'permission',
} as const;

function inMarkdown(requirement: Enforced): string {
  switch (requirement.kind) {
    case 'acr': {
      const { values, maxAgeSeconds } = requirement;
      const ways = values.length === 0 ? '' : ` (\`acr\`) as ${values.map(code).join(' or ')}`;
      const age = maxAgeSeconds === undefined ? '' : `, at most ${String(maxAgeSeconds)} seconds ago`;
      return `authentication${ways}${age}`;
    }
    case 'authorizationDetails':
      return `authorization details of the type ${code(requirement.type)}`;
    case 'policy':
      return `policy ${code(nameOfPolicy(requirement.policy))}`;
    default: {
      const { kind, names } = requirement;
      const noun = names.length === 1 ? NOUNS[kind] : `${NOUNS[kind]}s`;
      const how = names.length === 1 ? '' : kind.startsWith('any') ? 'one of the ' : 'all of the ';
      return `${how}${noun} ${names.map(code).join(', ')}`;
    }
  }
}

/** CommonMark §6.1: a name may have a backtick of its own. */
export function code(name: string): string {
  return name.includes('`') ? `\`\` ${name} \`\`` : `\`${name}\``;
}
