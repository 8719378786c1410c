import { isJsonObject } from '../model/unknown-value.js';
import type { VerifiedAccessToken } from '../model/access-token.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Requirement } from '../model/requirement.js';
import { CHECK_DEFAULTS, DEFAULTS, EXTRA_DEFAULTS, ISSUER_DEFAULTS } from './defaults.js';
import { OptionReader, type OptionRecord } from './option-reader.js';
import {
  type CheckOptions,
  type ConnectionOptions,
  type IssuerResolver,
  type ModuleExtras,
  type ModuleOptions,
  PROVIDER_CHECK,
  type ProviderCheck,
  type ResourceServerOptions,
} from './options.js';
import { readChecks, readIssuer, type ResolvedIssuer } from './resolve-issuer.js';
import { readRequire } from './resolve-require.js';
import { readTokenFrom, type ResolvedTokenFrom } from './resolve-token-from.js';

/** The options with all defaults, validated and frozen. */
export interface ResolvedOptions {
  readonly issuers: readonly ResolvedIssuer[] | ResolvedIssuerResolver;
  readonly user: ModuleOptions<unknown>['user'];
  readonly realm: string | undefined;
  readonly tokenFrom: ResolvedTokenFrom;
  /** The requirements of every route. */
  readonly require: readonly Requirement<never>[];
  readonly connections: Required<ConnectionOptions>;
  readonly explainRefusals: boolean;
  readonly openTelemetry: boolean;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly clock: () => number;
  readonly warmUp: NonNullable<ModuleOptions['warmUp']>;
  readonly keyStore: KeyStore | undefined;
  /** Undefined if the cache is off. */
  readonly tokenCache: ResolvedTokenCache | undefined;
  readonly insecureAllowHttp: boolean;
}

export type ResolvedTokenCache = Required<Exclude<ModuleOptions['tokenCache'], false | undefined>>;

/**
 * Calls the `issuers` function of the application.
 * @throws ConfigurationError if the function returns invalid options, or options of another issuer.
 */
export type ResolvedIssuerResolver = (issuer: string) => Promise<ResolvedIssuer | undefined>;

/** Every name that `forRoot` accepts. */
export const OPTION_NAMES: readonly string[] = Object.keys(DEFAULTS);

type Extras = Readonly<Partial<Record<keyof ModuleExtras, unknown>>>;

/**
 * Validates the options, applies the defaults and freezes the result.
 * @param extras the options that the module uses before a factory runs.
 * @param isReplacement whether a value is a class that replaces the guard or the strategy.
 * @throws ConfigurationError with all problems.
 */
export function resolveOptions(
  options: ResourceServerOptions<unknown, never>,
  extras: Extras = {},
  isReplacement: (name: 'guard' | 'strategy', value: unknown) => boolean = () => false,
): ResolvedOptions {
  const given = new OptionReader(options);
  const reader = given.withDefaults(DEFAULTS);
  checkExtras(given, extras, isReplacement);
  const allowHttp = reader.flag('insecureAllowHttp');
  const resolved: ResolvedOptions = {
    issuers: readIssuers(given, reader, allowHttp),
    user: reader.optional('user', 'function') as ModuleOptions<unknown>['user'],
    realm: readRealm(reader),
    tokenFrom: readTokenFrom(reader),
    require: readRequire(reader),
    connections: readConnections(reader),
    explainRefusals: reader.flag('explainRefusals'),
    openTelemetry: reader.flag('openTelemetry'),
    fetch: reader.optional('fetch', 'function') as typeof globalThis.fetch | undefined,
    clock: reader.optional('clock', 'function') as () => number,
    warmUp: reader.oneOf('warmUp', ['required', 'background', 'off']) ?? 'off',
    keyStore: readKeyStore(reader),
    tokenCache: readTokenCache(reader),
    insecureAllowHttp: allowHttp,
  };
  given.finish();
  return Object.freeze(resolved);
}

function checkExtras(
  given: OptionReader,
  extras: Extras,
  isReplacement: (name: 'guard' | 'strategy', value: unknown) => boolean,
): void {
  const { guard = EXTRA_DEFAULTS.guard, strategy, isGlobal = EXTRA_DEFAULTS.isGlobal } = extras;
  for (const [name, value] of Object.entries({ guard, strategy, isGlobal }))
    if ((given.record[name] ?? value) !== value)
      given.problem(name, 'is not read from a factory. Set it beside `useFactory`.');
  if (guard !== 'global' && guard !== 'manual' && !isReplacement('guard', guard))
    given.invalid('guard', "Set it to 'global', 'manual' or a class that extends AuthGuard.", guard);
  if (strategy !== undefined && !isReplacement('strategy', strategy))
    given.invalid('strategy', 'Set it to a class that extends JwtStrategy.', strategy);
  if (typeof isGlobal !== 'boolean') given.invalid('isGlobal', 'Set it to true or false.', isGlobal);
}

