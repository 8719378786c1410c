import {
  ALGORITHM_NAMES,
  DEFAULT_ALGORITHMS,
  isAvailable,
  isSignatureAlgorithm,
  type SignatureAlgorithm,
} from '../keys/algorithms.js';
import { withoutQuery } from '../model/address.js';
import { problemOfNames } from '../model/requirement.js';
import { isJsonObject } from '../model/unknown-value.js';
import { claimPaths } from './claim-paths.js';
import { DEFAULTS } from './defaults.js';
import type { OptionReader } from './option-reader.js';
import * as option from './option-table.js';
import {
  type CheckOptions,
  PROVIDER_CHECK,
  type ProviderCheck,
  REPORTABLE_CHECKS,
  type ReportableCheck,
  type ScopeImplier,
} from './options.js';
import { readKeys, type ResolvedKeys } from './resolve-keys.js';

export const DEFAULT_TOKEN_TYPES = normalizedTypes(DEFAULTS.tokenTypes);

// Defaults are shared by all issuers: hundreds of copies would not fit in the cache of the processor.
const CHECK_OPTIONS = {
  algorithms: option.withDefault<ReadonlySet<SignatureAlgorithm>>(new Set(DEFAULT_ALGORITHMS), readAlgorithms),
  /** Normalized by {@link normalizeTokenType}; undefined accepts tokens without `typ`. */
  tokenTypes: option.withDefault(DEFAULT_TOKEN_TYPES, readTokenTypes),
  idTokens: option.withDefault<Verdict>(DEFAULTS.idTokens, readVerdict),
  padding: option.withDefault<Verdict>(DEFAULTS.padding, readVerdict),
  clockToleranceSeconds: option.number(0, 300, DEFAULTS.clockToleranceSeconds),
  requiredClaims: option.withDefault([], (reader, name) => reader.stringList(name)),
  maxTokenAgeSeconds: option.number(1, 366 * 86_400, undefined),
  validate: option.callback<CheckOptions['validate']>(undefined),
  claimPaths: option.group({
    scopes: claimPaths(...DEFAULTS.scopes),
    roles: claimPaths(...DEFAULTS.roles),
    permissions: claimPaths(...DEFAULTS.permissions),
  }),
  /** A table has the scopes that each scope includes at any depth. */
  scopeImplications: option.withDefault<ResolvedScopeImplications>(new Map(), readScopeImplications),
  reportOnly: option.withDefault(new Set<never>(), readReportOnly),
} satisfies Record<keyof CheckOptions, option.Option<unknown>>;

const ISSUER = 'the exact `iss` of the tokens, for example "https://tenant.example.com/"';
const AUDIENCE = 'the identifier of this API, for example "https://api.example.com"';

const OWN_OPTIONS = {
  issuer: { read: (reader, name) => (reader.value(name) === null ? null : reader.requiredString(name, ISSUER)) },
  audience: { read: (reader, name) => (reader.value(name) === null ? null : reader.oneOrMore(name, AUDIENCE)) },
  exclusiveAudience: option.flag(),
  audienceClaim: option.withDefault(DEFAULTS.audienceClaim, readAudienceClaim),
  issuerAliases: option.withDefault([], (reader, name) => reader.stringList(name)),
} satisfies option.OptionTable;

type ResolvedChecks = option.Values<typeof CHECK_OPTIONS> & { readonly providerCheck: ProviderCheck | undefined };

export interface ResolvedIssuer
  extends ResolvedChecks, Pick<option.Values<typeof OWN_OPTIONS>, 'audience' | 'exclusiveAudience' | 'audienceClaim'> {
  /** The name in logs, metrics and the health of the keys: the `iss`, or the place of the keys if tokens have none. */
  readonly issuer: string;
  /** The accepted values of `iss`. Empty for tokens without `iss`. */
  readonly names: readonly string[];
  readonly keys: ResolvedKeys;
}

export type ResolvedClaimPaths = ResolvedIssuer['claimPaths'];

export const CHECK_DEFAULTS: ResolvedChecks = { ...option.defaultsOf(CHECK_OPTIONS), providerCheck: undefined };
/** The options that cannot be set beside `issuers`. */
export const OWN_OPTION_NAMES: readonly string[] = [...Object.keys(OWN_OPTIONS), 'keys'];
export const ISSUER_OPTION_NAMES: readonly string[] = [...OWN_OPTION_NAMES, ...Object.keys(CHECK_OPTIONS)];

