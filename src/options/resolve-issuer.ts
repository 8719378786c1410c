import { ALGORITHM_NAMES, isSignatureAlgorithm, type SignatureAlgorithm } from '../keys/algorithms.js';
import { isJsonObject } from '../model/json-object.js';
import type { OptionReader } from './option-reader.js';
import { type CheckOptions, PROVIDER_CHECK, type ProviderCheck, type ReportableCheck } from './options.js';
import { readKeys, type ResolvedKeys } from './resolve-keys.js';

export interface ResolvedIssuer {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly audienceClaim: string;
  readonly keys: ResolvedKeys;
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
  /** In the form that {@link normalizeTokenType} gives; `undefined` stands for no `typ`. */
  readonly tokenTypes: ReadonlySet<string | undefined>;
  readonly clockToleranceSeconds: number;
  readonly requiredClaims: readonly string[];
  readonly maxTokenAgeSeconds: number | undefined;
  readonly providerCheck: ProviderCheck | undefined;
  readonly validate: CheckOptions['validate'];
  readonly claimPaths: ResolvedClaimPaths;
  /** Checks that refuse nobody; undefined when every check refuses. */
  readonly reportOnly: ReportOnly | undefined;
}

export interface ReportOnly {
  readonly checks: ReadonlySet<ReportableCheck>;
  /** The same issuer with nothing left out: what these checks are made against. */
  readonly strict: ResolvedIssuer;
}

export interface ResolvedClaimPaths {
  readonly scopes: readonly ResolvedClaimPath[];
  readonly roles: readonly ResolvedClaimPath[];
  readonly permissions: readonly ResolvedClaimPath[];
}

/** The names on the way to a value, or to an object whose members' names count. */
export type ResolvedClaimPath = readonly string[] | { readonly keysOf: readonly string[] };

export const CHECK_OPTIONS = [
  'algorithms',
  'tokenTypes',
  'clockToleranceSeconds',
  'requiredClaims',
  'maxTokenAgeSeconds',
  'validate',
  'claimPaths',
  'reportOnly',
] as const satisfies readonly (keyof CheckOptions)[];

export const ISSUER_OPTIONS = ['issuer', 'audience', 'audienceClaim', 'keys', ...CHECK_OPTIONS] as const;

// The same objects for all issuers that say nothing of their own: with hundreds of issuers they would not stay in the
// processor's cache.
const DEFAULT_ALGORITHMS: ReadonlySet<SignatureAlgorithm> = new Set(ALGORITHM_NAMES);
const DEFAULT_TOKEN_TYPES: ReadonlySet<string | undefined> = new Set(['at+jwt', 'jwt', undefined]);
const DEFAULT_CLAIM_PATHS: ResolvedClaimPaths = Object.freeze({
  scopes: pathsOf('scope', 'scp'),
  roles: pathsOf('roles'),
  permissions: pathsOf('permissions'),
});

function pathsOf(...names: string[]): readonly (readonly string[])[] {
  return Object.freeze(names.map((name) => Object.freeze([name])));
}

/** RFC 9068 §4 and RFC 7515 §4.1.9: media types compare without case, `application/` may be left out. */
export function normalizeTokenType(type: string): string {
  const lower = type.toLowerCase();
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
}

export function readIssuer(reader: OptionReader, allowHttp: boolean): ResolvedIssuer {
  const issuer = reader.requiredString('issuer', "the exact `iss` of the tokens, 'https://tenant.example.com/' say");
  const audience = readAudience(reader);
  const audienceClaim =
    reader.record.audienceClaim === undefined
      ? 'aud'
      : reader.requiredString('audienceClaim', "the claim that names us in the tokens, 'client_id' say");
  // It would be met by every token of the issuer, or by one alone.
  if (['iss', 'sub', 'exp', 'nbf', 'iat', 'jti'].includes(audienceClaim))
    reader.problem('audienceClaim', 'does not say for whom the token is');
  const keys = readKeys(reader, issuer, allowHttp);
  const { reported, ...checks } = readChecks(reader);
  const strict: ResolvedIssuer = Object.freeze({
    issuer,
    audience,
    audienceClaim,
    keys,
    ...checks,
    reportOnly: undefined,
  });
  return reported === undefined ? strict : lenient(strict, reported);
}

