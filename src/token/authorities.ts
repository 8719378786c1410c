import type { AccessTokenClaims } from '../model/access-token.js';
import { isJsonObject } from '../model/unknown-value.js';
import { type ClaimLocation, type ClaimSteps, EACH_ITEM, type ResolvedClaimPath } from '../options/claim-paths.js';
import type { ResolvedClaimPaths, ResolvedIssuer } from '../options/resolve-issuer.js';

export type AuthorityOptions = Pick<ResolvedIssuer, 'claimPaths' | 'scopeImplications'>;

/** Scopes, roles and permissions of a token. Read from the claims on first use, because most handlers use at most one of them. */
export class Authorities implements Record<keyof ResolvedClaimPaths, readonly string[] | undefined> {
  // Own members from the start: a polluted prototype must not grant authorities.
  scopes: readonly string[] | undefined = undefined;
  roles: readonly string[] | undefined = undefined;
  permissions: readonly string[] | undefined = undefined;

  readonly claimPaths: ResolvedClaimPaths;
  readonly scopeImplications: AuthorityOptions['scopeImplications'];

  constructor({ claimPaths, scopeImplications }: AuthorityOptions) {
    this.claimPaths = claimPaths;
    this.scopeImplications = scopeImplications;
  }

  /** Whether these options read the same from the claims. */
  areOf({ claimPaths, scopeImplications }: AuthorityOptions): boolean {
    return this.claimPaths === claimPaths && this.scopeImplications === scopeImplications;
  }
}

type Claims = Readonly<Record<string, unknown>>;

export function authoritiesOf(claims: Claims, kind: keyof ResolvedClaimPaths, known: Authorities): readonly string[] {
  return (known[kind] ??=
    kind === 'scopes' ? scopesOf(claims, known) : authoritiesAt(claims, known.claimPaths[kind], 'whole'));
}

function scopesOf(claims: Claims, known: Authorities): readonly string[] {
  const { claimPaths, scopeImplications } = known;
  const scopes = authoritiesAt(claims, claimPaths.scopes, 'at-spaces');
  if (typeof scopeImplications !== 'function') {
    if (scopeImplications.size === 0) return scopes;
    return union(
      scopes,
      scopes.flatMap((scope) => scopeImplications.get(scope) ?? []),
    );
  }
  const [roles, permissions] = [authoritiesOf(claims, 'roles', known), authoritiesOf(claims, 'permissions', known)];
  const implied: unknown = scopeImplications({ scopes, roles, permissions, claims: claims as AccessTokenClaims });
  // A string would otherwise be a list of characters.
  if (!Array.isArray(implied)) throw new TypeError('`scopeImplications` did not return a list');
  return union(
    scopes,
    implied.filter((scope) => typeof scope === 'string'),
  );
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  return Object.freeze([...new Set([...one, ...other])]);
}

const NONE: readonly string[] = Object.freeze([]);

/**
 * Returns the authorities at these paths. Items of a list that are not strings are ignored; any other value grants nothing.
 * @param split whether a string is one authority, or a list separated by spaces (scopes, RFC 6749 §3.3).
 */
export function authoritiesAt(
  claims: Claims,
  paths: readonly ResolvedClaimPath[],
  split: 'whole' | 'at-spaces',
): readonly string[] {
  let authorities: string[] | undefined;
  for (const path of paths) {
    for (const value of valuesOf(claims, path)) {
      for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (typeof item !== 'string') continue;
        (authorities ??= []).push(...(split === 'at-spaces' ? item.split(' ') : [item]));
      }
    }
  }
  return authorities === undefined ? NONE : Object.freeze([...new Set(authorities)].filter((name) => name !== ''));
}

function valuesOf(claims: Claims, path: ResolvedClaimPath): readonly unknown[] {
  if (typeof path === 'function') return [path(claims as AccessTokenClaims)];
  if ('keysOf' in path) return valuesAt(claims, path.keysOf).map(keysOf);
  if (!('split' in path)) return valuesAt(claims, path);
  const { split } = path;
  const parts = (item: unknown) => (typeof item === 'string' ? item.split(split).map((part) => part.trim()) : []);
  return valuesAt(claims, path.path).map((value) => [value].flat().flatMap(parts));
}

function keysOf(value: unknown): readonly string[] | undefined {
  if (!isJsonObject(value)) return undefined;
  // `false` and `null` state that the authority is not granted.
  return Object.keys(value).filter((name) => value[name] !== false && value[name] !== null);
}