interface IssuerContext {
  readonly allowHttp: boolean;
  /** The identifier of the `resource`. */
  readonly defaultAudience: string | undefined;
  readonly shared?: ResolvedChecks;
}

export function readIssuer(
  reader: OptionReader,
  { allowHttp, defaultAudience, shared = CHECK_DEFAULTS }: IssuerContext,
): ResolvedIssuer {
  const {
    issuer: name,
    issuerAliases,
    ...own
  } = option.readOptions(reader, {
    ...OWN_OPTIONS,
    ...(defaultAudience !== undefined && { audience: { ...OWN_OPTIONS.audience, default: [defaultAudience] } }),
  });
  const [issuerOfMetadata = ''] = /^.*(?=\/\.well-known\/)/.exec(name ?? '') ?? [];
  if (issuerOfMetadata !== '')
    reader.invalid(
      'issuer',
      `It is the address of metadata. Did you mean "${issuerOfMetadata}" (with or without a slash at the end, as \`iss\` has it)?`,
    );
  const keys = readKeys(reader, name ?? '', allowHttp);
  if (name === null) checkUnnamed(reader, keys);
  for (const unused of ['audienceClaim', 'exclusiveAudience'])
    if (own.audience === null && reader.has(unused))
      reader.problem(unused, 'is set beside audience: null. Remove one of them.');
  // The query may contain a credential.
  const place = keys.from === 'jwks' ? withoutQuery(keys.uris[0] ?? '') : undefined;
  const issuer = name ?? place ?? 'tokens without iss';
  const names = Object.freeze(name === null ? [] : [name, ...issuerAliases]);
  return Object.freeze({ ...own, issuer, names, keys, ...readChecks(reader, shared) });
}

function checkUnnamed(reader: OptionReader, keys: ResolvedKeys): void {
  if (keys.from === 'discovery')
    reader.problem(
      'issuer',
      "is null. Set keys: { from: 'jwks', uri } or { from: 'static', … }, because there is no issuer with metadata.",
    );
  if ([reader.record.requiredClaims].flat().includes('iss'))
    reader.problem('requiredClaims', 'has `iss`, but issuer is null. Remove one of them.');
  if (reader.has('issuerAliases')) reader.problem('issuerAliases', 'is set beside issuer: null. Remove one of them.');
}

/**
 * @param shared the checks beside `issuers`. They and those of the issuer are all made: an issuer from a preset has its own,
 * and neither may replace the other.
 */
export function readChecks(reader: OptionReader, shared = CHECK_DEFAULTS): ResolvedChecks {
  const own = option.readOptions(reader, CHECK_OPTIONS, shared);
  const providerCheck = reader.record[PROVIDER_CHECK] as ProviderCheck | undefined;
  const isTrue = (verdict: unknown) => verdict === true;
  return {
    ...own,
    requiredClaims: Object.freeze([...new Set([...own.requiredClaims, ...shared.requiredClaims])]),
    validate: join(own.validate, shared.validate, (first, second) => async (token) => {
      return isTrue(await first(token)) && isTrue(await second(token));
    }),
    providerCheck: join(providerCheck, shared.providerCheck, (first, second) => (token) => {
      first(token);
      second(token);
    }),
  };
}

function join<Check>(
  own: Check | undefined,
  shared: Check | undefined,
  both: (own: Check, shared: Check) => Check,
): Check | undefined {
  return own === undefined || shared === undefined || own === shared ? (own ?? shared) : both(own, shared);
}

export type ResolvedScopeImplications = ReadonlyMap<string, readonly string[]> | ScopeImplier;

function readScopeImplications(reader: OptionReader, name: string): ResolvedScopeImplications {
  const given = reader.value(name);
  if (typeof given === 'function') return given as ScopeImplier;
  if (!isJsonObject(given))
    reader.invalid(name, "Set it to a table, { 'orders:write': ['orders:read'] }, or a function.");
  const table = reader.child(isJsonObject(given) ? given : {}, name);
  const names = Object.keys(table.record);
  const problem = names.length > 0 ? problemOfNames('scopes', names) : undefined;
  if (problem !== undefined) reader.problem(name, problem);
  const direct = new Map(names.map((scope) => [scope, table.names(scope, 'scopes') ?? []]));
  return new Map(
    [...direct].map(([scope, included]) => {
      const all = new Set(included);
      for (const each of all) for (const next of direct.get(each) ?? []) all.add(next);
      return [scope, Object.freeze([...all])];
    }),
  );
}

