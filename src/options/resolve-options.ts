import { isJsonObject } from '../model/json-object.js';
import type { VerifiedAccessToken } from '../model/access-token.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Requirement } from '../model/requirement.js';
import { OptionReader } from './option-reader.js';
import {
  type CheckOptions,
  type IssuerResolver,
  type ModuleExtras,
  type ModuleOptions,
  PROVIDER_CHECK,
  type ProviderCheck,
  type ResourceServerOptions,
} from './options.js';
import { readRequire } from './resolve-require.js';
import { readTokenCache, type ResolvedTokenCache } from './resolve-token-cache.js';
import { readTokenFrom, type ResolvedTokenFrom } from './resolve-token-from.js';
import { CHECK_OPTIONS, ISSUER_OPTIONS, readChecks, readIssuer, type ResolvedIssuer } from './resolve-issuer.js';

/** Options after defaults and checks: nothing is optional that has a default, and everything is frozen. */
export interface ResolvedOptions {
  readonly issuers: readonly ResolvedIssuer[] | ResolvedIssuerResolver;
  readonly user: ModuleOptions<unknown>['user'];
  readonly realm: string | undefined;
  readonly tokenFrom: ResolvedTokenFrom;
  /** What every token must allow. */
  readonly require: readonly Requirement<never>[];
  readonly connections: { readonly renewalGraceSeconds: number };
  readonly explainRefusals: boolean;
  readonly openTelemetry: boolean;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly clock: () => number;
  readonly warmUp: 'required' | 'background' | 'off';
  readonly keyStore: KeyStore | undefined;
  /** Undefined: no token is remembered. */
  readonly tokenCache: ResolvedTokenCache | undefined;
  readonly insecureAllowHttp: boolean;
}

/** Asks the user's resolver; throws a ConfigurationError where what it returns cannot be used for that issuer. */
export type ResolvedIssuerResolver = (issuer: string) => Promise<ResolvedIssuer | undefined>;

const MODULE_OPTIONS = [
  'user',
  'realm',
  'tokenFrom',
  'require',
  'connections',
  'explainRefusals',
  'openTelemetry',
  'warmUp',
  'keyStore',
  'tokenCache',
  'fetch',
  'clock',
  'insecureAllowHttp',
] as const;
const WARM_UPS = ['required', 'background', 'off'] as const;
const MODULE_EXTRAS = ['guard', 'isGlobal'] as const;
/** Every name that `forRoot` takes. */
export const OPTION_NAMES: readonly string[] = [...ISSUER_OPTIONS, 'issuers', ...MODULE_OPTIONS, ...MODULE_EXTRAS];

/**
 * Checks the options, fills in the defaults and freezes the result.
 * @throws ConfigurationError with all problems at once.
 */
export function resolveOptions(
  options: ResourceServerOptions<unknown, never>,
  extras: ModuleExtras = {},
): ResolvedOptions {
  const reader = new OptionReader(options);
  reader.allowOnly(OPTION_NAMES);
  checkExtras(reader, extras);
  const allowHttp = reader.optional('insecureAllowHttp', 'boolean') ?? false;
  const issuers = readIssuers(reader, allowHttp);
  const resolved: ResolvedOptions = {
    issuers,
    user: reader.optional('user', 'function') as ModuleOptions<unknown>['user'],
    realm: readRealm(reader),
    tokenFrom: readTokenFrom(reader),
    require: readRequire(reader),
    connections: readConnections(reader),
    explainRefusals: reader.optional('explainRefusals', 'boolean') ?? false,
    openTelemetry: reader.optional('openTelemetry', 'boolean') ?? false,
    fetch: reader.optional('fetch', 'function') as typeof globalThis.fetch | undefined,
    clock: (reader.optional('clock', 'function') as (() => number) | undefined) ?? systemClock,
    warmUp: readWarmUp(reader),
    keyStore: readKeyStore(reader),
    tokenCache: readTokenCache(reader),
    insecureAllowHttp: allowHttp,
  };
  reader.finish();
  return Object.freeze(resolved);
}

/** `Date.now` is looked up at each call: a test may have replaced it since. */
function systemClock(): number {
  return Date.now();
}

function checkExtras(reader: OptionReader, { guard = 'global', isGlobal = true }: ModuleExtras): void {
  for (const name of MODULE_EXTRAS) {
    if (name in reader.record) reader.problem(name, 'must stand beside `useFactory`, not in what it returns');
  }
  if (!['global', 'manual'].includes(guard))
    reader.problem('guard', "must be 'global', 'manual' or a class that extends AuthGuard");
  if (typeof isGlobal !== 'boolean') reader.problem('isGlobal', 'must be a boolean');
}

