import { ALGORITHM_NAMES, isSignatureAlgorithm, type SignatureAlgorithm } from '../keys/algorithms.js';
import { isJsonObject } from '../model/unknown-value.js';
import { CHECK_DEFAULTS } from './defaults.js';
import type { OptionReader } from './option-reader.js';
import {
  type CheckOptions,
  PROVIDER_CHECK,
  type ProviderCheck,
  REPORTABLE_CHECKS,
  type ReportableCheck,
} from './options.js';
import { parseClaimPath } from './parse-claim-path.js';
import { readKeys, type ResolvedKeys } from './resolve-keys.js';

export interface ResolvedIssuer {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly audienceClaim: string;
  readonly keys: ResolvedKeys;
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
  /** Normalized by {@link normalizeTokenType}; undefined accepts tokens without `typ`. */
  readonly tokenTypes: ReadonlySet<string | undefined>;
  readonly clockToleranceSeconds: number;
  readonly requiredClaims: readonly string[];
  readonly maxTokenAgeSeconds: number | undefined;
  readonly providerCheck: ProviderCheck | undefined;
  readonly validate: CheckOptions['validate'];
  readonly claimPaths: ResolvedClaimPaths;
  /** Checks that are made but reject nothing. */
  readonly reportOnly: ReadonlySet<ReportableCheck>;
}

export interface ResolvedClaimPaths {
  readonly scopes: readonly ResolvedClaimPath[];
  readonly roles: readonly ResolvedClaimPath[];
  readonly permissions: readonly ResolvedClaimPath[];
}

/** The names that lead to a value. With `keysOf`, to an object whose member names are the values. */
export type ResolvedClaimPath = readonly string[] | { readonly keysOf: readonly string[] };

// Shared by all issuers with the defaults: hundreds of copies would not fit in the cache of the processor.
const DEFAULT_ALGORITHMS: ReadonlySet<SignatureAlgorithm> = new Set(CHECK_DEFAULTS.algorithms);
export const DEFAULT_TOKEN_TYPES = normalizedTypes(CHECK_DEFAULTS.tokenTypes);
const DEFAULT_CLAIM_PATHS: ResolvedClaimPaths = Object.freeze({
  scopes: Object.freeze(CHECK_DEFAULTS.claimPaths.scopes.map(parseClaimPath)),
  roles: Object.freeze(CHECK_DEFAULTS.claimPaths.roles.map(parseClaimPath)),
  permissions: Object.freeze(CHECK_DEFAULTS.claimPaths.permissions.map(parseClaimPath)),
});

