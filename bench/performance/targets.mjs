// Compares the figures with the performance targets of this package. Omits a target if this run did not measure its figure.

const atMost = (wanted) => ({ wanted: `at most ${wanted.toFixed(2)}×`, isMet: (value) => value <= wanted });
const atLeast = (wanted) => ({ wanted: `at least ${wanted.toFixed(2)}×`, isMet: (value) => value >= wanted });
const lessThan = (other) => ({
  wanted: ({ [other]: limit }) => `less than ${limit.toFixed(2)}×`,
  isMet: (value, { [other]: limit }) => value < limit,
});

const TARGETS = [
  ['fresh token, RS256, to the baseline', 'freshRS256', atMost(1.1)],
  ['fresh token, RS256, compared with fast-jwt without its cache', 'freshRS256', lessThan('fastJwtFreshRS256')],
  ['fresh token, RS256, compared with aws-jwt-verify', 'freshRS256', lessThan('awsJwtVerifyFreshRS256')],
  ['fresh token, ES256, to the baseline', 'freshES256', atMost(1.08)],
  ['fresh token, EdDSA, to the baseline', 'freshEdDSA', atMost(1.08)],
  ['repeated token, RS256, to the baseline', 'againRS256', atMost(0.09)],
  ['repeated token, RS256, compared with the cache of fast-jwt', 'againRS256', lessThan('fastJwtCacheRS256')],
  ['Nest on Express, CPU of a guard that returns true, to this guard', 'expressOverTrivialGuard', atLeast(0.95)],
  ['Nest on Fastify, CPU of a guard that returns true, to this guard', 'fastifyOverTrivialGuard', atLeast(0.88)],
  ['Nest on Express, fresh tokens, requests/s to passport-jwt and jwks-rsa', 'expressFreshToRecipe', atLeast(1.8)],
  ['200 issuers with 100 keys each, fresh tokens, to one issuer with one key', 'issuersAndKeysFresh', atMost(1.05)],
  ['the same, divided by the growth of the baseline', 'issuersAndKeysFreshOverFloor', atMost(1.05)],
  [
    '200 issuers with 100 keys each, repeated tokens, to one issuer with one key',
    'issuersAndKeysRepeated',
    atMost(1.05),
  ],
];

/** @param figures the figures of all parts by name. */
export function targetsOf(figures) {
  return TARGETS.filter(([, name]) => figures[name] !== undefined).map(([title, name, { wanted, isMet }]) => [
    title,
    typeof wanted === 'function' ? wanted(figures) : wanted,
    `${figures[name].toFixed(2)}×`,
    isMet(figures[name], figures) ? 'met' : 'not met',
  ]);
}
