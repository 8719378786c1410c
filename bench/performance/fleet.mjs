// What a fleet costs, worked out of what one process was measured to cost: cores for 100,000 requests a second.

const REQUESTS_PER_SECOND = 100_000;
const HIT_RATIOS = [0, 0.5, 0.9, 0.99];
const OURS = 'nestjs-resource-server';
const RECIPE = 'passport-jwt and jwks-rsa';

/** @param results of the parts `verification` and `http`. */
export function fleetTable({ verification, http }) {
  const results = verification.algorithms.RS256;
  const cores = (microseconds) => ((microseconds * REQUESTS_PER_SECOND) / 1_000_000).toFixed(1);
  const cpuOf = (group, name) => http.rows.find((row) => row.group === group && row.name === name).cpuMicroseconds;
  const guardOn = (group, name) => cpuOf(group, name) - cpuOf(group, 'unguarded');
  const columns = [
    {
      fresh: results[OURS].microseconds,
      again: results[`${OURS}, again`].microseconds,
      recipe: results[RECIPE].microseconds,
    },
    ...['Nest on Express', 'Nest on Fastify'].map((group) => ({
      fresh: guardOn(group, `${OURS}, fresh`),
      again: guardOn(group, OURS),
      recipe: guardOn(group, RECIPE),
    })),
  ];
  const rows = HIT_RATIOS.map((hits) => [
    `${String(hits * 100)} % of the tokens come again`,
    ...columns.map(({ fresh, again }) => cores(hits * again + (1 - hits) * fresh)),
  ]);
  return {
    caption: 'Cores for 100,000 requests a second, RS256, on top of what they cost unguarded',
    head: ['', 'verification alone', 'the guard on Express', 'the guard on Fastify'],
    rows: [...rows, [`${RECIPE}, always`, ...columns.map(({ recipe }) => cores(recipe))]],
  };
}