function readIssuers(reader: OptionReader, allowHttp: boolean): ResolvedOptions['issuers'] {
  const { issuers } = reader.record;
  if (issuers === undefined) {
    if ('issuers' in reader.record && !('issuer' in reader.record)) {
      reader.problem('issuers', 'is undefined; give a list of { issuer, audience }, or a function');
      return [];
    }
    return Object.freeze([readIssuer(reader, allowHttp)]);
  }
  for (const name of ['issuer', 'audience', 'audienceClaim', 'keys']) {
    if (reader.record[name] !== undefined)
      reader.problem(name, 'belongs into each of `issuers` when `issuers` is given');
  }
  const defaults = readDefaults(reader);
  if (typeof issuers === 'function') return resolverOf(issuers as IssuerResolver, defaults, allowHttp);
  if (!Array.isArray(issuers) || issuers.length === 0) {
    reader.problem('issuers', 'must be a non-empty list of { issuer, audience }, or a function');
    return [];
  }
  const resolved = Array.from(issuers, (options: unknown, index) =>
    readListedIssuer(reader.child(options, `issuers[${String(index)}]`), defaults, allowHttp),
  );
  const names = resolved.map(({ issuer }) => issuer);
  names.forEach((name, index) => {
    if (name !== '' && names.indexOf(name) !== index) {
      reader.problem(
        `issuers[${String(index)}].issuer`,
        `is listed before: ${JSON.stringify(name)}; list each issuer once`,
      );
    }
  });
  return Object.freeze(resolved);
}

/** The checks that stand beside `issuers`. Where they are wrong that is said once, here, and not for each issuer. */
function readDefaults(reader: OptionReader): Readonly<Record<PropertyKey, unknown>> {
  const before = reader.problemCount;
  readChecks(reader);
  if (reader.problemCount > before) return {};
  return Object.fromEntries([...CHECK_OPTIONS, PROVIDER_CHECK].map((name) => [name, reader.record[name]]));
}

function readListedIssuer(
  reader: OptionReader,
  defaults: Readonly<Record<PropertyKey, unknown>>,
  allowHttp: boolean,
): ResolvedIssuer {
  reader.allowOnly(ISSUER_OPTIONS);
  return readIssuer(reader.withDefaults(defaults, [...ISSUER_OPTIONS, PROVIDER_CHECK], JOINED), allowHttp);
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

function resolverOf(
  resolver: IssuerResolver,
  defaults: Readonly<Record<PropertyKey, unknown>>,
  allowHttp: boolean,
): ResolvedIssuerResolver {
  const read = new WeakMap<object, ResolvedIssuer>();
  return async (issuer) => {
    const options: unknown = await resolver(issuer);
    if (options === undefined || options === null || options === false) return undefined;
    const known = isJsonObject(options) ? read.get(options) : undefined;
    if (known?.issuer === issuer) return known;
    const reader = new OptionReader(options, 'issuers()');
    const resolved = readListedIssuer(reader, defaults, allowHttp);
    // An answer for another issuer would check one tenant's token against the keys of another.
    if (resolved.issuer !== issuer) reader.problem('issuer', 'must be the issuer that was asked for');
    reader.finish('The `issuers` function returned options that cannot be used');
    read.set(options, resolved);
    return resolved;
  };
}

function readRealm(reader: OptionReader): string | undefined {
  const realm = reader.optional('realm', 'string');
  if (realm !== undefined && !/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(realm)) {
    reader.problem('realm', 'must be printable ASCII without quotation marks and backslashes (it stands in a header)');
  }
  return realm;
}

function readConnections(reader: OptionReader): ResolvedOptions['connections'] {
  const connections = reader.optionalChild('connections');
  connections.allowOnly(['renewalGraceSeconds']);
  return Object.freeze({
    renewalGraceSeconds: connections.number('renewalGraceSeconds', { min: 0, max: 86_400, fallback: 0 }),
  });
}

function readWarmUp(reader: OptionReader): ResolvedOptions['warmUp'] {
  const { warmUp = 'off' } = reader.record;
  const known = WARM_UPS.find((name) => name === warmUp);
  if (known === undefined) reader.problem('warmUp', `must be ${WARM_UPS.map((name) => `'${name}'`).join(' or ')}`);
  return known ?? 'off';
}

function readKeyStore(reader: OptionReader): KeyStore | undefined {
  const { keyStore } = reader.record;
  if (keyStore === undefined) return undefined;
  const methods = (keyStore ?? {}) as Partial<Record<keyof KeyStore, unknown>>;
  if (typeof methods.load !== 'function' || typeof methods.save !== 'function') {
    reader.problem('keyStore', 'must have the methods load(issuer) and save(issuer, keys), as FileKeyStore has');
  }
  return keyStore as KeyStore;
}