/** The audience and the binding are left out where they are checked; they have no setting that lets everything pass. */
function lenient(strict: ResolvedIssuer, checks: ReadonlySet<ReportableCheck>): ResolvedIssuer {
  const { tokenTypes, requiredClaims } = strict;
  return Object.freeze({
    ...strict,
    tokenTypes: checks.has('tokenTypes') ? new Set([...DEFAULT_TOKEN_TYPES, ...tokenTypes]) : tokenTypes,
    requiredClaims: checks.has('requiredClaims') ? [] : requiredClaims,
    reportOnly: Object.freeze({ checks, strict }),
  });
}

type ReadChecks = Omit<ResolvedIssuer, 'issuer' | 'audience' | 'audienceClaim' | 'keys' | 'reportOnly'> & {
  readonly reported: ReadonlySet<ReportableCheck> | undefined;
};

export function readChecks(reader: OptionReader): ReadChecks {
  return {
    algorithms: readAlgorithms(reader),
    tokenTypes: readTokenTypes(reader),
    clockToleranceSeconds: reader.number('clockToleranceSeconds', { min: 0, max: 300, fallback: 5 }),
    requiredClaims: reader.stringList('requiredClaims') ?? [],
    maxTokenAgeSeconds:
      reader.record.maxTokenAgeSeconds === undefined
        ? undefined
        : reader.number('maxTokenAgeSeconds', { min: 1, max: 366 * 86_400, fallback: 0 }),
    providerCheck: reader.record[PROVIDER_CHECK] as ProviderCheck | undefined,
    validate: reader.optional('validate', 'function') as CheckOptions['validate'],
    claimPaths: readClaimPaths(reader),
    reported: readReportOnly(reader),
  };
}

const REPORTABLE: readonly ReportableCheck[] = ['audience', 'senderConstraint', 'requiredClaims', 'tokenTypes'];

function readReportOnly(reader: OptionReader): ReadonlySet<ReportableCheck> | undefined {
  const names = reader.stringList('reportOnly');
  names?.forEach((name, index) => {
    if (!(REPORTABLE as readonly string[]).includes(name))
      reader.problem(`reportOnly[${String(index)}]`, `must be one of ${REPORTABLE.join(', ')}`);
  });
  return names === undefined || names.length === 0 ? undefined : new Set(names as readonly ReportableCheck[]);
}

function readAudience(reader: OptionReader): readonly string[] {
  const { audience } = reader.record;
  if (Array.isArray(audience)) return reader.stringList('audience', { nonEmpty: true }) ?? [];
  return Object.freeze([
    reader.requiredString(
      'audience',
      'what tokens for this API name in `aud`; a token for another API must not be accepted',
    ),
  ]);
}

function readAlgorithms(reader: OptionReader): ReadonlySet<SignatureAlgorithm> {
  const { algorithms } = reader.record;
  if (algorithms === undefined) return DEFAULT_ALGORITHMS;
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    reader.problem('algorithms', `must be a non-empty list of ${ALGORITHM_NAMES.join(', ')}`);
    return new Set();
  }
  const names: unknown[] = Array.from(algorithms);
  names.forEach((name, index) => {
    if (isSignatureAlgorithm(name)) return;
    const path = `algorithms[${String(index)}]`;
    if (typeof name === 'string' && /^(none|HS\d+)$/i.test(name)) {
      reader.problem(
        path,
        `${name} is not possible: anyone could make a token; use one of ${ALGORITHM_NAMES.join(', ')}`,
      );
    } else {
      reader.problem(path, `must be one of ${ALGORITHM_NAMES.join(', ')}`);
    }
  });
  return new Set(names.filter(isSignatureAlgorithm));
}

