import type { KeyStore } from '../keys/key-store.js';
import { DEFAULTS } from './defaults.js';
import { ownMembers } from '../model/unknown-value.js';
import { OptionReader } from './option-reader.js';
import * as option from './option-table.js';
import type { IssuerResolver, ModuleExtras, ModuleOptions, ResourceServerOptions } from './options.js';
import {
  ISSUER_OPTION_NAMES,
  OWN_OPTION_NAMES,
  readChecks,
  readIssuer,
  type ResolvedIssuer,
} from './resolve-issuer.js';
import { readRequire } from './resolve-require.js';
import { readResources, RESOURCE_OPTION_NAMES, type ResolvedResources } from './resolve-resources.js';
import { fromBearerHeader, readTokenFrom, type ResolvedTokenFrom } from './token-places.js';

const TOKEN_CACHE = option.group({
  maxEntries: option.withDefault(DEFAULTS.maxEntries, readMaxEntries),
  maxAgeSeconds: option.number(1, 86_400, DEFAULTS.maxAgeSeconds),
});

const MODULE_OPTIONS = {
  user: option.callback<ModuleOptions<unknown>['user']>(undefined),
  realm: option.withDefault(undefined, readRealm),
  tokenFrom: option.withDefault<ResolvedTokenFrom>(Object.freeze([fromBearerHeader()]), readTokenFrom),
  require: { read: readRequire },
  connections: option.group({ renewalGraceSeconds: option.number(0, 86_400, DEFAULTS.renewalGraceSeconds) }),
  explainRefusals: option.flag(),
  openTelemetry: option.flag(),
  fetch: option.callback<typeof globalThis.fetch | undefined>(undefined),
  // Tests may replace `Date.now` later.
  clock: option.callback(() => Date.now()),
  warmUp: option.withDefault(
    DEFAULTS.warmUp,
    (reader, name) => reader.oneOf(name, ['required', 'background', 'off']) ?? DEFAULTS.warmUp,
  ),
  keyStore: option.withDefault(undefined, readKeyStore),
  /** Undefined if the cache is off. */
  tokenCache: option.withDefault(TOKEN_CACHE.default, (reader, name) =>
    reader.record[name] === false ? undefined : TOKEN_CACHE.read(reader, name),
  ),
  insecureAllowHttp: option.flag(),
} satisfies Record<Exclude<keyof ModuleOptions, 'publicUrl' | 'resource' | 'resources'>, option.Option<unknown>>;

/** The options with all defaults, validated and frozen. */
export interface ResolvedOptions extends option.Values<typeof MODULE_OPTIONS> {
  readonly issuers: readonly ResolvedIssuer[] | ResolvedIssuerResolver;
  readonly resources: ResolvedResources;
}

export type ResolvedTokenCache = NonNullable<ResolvedOptions['tokenCache']>;

/** @throws ConfigurationError if the function of the application returns invalid options, or options of another issuer. */
export type ResolvedIssuerResolver = (issuer: string) => Promise<ResolvedIssuer | undefined>;

export const EXTRA_DEFAULTS = Object.freeze({ guard: 'global', strategy: undefined, isGlobal: true });
const EXTRA_NAMES = Object.keys(EXTRA_DEFAULTS);

type Extras = Readonly<Partial<Record<keyof ModuleExtras, unknown>>>;
type IsReplacement = (name: 'guard' | 'strategy', value: unknown) => boolean;

/** Every name that `forRoot` accepts. */
export const OPTION_NAMES = [
  ...ISSUER_OPTION_NAMES,
  'issuers',
  ...Object.keys(MODULE_OPTIONS),
  ...RESOURCE_OPTION_NAMES,
  ...EXTRA_NAMES,
];

/**
 * Validates the options, applies the defaults and freezes the result.
 * @param extras the options that the module uses before a factory runs.
 * @param isReplacement whether a value is a class that replaces the guard or the strategy.
 * @throws ConfigurationError with all problems.
 */
export function resolveOptions(
  options: ResourceServerOptions<unknown, never>,
  extras: Extras = {},
  isReplacement: IsReplacement = () => false,
): ResolvedOptions {
  const reader = new OptionReader(options);
  reader.allowOnly(OPTION_NAMES);
  checkExtras(reader, extras, isReplacement);
  const moduleOptions = option.readOptions(reader, MODULE_OPTIONS);
  const { insecureAllowHttp } = moduleOptions;
  const resources = readResources(reader, insecureAllowHttp);
  const issuers = readIssuers(reader, insecureAllowHttp, resources.main?.identifier);
  reader.finish();
  return Object.freeze({ ...moduleOptions, issuers, resources });
}

