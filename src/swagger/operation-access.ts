import type { PlacedRequirement } from '../access/effective-requirements.js';
import { AuthError, type AuthErrorCode, type AuthErrorDetail } from '../model/errors.js';
import { nameOfPolicy } from '../model/policy.js';
import type { RequirementKind } from '../model/requirement.js';
import type { DocumentedHandler } from './documented-handlers.js';

/** The requirements of an operation, in terms of OpenAPI. */
export interface OperationAccess {
  readonly access: DocumentedHandler['access'];
  /** Sets of scopes; a token needs all scopes of one set. */
  readonly alternatives: readonly (readonly string[])[];
  /** The requirements that `security` does not express, in Markdown. */
  readonly description: string | undefined;
  /** Every scope that a requirement names. */
  readonly scopes: readonly string[];
  /** How the requirements refuse a valid token (401, 403), in the order of evaluation. */
  readonly refusals: readonly AuthError[];
}

/** Alternatives multiply with each `@RequireAnyScope`. Longer lists are easier to read in the description. */
const MAX_ALTERNATIVES = 8;

type Requirement = PlacedRequirement<never>['requirement'];
type ScopeRequirement = Extract<Requirement, { readonly names: readonly string[] }>;

/**
 * Describes an operation by its handlers: several where the version (in a header) or the host selects one. An operation without
 * a handler requires a token.
 *
 * @param carriesScopes whether the security scheme can list scopes. If not, the description lists them.
 */
export function operationAccess(handlers: readonly DocumentedHandler[], carriesScopes: boolean): OperationAccess {
  const accesses = handlers.map((handler) => handlerAccess(handler, carriesScopes));
  const [first] = accesses;
  if (first === undefined)
    return { access: 'closed', alternatives: [[]], description: undefined, scopes: [], refusals: [] };
  if (accesses.every(({ summary }) => summary === first.summary)) return first;
  const has = (...wanted: DocumentedHandler['access'][]) => accesses.some(({ access }) => wanted.includes(access));
  const alternatives = uniqueSets(accesses.flatMap((access) => access.alternatives));
  return {
    access: !has('closed', 'optional') ? 'unguarded' : has('open', 'optional') ? 'optional' : 'closed',
    alternatives: alternatives.length > MAX_ALTERNATIVES ? [[]] : alternatives,
    description: markdownList(
      'The requirements depend on the version or the host',
      accesses.map(({ summary }, index) => `${code(handlers[index]?.name ?? '')}: ${summary}`),
    ),
    scopes: accesses.flatMap(({ scopes }) => scopes),
    refusals: accesses.flatMap(({ refusals }) => refusals),
  };
}

function handlerAccess(
  handler: DocumentedHandler,
  carriesScopes: boolean,
): OperationAccess & { readonly summary: string } {
  const isGuarded = handler.access === 'closed' || handler.access === 'optional';
  const placed = isGuarded ? handler.requirements.filter(({ requirement }) => !requirement.reportOnly) : [];
  // A guest is rejected where a decorator requires something. The requirements of the module apply to tokens only.
  const rejectsGuests = handler.access === 'optional' && placed.some(({ from }) => from !== 'module');
  const access = rejectsGuests ? 'closed' : handler.access;
  const requirements = placed.map(({ requirement }) => requirement);
  const expressed = carriesScopes ? requirementsInSecurity(requirements) : [];
  const others = requirements.filter((requirement) => !(expressed as readonly Requirement[]).includes(requirement));
  return {
    access,
    alternatives: isGuarded ? alternativesOf(expressed) : [],
    description: markdownList(
      access === 'optional' ? 'Requires, if an access token is sent' : 'Requires',
      others.map(inMarkdown),
    ),
    scopes: requirements.filter(isScopeRequirement).flatMap(({ names }) => names),
    refusals: refusalsOf(requirements),
    summary: [TOKENS[access], ...requirements.map(inMarkdown)].join('; '),
  };
}

function isScopeRequirement(requirement: Requirement): requirement is ScopeRequirement {
  return requirement.kind === 'scopes' || requirement.kind === 'anyScope';
}