function readTokenTypes(reader: OptionReader): ReadonlySet<string | undefined> {
  const { tokenTypes: types } = reader.record;
  if (types === undefined) return DEFAULT_TOKEN_TYPES;
  // A hole in the list is no `undefined` that somebody wrote.
  if (!Array.isArray(types) || types.length === 0 || Object.keys(types).length < types.length) {
    reader.problem('tokenTypes', "must be a non-empty list, ['at+jwt'] say; undefined in it stands for no `typ`");
    return new Set();
  }
  types.forEach((type: unknown, index) => {
    if (type !== undefined && (typeof type !== 'string' || type === '')) {
      reader.problem(`tokenTypes[${String(index)}]`, 'must be a non-empty string, or undefined for no `typ`');
    }
  });
  return new Set(types.map((type: unknown) => (typeof type === 'string' ? normalizeTokenType(type) : undefined)));
}

function readClaimPaths(reader: OptionReader): ResolvedClaimPaths {
  if (reader.record.claimPaths === undefined) return DEFAULT_CLAIM_PATHS;
  const paths = reader.optionalChild('claimPaths');
  paths.allowOnly(Object.keys(DEFAULT_CLAIM_PATHS));
  const read = (name: keyof typeof DEFAULT_CLAIM_PATHS): readonly ResolvedClaimPath[] => {
    const { [name]: list } = paths.record;
    if (list === undefined) return DEFAULT_CLAIM_PATHS[name];
    if (!Array.isArray(list)) {
      paths.problem(name, "must be a list of claim paths, ['realm_access.roles'] say");
      return [];
    }
    return Object.freeze(
      Array.from(list, (path: unknown, index) => {
        const isOfKeys = isJsonObject(path) && Object.keys(path).join() === 'keysOf';
        const names = namesOf(isOfKeys ? path.keysOf : path);
        if (names.length === 0) {
          const expected = "a claim's name or path, a list of names, or { keysOf: path }";
          paths.problem(`${name}[${String(index)}]`, `must be ${expected}`);
        }
        return isOfKeys ? Object.freeze({ keysOf: names }) : names;
      }),
    );
  };
  return Object.freeze({ scopes: read('scopes'), roles: read('roles'), permissions: read('permissions') });
}

const QUOTED = String.raw`\[(?:"(?<double>[^"]+)"|'(?<single>[^']+)')\]`;
// Namespaced claims are addresses (`https://example.com/roles`): the dots in them separate nothing.
const FIRST_NAME = new RegExp(String.raw`^(?:(?<name>[^["'\]]*://[^["'\]]+|[^.["'\]]+)|${QUOTED})`);
const NEXT_NAME = new RegExp(String.raw`^(?:\.(?<name>[^.["'\]]+)|${QUOTED})`);

/**
 * The names between the dots. One that has dots itself stands in brackets: `resource_access["my.client"].roles`.
 * @returns none for what is no path.
 */
function namesOf(path: unknown): readonly string[] {
  if (Array.isArray(path)) {
    const list: unknown[] = Array.from(path);
    return Object.freeze(list.every((name) => typeof name === 'string' && name !== '') ? (list as string[]) : []);
  }
  return Object.freeze(typeof path === 'string' ? namesIn(path) : []);
}

function namesIn(path: string): string[] {
  const names: string[] = [];
  for (let rest = path; rest !== '';) {
    const found = (names.length === 0 ? FIRST_NAME : NEXT_NAME).exec(rest);
    const name = found?.groups?.name ?? found?.groups?.double ?? found?.groups?.single;
    if (found === null || name === undefined) return [];
    names.push(name);
    rest = rest.slice(found[0].length);
  }
  return names;
}
