// What this package wants to be, and whether it is. A figure that was not measured in this run is left out.

const atMost = (wanted) => ({ wanted: `at most ${wanted.toFixed(2)}×`, isMet: (value) => value <= wanted });
const atLeast = (wanted) => ({ wanted: `at least ${wanted.toFixed(2)}×`, isMet: (value) => value >= wanted });
const lessThan = (other) => ({
  wanted: ({ [other]: limit }) => `less than ${limit.toFixed(2)}×`,
  isMet: (value, { [other]: limit }) => value < limit,
});

const TARGETS = [
  ['a fresh token, RS256, to the floor', 'freshRS256', atMost(1.1)],
  ['… against fast-jwt without its cache', 'freshRS256', lessThan('fastJwtFreshRS256')],
  ['… against aws-jwt-verify', 'freshRS256', lessThan('awsJwtVerifyFreshRS256')],
  ['a fresh token, ES256, to the floor', 'freshES256', atMost(1.08)],
  ['a fresh token, EdDSA, to the floor', 'freshEdDSA', atMost(1.08)],
  ['a repeated token, to the RS256 floor', 'againRS256', atMost(0.09)],
  ['… against the cache of fast-jwt', 'againRS256', lessThan('fastJwtCacheRS256')],
  ['Nest on Express, CPU of a guard that returns true, to ours', 'expressOverTrivialGuard', atLeast(0.95)],
  ['Nest on Fastify, CPU of a guard that returns true, to ours', 'fastifyOverTrivialGuard', atLeast(0.88)],
  ['Nest on Express, fresh tokens, to passport-jwt and jwks-rsa', 'expressFreshToRecipe', atLeast(1.8)],
  ['200 issuers with 100 keys each, fresh tokens, to one with one', 'issuersAndKeysFresh', atMost(1.05)],
  ['… over what the floor itself grows by', 'issuersAndKeysFreshOverFloor', atMost(1.05)],
  ['200 issuers with 100 keys each, repeated tokens, to one with one', 'issuersAndKeysRepeated', atMost(1.05)],
];

/** @param figures of all parts together, by name. */
export function targetsOf(figures) {
  return TARGETS.filter(([, name]) => figures[name] !== undefined).map(([title, name, { wanted, isMet }]) => [
    title,
    typeof wanted === 'function' ? wanted(figures) : wanted,
    `${figures[name].toFixed(2)}×`,
    isMet(figures[name], figures) ? 'met' : 'not met',
  ]);
}
