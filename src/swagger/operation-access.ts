import { AuthError, type AuthErrorDetail } from '../model/errors.js';
import { nameOfPolicy } from '../model/policy.js';
import { REQUIREMENTS } from '../model/requirement.js';
import type { RouteRules } from '../nest/routes/route-metadata.js';
import type { Route } from '../nest/routes/route-reporter.js';

export interface OperationAccess {
  readonly access: Route['access'];
  /** Sets of scopes; a token needs all scopes of one set. */
  readonly alternatives: readonly (readonly string[])[];
  /** The requirements that `security` does not express, in Markdown. */
  readonly description: string | undefined;
  readonly scopes: readonly string[];
  /** How the requirements refuse a valid token (401, 403), in the order of evaluation. */
  readonly refusals: readonly AuthError[];
}

/** Alternatives multiply with each `@RequireAnyScope`. Longer lists are easier to read in the description. */
const MAX_ALTERNATIVES = 8;

type Requirement = RouteRules['requirements'][number]['requirement'];
type NamesRequirement = Extract<Requirement, { readonly names: readonly string[] }>;

/**
 * @param routes several where the version (in a header) or the host selects one. Without a route, an operation requires a token.
 * @param carriesScopes whether the security scheme can list scopes. If not, the description lists them.
 */
export function operationAccess(routes: readonly Route[], carriesScopes: boolean): OperationAccess {
  const accesses = routes.map((route) => routeAccess(route, carriesScopes));
  const [first] = accesses;
  if (first === undefined)
    return { access: 'guarded', alternatives: [[]], description: undefined, scopes: [], refusals: [] };
  if (accesses.every(({ summary }) => summary === first.summary)) return first;
  const alternatives = uniqueSets(accesses.flatMap((access) => access.alternatives));
  const admitsGuests = accesses.some(({ access }) => access === 'open' || access === 'optional');
  return {
    access: !accesses.some(({ access }) => isGuarded(access)) ? 'unguarded' : admitsGuests ? 'optional' : 'guarded',
    alternatives: alternatives.length > MAX_ALTERNATIVES ? [[]] : alternatives,
    description: markdownList(
      'The requirements depend on the version or the host',
      accesses.map(({ name, summary }) => `${code(name)}: ${summary}`),
    ),
    scopes: accesses.flatMap(({ scopes }) => scopes),
    refusals: accesses.flatMap(({ refusals }) => refusals),
  };
}

const TOKENS: Readonly<Record<Route['access'], string>> = {
  guarded: 'an access token',
  unknown: 'an access token',
  optional: 'an optional access token',
  open: 'no access token',
  unguarded: 'not guarded by `AuthGuard`',
};

function isGuarded(access: Route['access']): boolean {
  return access !== 'open' && access !== 'unguarded';
}

function routeAccess(
  { handler, rules, access: declared }: Route,
  carriesScopes: boolean,
): OperationAccess & { readonly name: string; readonly summary: string } {
  const placed = isGuarded(declared) ? rules.requirements.filter(({ requirement }) => !requirement.reportOnly) : [];
  // A guest is rejected where a decorator requires something. The requirements of the module apply to tokens only.
  const rejectsGuests = declared === 'optional' && placed.some(({ from }) => from !== 'module');
  const access = rejectsGuests ? 'guarded' : declared;
  const requirements = placed.map(({ requirement }) => requirement);
  const scopeRequirements = requirements.filter(
    (requirement): requirement is NamesRequirement => requirement.kind === 'scopes' || requirement.kind === 'anyScope',
  );
  const kindsInSecurity: readonly string[] = carriesScopes ? expressedKinds(scopeRequirements) : [];
  const inSecurity = scopeRequirements.filter(({ kind }) => kindsInSecurity.includes(kind));
  const rows = requirements.map((requirement) => ({ ...explain(requirement, rules), kind: requirement.kind }));
  return {
    name: `${handler.controller.name}.${handler.method.name}`,
    access,
    alternatives: isGuarded(access) ? alternativesOf(inSecurity) : [],
    description: markdownList(
      access === 'optional' ? 'Requires, if an access token is sent' : 'Requires',
      rows.filter(({ kind }) => !kindsInSecurity.includes(kind)).map(({ text }) => text),
    ),
    scopes: scopeRequirements.flatMap(({ names }) => names),
    refusals: rows.map(({ refusal }) => refusal),
    summary: [TOKENS[access], ...rows.map(({ text }) => text)].join('; '),
  };
}

/** Returns the kinds of requirements that `security` expresses with at most {@link MAX_ALTERNATIVES} alternatives. */
function expressedKinds(requirements: readonly NamesRequirement[]) {
  const any = requirements.filter(({ kind }) => kind === 'anyScope');
  const count = any.reduce((product, { names }) => product * names.length, 1);
  return count > MAX_ALTERNATIVES ? ['scopes'] : ['scopes', 'anyScope'];
}

function alternativesOf(requirements: readonly NamesRequirement[]): OperationAccess['alternatives'] {
  let sets: OperationAccess['alternatives'] = [[]];
  for (const { kind, names } of requirements)
    sets = sets.flatMap((set) => (kind === 'scopes' ? [[...set, ...names]] : names.map((name) => [...set, name])));
  const unique = uniqueSets(sets);
  // A set that contains another set admits no further token.
  const contains = (set: readonly string[], other: readonly string[]) => other.every((name) => set.includes(name));
  return unique.filter((set) => !unique.some((other) => other.length < set.length && contains(set, other)));
}

function uniqueSets(sets: OperationAccess['alternatives']): OperationAccess['alternatives'] {
  const unique = sets.map((names) => [...new Set(names)]);
  return [...new Map(unique.map((names) => [[...names].sort().join(' '), names])).values()];
}

function explain(requirement: Requirement, { requiredScopes }: RouteRules) {
  const refusal = (detail?: AuthErrorDetail) => new AuthError(REQUIREMENTS[requirement.kind].code, detail);
  switch (requirement.kind) {
    case 'acr': {
      const { values, maxAgeSeconds } = requirement;
      const acr = values.length === 0 ? '' : ` (\`acr\`) ${values.map(code).join(' or ')}`;
      const age = maxAgeSeconds === undefined ? '' : `, at most ${String(maxAgeSeconds)} seconds ago`;
      return { text: `authentication${acr}${age}`, refusal: refusal({ acrValues: values.join(' '), maxAgeSeconds }) };
    }
    case 'authorizationDetails':
      return { text: `authorization details of the type ${code(requirement.type)}`, refusal: refusal() };
    case 'policy':
      return { text: `policy ${code(nameOfPolicy(requirement.policy))}`, refusal: refusal() };
    default: {
      const { granted, needs } = REQUIREMENTS[requirement.kind];
      const { names } = requirement;
      const scope = [...new Set([...requiredScopes, ...names])].join(' ');
      return {
        text: `${NOUNS[granted]} ${names.map(code).join(needs === 'any' ? ' or ' : ' and ')}`,
        refusal: refusal(granted === 'scopes' ? { scope } : {}),
      };
    }
  }
}

const NOUNS = { scopes: 'scope', roles: 'role', permissions: 'permission' } as const;

/** CommonMark §6.1: a name that contains a backtick needs two of them around it. */
function code(name: string): string {
  return name.includes('`') ? `\`\` ${name} \`\`` : `\`${name}\``;
}

function markdownList(heading: string, items: readonly string[]): string | undefined {
  return items.length === 0 ? undefined : `${heading}:\n\n${[...new Set(items)].map((item) => `- ${item}`).join('\n')}`;
}