function checkExtras(reader: OptionReader, extras: Extras, isReplacement: IsReplacement): void {
  const { guard = EXTRA_DEFAULTS.guard, strategy, isGlobal = EXTRA_DEFAULTS.isGlobal } = ownMembers(extras);
  for (const [name, value] of Object.entries({ guard, strategy, isGlobal }))
    if ((reader.record[name] ?? value) !== value)
      reader.problem(name, 'is not read from a factory. Set it beside `useFactory`.');
  if (guard !== 'global' && guard !== 'manual' && !isReplacement('guard', guard))
    reader.invalid('guard', "Set it to 'global', 'manual' or a class that extends AuthGuard.", guard);
  if (strategy !== undefined && !isReplacement('strategy', strategy))
    reader.invalid('strategy', 'Set it to a class that extends JwtStrategy.', strategy);
  if (typeof isGlobal !== 'boolean') reader.invalid('isGlobal', 'Set it to true or false.', isGlobal);
}

function readIssuers(
  reader: OptionReader,
  allowHttp: boolean,
  defaultAudience: string | undefined,
): ResolvedOptions['issuers'] {
  const { issuers } = reader.record;
  const context = { allowHttp, defaultAudience };
  if (issuers === undefined && (!('issuers' in reader.record) || 'issuer' in reader.record))
    return Object.freeze([readIssuer(reader, context)]);
  for (const name of OWN_OPTION_NAMES.filter((each) => reader.has(each)))
    reader.problem(name, 'is set beside `issuers`. Set it in each of the issuers.');
  const shared = readChecks(reader);
  const readOne = (given: OptionReader) => {
    given.allowOnly(ISSUER_OPTION_NAMES);
    return readIssuer(given, { ...context, shared });
  };
  if (typeof issuers === 'function') return resolverOf(issuers as IssuerResolver, readOne);
  if (!Array.isArray(issuers) || issuers.length === 0) {
    reader.invalid('issuers', 'Set it to a non-empty list of { issuer, audience }, or to a function.');
    return [];
  }
  const resolved = Array.from(issuers, (options: unknown, index) =>
    readOne(reader.child(options, `issuers[${String(index)}]`)),
  );
  const known = new Set<string | null>();
  resolved.forEach(({ names }, index) => {
    for (const name of names.length === 0 ? [null] : names) {
      if (name !== '' && known.has(name))
        reader.invalid(`issuers[${String(index)}].issuer`, 'This issuer is listed before. Remove one of them.', name);
      known.add(name);
    }
  });
  return Object.freeze(resolved);
}

function resolverOf(
  resolver: IssuerResolver,
  readOne: (given: OptionReader) => ResolvedIssuer,
): ResolvedIssuerResolver {
  const cache = new WeakMap<object, ResolvedIssuer>();
  return async (issuer) => {
    const options = await resolver(issuer);
    if (options === undefined || options === null || options === false) return undefined;
    const cached = cache.get(options);
    if (cached?.names.includes(issuer) === true) return cached;
    const given = new OptionReader(options, 'issuers()');
    const resolved = readOne(given);
    // With the options of another issuer, the token of one tenant would be verified with the keys of another.
    if (!resolved.names.includes(issuer))
      given.problem('issuer', 'is not the one that was requested. Return that one.');
    given.finish('The `issuers` function returned invalid options');
    cache.set(options, resolved);
    return resolved;
  };
}

function readRealm(reader: OptionReader, name: string): string {
  const realm = reader.record[name];
  // RFC 9110 §5.6.4: the challenge contains it as a quoted string.
  if (typeof realm !== 'string' || !/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(realm))
    reader.invalid(name, 'Set it to printable ASCII characters without quotation marks and backslashes.');
  return realm as string;
}

function readMaxEntries(reader: OptionReader, name: string): number {
  const maxEntries = reader.number(name, 1, 10_000_000);
  if (!Number.isInteger(maxEntries)) reader.invalid(name, 'Set it to a whole number.');
  return maxEntries;
}

function readKeyStore(reader: OptionReader, name: string): KeyStore {
  const keyStore = reader.record[name] as Partial<KeyStore> | null;
  if (typeof keyStore?.load !== 'function' || typeof keyStore.save !== 'function')
    reader.invalid(name, 'Set it to an object with load(issuer) and save(issuer, keys), such as a FileKeyStore.');
  return keyStore as KeyStore;
}