/** Selects the requirements of scopes that `security` expresses with at most {@link MAX_ALTERNATIVES} alternatives. */
function requirementsInSecurity(requirements: readonly Requirement[]): readonly ScopeRequirement[] {
  const all = requirements.filter(isScopeRequirement);
  const [always, any] = [all.filter(({ kind }) => kind === 'scopes'), all.filter(({ kind }) => kind === 'anyScope')];
  return any.reduce((product, { names }) => product * names.length, 1) > MAX_ALTERNATIVES ? always : all;
}

function alternativesOf(requirements: readonly ScopeRequirement[]): OperationAccess['alternatives'] {
  const product = requirements.reduce<OperationAccess['alternatives']>(
    (sets, { kind, names }) =>
      sets.flatMap((set) => (kind === 'scopes' ? [[...set, ...names]] : names.map((name) => [...set, name]))),
    [[]],
  );
  const sets = uniqueSets(product);
  // A set that contains another set admits no further token.
  return sets.filter(
    (set) => !sets.some((other) => other.length < set.length && other.every((name) => set.includes(name))),
  );
}

function uniqueSets(sets: OperationAccess['alternatives']): OperationAccess['alternatives'] {
  const unique = sets.map((names) => [...new Set(names)]);
  return [...new Map(unique.map((names) => [[...names].sort().join(' '), names])).values()];
}

const KINDS = {
  scopes: { code: 'SCOPE_INSUFFICIENT', noun: 'scope' },
  anyScope: { code: 'SCOPE_INSUFFICIENT', noun: 'scope' },
  roles: { code: 'ROLE_INSUFFICIENT', noun: 'role' },
  anyRole: { code: 'ROLE_INSUFFICIENT', noun: 'role' },
  permissions: { code: 'PERMISSION_INSUFFICIENT', noun: 'permission' },
  anyPermission: { code: 'PERMISSION_INSUFFICIENT', noun: 'permission' },
  acr: { code: 'AUTHENTICATION_INSUFFICIENT', noun: 'authentication' },
  authorizationDetails: { code: 'AUTHORIZATION_DETAILS_INSUFFICIENT', noun: 'authorization details' },
  policy: { code: 'POLICY_DENIED', noun: 'policy' },
} as const satisfies Record<RequirementKind, { readonly code: AuthErrorCode; readonly noun: string }>;

function refusalsOf(requirements: readonly Requirement[]): readonly AuthError[] {
  const required = requirements.flatMap((requirement) => (requirement.kind === 'scopes' ? requirement.names : []));
  return requirements.map((requirement) => {
    let detail: AuthErrorDetail = {};
    if (isScopeRequirement(requirement))
      detail = { scope: [...new Set([...required, ...requirement.names])].join(' ') };
    else if (requirement.kind === 'acr')
      detail = { acrValues: requirement.values.join(' '), maxAgeSeconds: requirement.maxAgeSeconds };
    return new AuthError(KINDS[requirement.kind].code, detail);
  });
}

const TOKENS = {
  closed: 'an access token',
  optional: 'an optional access token',
  open: 'no access token',
  unguarded: 'not guarded by `AuthGuard`',
} as const satisfies Record<OperationAccess['access'], string>;

function inMarkdown(requirement: Requirement): string {
  const { noun } = KINDS[requirement.kind];
  switch (requirement.kind) {
    case 'acr': {
      const { values, maxAgeSeconds } = requirement;
      const acr = values.length === 0 ? '' : ` (\`acr\`) ${values.map(code).join(' or ')}`;
      return `${noun}${acr}${maxAgeSeconds === undefined ? '' : `, at most ${String(maxAgeSeconds)} seconds ago`}`;
    }
    case 'authorizationDetails':
      return `${noun} of the type ${code(requirement.type)}`;
    case 'policy':
      return `${noun} ${code(nameOfPolicy(requirement.policy))}`;
    default:
      return `${noun} ${requirement.names.map(code).join(requirement.kind.startsWith('any') ? ' or ' : ' and ')}`;
  }
}

/** CommonMark §6.1: a name that contains a backtick needs two of them around it. */
function code(name: string): string {
  return name.includes('`') ? `\`\` ${name} \`\`` : `\`${name}\``;
}

function markdownList(heading: string, items: readonly string[]): string | undefined {
  return items.length === 0 ? undefined : `${heading}:\n\n${[...new Set(items)].map((item) => `- ${item}`).join('\n')}`;
}