function readIssuers(given: OptionReader, reader: OptionReader, allowHttp: boolean): ResolvedOptions['issuers'] {
  const { issuers } = given.record;
  if (issuers === undefined && (!('issuers' in given.record) || 'issuer' in given.record))
    return Object.freeze([readIssuer(reader, allowHttp)]);
  const misplaced = ['issuer', 'audience', 'audienceClaim', 'keys'].filter((name) => given.record[name] !== undefined);
  for (const name of misplaced) given.problem(name, 'is set beside `issuers`. Set it in each of the issuers.');
  const defaults = readDefaults(reader);
  if (typeof issuers === 'function') return resolverOf(issuers as IssuerResolver, defaults, allowHttp);
  if (!Array.isArray(issuers) || issuers.length === 0) {
    given.invalid('issuers', 'Set it to a non-empty list of { issuer, audience }, or to a function.');
    return [];
  }
  const resolved = Array.from(issuers, (options: unknown, index) =>
    readIssuer(given.child(options, `issuers[${String(index)}]`).withDefaults(defaults, JOINED), allowHttp),
  );
  const names = resolved.map(({ issuer }) => issuer);
  names.forEach((name, index) => {
    if (name === '' || names.indexOf(name) === index) return;
    given.invalid(`issuers[${String(index)}].issuer`, 'This issuer is listed before. Remove one of them.', name);
  });
  return Object.freeze(resolved);
}

/** Returns the defaults of each issuer: the checks beside `issuers`. Their problems are reported once, not for each issuer. */
function readDefaults(reader: OptionReader): OptionRecord {
  const before = reader.problemCount;
  readChecks(reader);
  if (reader.problemCount > before) return ISSUER_DEFAULTS;
  const names = Reflect.ownKeys(CHECK_DEFAULTS);
  return { ...ISSUER_DEFAULTS, ...Object.fromEntries(names.map((name) => [name, reader.record[name]])) };
}

/**
 * Checks of an issuer and checks beside `issuers` are all made: an issuer from a preset has its own, and neither may replace
 * the other. A value of the wrong type is kept, so that it is reported.
 */
const JOINED = {
  validate: (own: unknown, fallback: unknown) =>
    typeof own === 'function' && own !== fallback ? bothOf(own as Validate, fallback as Validate) : own,
  [PROVIDER_CHECK]: (own: unknown, fallback: unknown) => (token: VerifiedAccessToken) => {
    (own as ProviderCheck)(token);
    (fallback as ProviderCheck)(token);
  },
  requiredClaims: (own: unknown, fallback: unknown) =>
    Array.isArray(own) ? [...new Set([...(own as unknown[]), ...(fallback as unknown[])])] : own,
};

type Validate = NonNullable<CheckOptions['validate']>;

function bothOf(first: Validate, second: Validate): Validate {
  const isTrue = (verdict: unknown) => verdict === true;
  return async (token) => isTrue(await first(token)) && isTrue(await second(token));
}

function resolverOf(resolver: IssuerResolver, defaults: OptionRecord, allowHttp: boolean): ResolvedIssuerResolver {
  const cache = new WeakMap<object, ResolvedIssuer>();
  return async (issuer) => {
    const options: unknown = await resolver(issuer);
    if (options === undefined || options === null || options === false) return undefined;
    const cached = isJsonObject(options) ? cache.get(options) : undefined;
    if (cached?.issuer === issuer) return cached;
    const given = new OptionReader(options, 'issuers()');
    const resolved = readIssuer(given.withDefaults(defaults, JOINED), allowHttp);
    // With the options of another issuer, the token of one tenant would be verified with the keys of another.
    if (resolved.issuer !== issuer) given.problem('issuer', 'is not the one that was requested. Return that one.');
    given.finish('The `issuers` function returned invalid options');
    cache.set(options, resolved);
    return resolved;
  };
}

function readRealm(reader: OptionReader): string | undefined {
  const realm = reader.optional('realm', 'string');
  // RFC 9110 §5.6.4: the challenge contains it as a quoted string.
  if (realm !== undefined && !/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(realm))
    reader.invalid('realm', 'Set it to printable ASCII characters without quotation marks and backslashes.');
  return realm;
}

function readConnections(reader: OptionReader): ResolvedOptions['connections'] {
  const connections = reader.optionalChild('connections').withDefaults(DEFAULTS.connections);
  return Object.freeze({ renewalGraceSeconds: connections.number('renewalGraceSeconds', 0, 86_400) });
}

function readTokenCache(reader: OptionReader): ResolvedTokenCache | undefined {
  if (reader.record.tokenCache === false) return undefined;
  const cache = reader.optionalChild('tokenCache').withDefaults(DEFAULTS.tokenCache);
  const maxEntries = cache.number('maxEntries', 1, 10_000_000);
  if (!Number.isInteger(maxEntries)) cache.invalid('maxEntries', 'Set it to a whole number.');
  return Object.freeze({ maxEntries, maxAgeSeconds: cache.number('maxAgeSeconds', 1, 86_400) });
}

function readKeyStore(reader: OptionReader): KeyStore | undefined {
  const { keyStore } = reader.record;
  if (keyStore === undefined) return undefined;
  const { load, save } = Object(keyStore) as Partial<Record<keyof KeyStore, unknown>>;
  if (typeof load !== 'function' || typeof save !== 'function')
    reader.invalid('keyStore', 'Set it to an object with load(issuer) and save(issuer, keys), such as a FileKeyStore.');
  return keyStore as KeyStore;
}