/** Media types are compared without case and without `application/` (RFC 9068 §4, RFC 7515 §4.1.9). */
export function normalizeTokenType(type: string): string {
  return type.toLowerCase().replace(/^application\//, '');
}

function normalizedTypes(types: readonly unknown[]): ReadonlySet<string | undefined> {
  return new Set(types.map((type) => (typeof type === 'string' ? normalizeTokenType(type) : undefined)));
}

/** @param reader of options with defaults. */
export function readIssuer(reader: OptionReader, allowHttp: boolean): ResolvedIssuer {
  const meaning = 'the exact `iss` of the tokens, for example "https://tenant.example.com/"';
  const issuer = reader.requiredString('issuer', meaning);
  const audience = reader.oneOrMore('audience', 'the identifier of this API, for example "https://api.example.com"');
  const audienceClaim = reader.requiredString('audienceClaim', 'the claim with the audience, for example "client_id"');
  // All tokens of the issuer have the same value here, or every token has another.
  if (['iss', 'sub', 'exp', 'nbf', 'iat', 'jti'].includes(audienceClaim))
    reader.invalid('audienceClaim', 'Set it to a claim that names the API for which a token is issued.');
  const keys = readKeys(reader, issuer, allowHttp);
  return Object.freeze({ issuer, audience, audienceClaim, keys, ...readChecks(reader) });
}

type ResolvedChecks = Omit<ResolvedIssuer, 'issuer' | 'audience' | 'audienceClaim' | 'keys'>;

export function readChecks(reader: OptionReader): ResolvedChecks {
  return {
    algorithms: readAlgorithms(reader),
    tokenTypes: readTokenTypes(reader),
    clockToleranceSeconds: reader.number('clockToleranceSeconds', 0, 300),
    requiredClaims: reader.stringList('requiredClaims') ?? [],
    maxTokenAgeSeconds:
      reader.record.maxTokenAgeSeconds === undefined ? undefined : reader.number('maxTokenAgeSeconds', 1, 366 * 86_400),
    providerCheck: reader.record[PROVIDER_CHECK] as ProviderCheck | undefined,
    validate: reader.optional('validate', 'function') as CheckOptions['validate'],
    claimPaths: readClaimPaths(reader),
    reportOnly: readReportOnly(reader),
  };
}

const NONE_REPORTED: ReadonlySet<ReportableCheck> = new Set();

function readReportOnly(reader: OptionReader): ReadonlySet<ReportableCheck> {
  const names = reader.stringList('reportOnly') ?? [];
  names.forEach((name, index) => {
    if (!(REPORTABLE_CHECKS as readonly string[]).includes(name))
      reader.invalid(`reportOnly[${String(index)}]`, `Set it to one of ${REPORTABLE_CHECKS.join(', ')}.`, name);
  });
  return names.length === 0 ? NONE_REPORTED : new Set(names as readonly ReportableCheck[]);
}

function readAlgorithms(reader: OptionReader): ReadonlySet<SignatureAlgorithm> {
  if (reader.record.algorithms === CHECK_DEFAULTS.algorithms) return DEFAULT_ALGORITHMS;
  const names = reader.items('algorithms', ALGORITHM_NAMES.join(', '), { nonEmpty: true }) ?? [];
  names.forEach((name, index) => {
    if (!isSignatureAlgorithm(name)) reader.invalid(`algorithms[${String(index)}]`, algorithmFix(name), name);
  });
  return new Set(names.filter(isSignatureAlgorithm));
}

/** Returns what to write instead of an unknown signature algorithm. */
export function algorithmFix(name: unknown): string {
  const isForgeable = typeof name === 'string' && /^(none|HS\d+)$/i.test(name);
  const reason = isForgeable ? 'This algorithm is not possible, because clients could sign tokens themselves. ' : '';
  return `${reason}Set it to one of ${ALGORITHM_NAMES.join(', ')}.`;
}

function readTokenTypes(reader: OptionReader): ReadonlySet<string | undefined> {
  const given = reader.record.tokenTypes;
  if (given === CHECK_DEFAULTS.tokenTypes) return DEFAULT_TOKEN_TYPES;
  const types = reader.items('tokenTypes', 'types, for example ["at+jwt"]', { nonEmpty: true }) ?? [];
  // `undefined` accepts tokens without `typ`, so it must not come from a hole.
  if (types.length > Object.keys(Object(given) as object).length)
    reader.problem('tokenTypes', 'has holes. Set every item, to undefined for tokens without `typ`.');
  types.forEach((type, index) => {
    if (type === undefined || (typeof type === 'string' && type !== '')) return;
    reader.invalid(`tokenTypes[${String(index)}]`, 'Set it to a non-empty string or undefined.', type);
  });
  return normalizedTypes(types);
}

function readClaimPaths(reader: OptionReader): ResolvedClaimPaths {
  if (reader.record.claimPaths === CHECK_DEFAULTS.claimPaths) return DEFAULT_CLAIM_PATHS;
  const paths = reader.optionalChild('claimPaths').withDefaults(CHECK_DEFAULTS.claimPaths);
  const read = (name: keyof ResolvedClaimPaths): readonly ResolvedClaimPath[] => {
    const list = paths.items(name, 'claim paths, for example ["realm_access.roles"]') ?? [];
    return Object.freeze(
      list.map((path, index) => {
        const isOfKeys = isJsonObject(path) && Object.keys(path).join() === 'keysOf';
        const names = parseClaimPath(isOfKeys ? path.keysOf : path);
        const fix = 'Set it to the name or the path of a claim, a list of names, or { keysOf: path }.';
        if (names.length === 0) paths.invalid(`${name}[${String(index)}]`, fix, path);
        return isOfKeys ? Object.freeze({ keysOf: names }) : names;
      }),
    );
  };
  return Object.freeze({ scopes: read('scopes'), roles: read('roles'), permissions: read('permissions') });
}