function valuesAt(claims: Claims, steps: ClaimSteps): readonly unknown[] {
  let values: readonly unknown[] = [claims];
  for (const step of steps) {
    if (step === EACH_ITEM) values = values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : []));
    else values = values.filter((value) => hasMember(value, step)).map((value) => (value as Claims)[step]);
  }
  return values;
}

/** Own members only: a path must not reach Object.prototype or the length of a string. */
function hasMember(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name);
}

/** A claim whose values are not read, because they have another shape than the path expects. */
export interface UnreadClaim {
  readonly found: string;
  readonly fix: string;
}

/**
 * Returns why a claim of these paths grants nothing although the token has it. The texts contain no value of the token.
 */
export function unreadClaimOf(
  claims: Claims,
  claimPaths: ResolvedClaimPaths,
  kind: keyof ResolvedClaimPaths,
): UnreadClaim | undefined {
  for (const path of claimPaths[kind]) {
    if (typeof path === 'function') continue;
    const steps = claimOf(path);
    const name = textOf(steps);
    const unread = valuesAt(claims, steps)
      .map((value) => shapeOf(value, name))
      .find((shape) => shape !== undefined && !isRead(claims, path, shape));
    if (unread !== undefined)
      return { found: `\`${name}\` is ${unread.text}`, fix: `Set claimPaths: { ${kind}: [${unread.path}] }.` };
    const overage = overageOf(claims, String(steps[0]));
    if (overage !== undefined)
      return {
        found: `\`${name}\` is not in the token, because the user has too many (\`${overage}\`)`,
        fix: 'Let Entra ID add only the groups that are assigned to the application, or use app roles. Otherwise read them from Microsoft Graph.',
      };
  }
  return undefined;
}

/** Returns the claim by which Entra ID states that it left out the groups: `hasgroups` in the tokens of the implicit flow. */
function overageOf(claims: Claims, name: string): string | undefined {
  if (isJsonObject(claims._claim_names) && hasMember(claims._claim_names, name)) return '_claim_names';
  return name === 'groups' && claims.hasgroups === true ? 'hasgroups' : undefined;
}

/** Returns the steps to the claim as a whole, not to its items. */
function claimOf(path: ClaimLocation): ClaimSteps {
  const steps = 'keysOf' in path ? path.keysOf : 'split' in path ? path.path : path;
  const end = steps.indexOf(EACH_ITEM);
  return end === -1 ? steps : steps.slice(0, end);
}

interface ClaimShape {
  readonly text: string;
  /** The path that reads it, as source text. */
  readonly path: string;
  /** The separator of a text. Other paths read the text, but as one value. */
  readonly split?: string;
}

function shapeOf(value: unknown, name: string): ClaimShape | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  if (isJsonObject(first)) return { text: 'a list of objects', path: `'${name}[].${memberWithName(first)}'` };
  if (Array.isArray(first)) return { text: 'a list of lists', path: `'${name}[]'` };
  if (typeof first === 'string') return { text: 'a list', path: `'${name}'` };
  if (isJsonObject(value)) return { text: 'an object', path: `{ keysOf: '${name}' }` };
  if (typeof value !== 'string' || value === '') return undefined;
  const split = [',', ';'].find((separator) => value.includes(separator));
  if (split === undefined) return { text: 'one text', path: `'${name}'` };
  return { text: 'one text with several values', path: `{ path: '${name}', split: '${split}' }`, split };
}

function isRead(claims: Claims, path: ResolvedClaimPath, { split }: ClaimShape): boolean {
  if (split !== undefined) return 'split' in path && path.split === split;
  return authoritiesAt(claims, [path], 'whole').length > 0;
}

function textOf(steps: ClaimSteps): string {
  const names = steps.map((step, index) => {
    if (step === EACH_ITEM) return '[]';
    const isPlain = /^[^.["'\]]+$/.test(step);
    if (index === 0) return isPlain || step.includes('://') ? step : `["${step}"]`;
    return isPlain ? `.${step}` : `["${step}"]`;
  });
  return names.join('');
}

/** The members in which issuers write the name of a role. */
const NAME_MEMBERS = ['name', 'code', 'key', 'slug', 'value', 'role', 'id'];

function memberWithName(item: Claims): string {
  return NAME_MEMBERS.find((member) => Object.hasOwn(item, member) && typeof item[member] === 'string') ?? 'name';
}
