import { ALGORITHM_NAMES } from '../keys/algorithms.js';
import * as options from './options.js';
import { fromBearerHeader } from './token-places.js';

type Defaults<Options> = Readonly<Record<keyof Options, unknown>>;

// Each table also lists the known names of its group. Undefined means that the option has no default.

export const REMOTE_KEY_DEFAULTS = Object.freeze({
  refreshSeconds: 600,
  maxStaleSeconds: 86_400,
  unknownKidCooldownSeconds: 30,
  timeoutMs: 5_000,
  maxBytes: 512 * 1024,
  fallback: undefined,
}) satisfies Defaults<options.RemoteKeyOptions>;

export const CHECK_DEFAULTS = Object.freeze({
  algorithms: ALGORITHM_NAMES,
  tokenTypes: Object.freeze(['at+jwt', 'JWT', undefined]),
  clockToleranceSeconds: 5,
  requiredClaims: Object.freeze([]),
  maxTokenAgeSeconds: undefined,
  validate: undefined,
  claimPaths: Object.freeze({ scopes: ['scope', 'scp'], roles: ['roles'], permissions: ['permissions'] }),
  reportOnly: Object.freeze([]),
  [options.PROVIDER_CHECK]: undefined,
}) satisfies Defaults<options.CheckOptions>;

export const ISSUER_DEFAULTS = Object.freeze({
  issuer: undefined,
  audience: undefined,
  audienceClaim: 'aud',
  keys: Object.freeze({ from: 'discovery' }),
  ...CHECK_DEFAULTS,
}) satisfies Defaults<options.IssuerOptions>;

export const EXTRA_DEFAULTS = Object.freeze({
  guard: 'global',
  strategy: undefined,
  isGlobal: true,
}) satisfies Defaults<options.ModuleExtras>;

/** All options of `AuthModule.forRoot` with their defaults. */
export const DEFAULTS = Object.freeze({
  ...ISSUER_DEFAULTS,
  issuers: undefined,
  user: undefined,
  realm: undefined,
  tokenFrom: Object.freeze([fromBearerHeader()]),
  require: undefined,
  connections: Object.freeze({ renewalGraceSeconds: 0 }),
  explainRefusals: false,
  openTelemetry: false,
  warmUp: 'off',
  keyStore: undefined,
  tokenCache: Object.freeze({ maxEntries: 10_000, maxAgeSeconds: 300 }),
  fetch: undefined,
  // Tests may replace `Date.now` later.
  clock: () => Date.now(),
  insecureAllowHttp: false,
  ...EXTRA_DEFAULTS,
}) satisfies Defaults<options.ModuleOptions>;