type Verdict = 'accept' | 'reject';

function readVerdict(reader: OptionReader, name: string): Verdict {
  return reader.oneOf(name, ['accept', 'reject']) ?? 'reject';
}

function readAudienceClaim(reader: OptionReader, name: string): string {
  // All tokens of the issuer have the same value here, or every token has another.
  if (['iss', 'sub', 'exp', 'nbf', 'iat', 'jti'].includes(reader.record[name] as string))
    reader.invalid(name, 'Set it to a claim that names the API for which a token is issued.');
  return reader.requiredString(name, 'the claim with the audience, for example "client_id"');
}

function readAlgorithms(reader: OptionReader, name: string): ReadonlySet<SignatureAlgorithm> {
  const isItem = (item: unknown): item is SignatureAlgorithm => isSignatureAlgorithm(item) && isAvailable(item);
  const rules = { nonEmpty: true, isItem, fix: algorithmFix };
  return new Set(reader.items(name, ALGORITHM_NAMES.join(', '), rules));
}

export function algorithmFix(name: unknown): string {
  if (isSignatureAlgorithm(name)) return 'It needs Node 24.6 or later, with OpenSSL 3.5.';
  const isForgeable = typeof name === 'string' && /^(none|HS\d+)$/i.test(name);
  const reason = isForgeable ? 'This algorithm is not possible, because clients could sign tokens themselves. ' : '';
  return `${reason}Set it to one of ${ALGORITHM_NAMES.join(', ')}.`;
}

function readReportOnly(reader: OptionReader, name: string): ReadonlySet<ReportableCheck> {
  const checks = REPORTABLE_CHECKS.join(', ');
  const isItem = (item: unknown): item is ReportableCheck => REPORTABLE_CHECKS.includes(item as ReportableCheck);
  return new Set(reader.items(name, checks, { isItem, fix: () => `Set it to one of ${checks}.` }));
}

/** Media types are compared without case and without `application/` (RFC 9068 §4, RFC 7515 §4.1.9). */
export function normalizeTokenType(type: string): string {
  return type.toLowerCase().replace(/^application\//, '');
}

function normalizedTypes(types: readonly unknown[]): ReadonlySet<string | undefined> {
  return new Set(types.map((type) => (typeof type === 'string' ? normalizeTokenType(type) : undefined)));
}

/** Tokens that are not access tokens, by their `typ`. */
export const OTHER_TOKEN_TYPES: ReadonlyMap<string, string> = new Map([
  ['dpop+jwt', 'a DPoP proof'],
  ['logout+jwt', 'a logout token'],
  ['oauth-id-jag+jwt', 'an identity assertion for an authorization server'],
  ['refresh+jwt', 'a refresh token'],
  ['secevent+jwt', 'a security event token'],
]);

function readTokenTypes(reader: OptionReader, name: string): ReadonlySet<string | undefined> {
  const kindOf = (item: unknown) =>
    typeof item === 'string' ? OTHER_TOKEN_TYPES.get(normalizeTokenType(item)) : undefined;
  const isItem = (item: unknown): item is string | undefined =>
    item === undefined || (typeof item === 'string' && item !== '' && kindOf(item) === undefined);
  const fix = (item: unknown) => {
    const kind = kindOf(item);
    return kind === undefined ? 'Set it to a non-empty string or undefined.' : `Remove it: it is the type of ${kind}.`;
  };
  const rules = { nonEmpty: true, isItem, fix };
  const types = reader.items(name, 'types, for example ["at+jwt"]', rules);
  // `undefined` accepts tokens without `typ`, so it must not come from a hole.
  if (types.length > Object.keys(Object(reader.record[name]) as object).length)
    reader.problem(name, 'has holes. Set every item, to undefined for tokens without `typ`.');
  return normalizedTypes(types);
}
