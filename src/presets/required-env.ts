import { type Environment, EnvironmentReader } from './environment.js';

/** Names of environment variables, under the names that their values are wanted under; a list of them for a list. */
type VariableNames = Readonly<Record<string, string | readonly string[]>>;

type ValuesOf<Names extends VariableNames> = {
  readonly [Name in keyof Names]: Names[Name] extends string ? string : readonly string[];
};

/**
 * The values of environment variables that must be set, as arguments of a preset:
 *
 * ```ts
 * auth0(requiredEnv({ domain: 'AUTH0_DOMAIN', audience: 'AUTH_AUDIENCE' }))
 * google(requiredEnv({ audience: 'AUTH_AUDIENCE', emails: ['CALLER_EMAIL'] }))
 * ```
 *
 * They are read when this is called: call it in `useFactory`. One that is set but empty counts as not set. A value that begins with
 * `<` is a placeholder, and is refused; so is one in quotation marks, which `docker run --env-file` leaves in it. Lists in one variable
 * are not taken apart.
 *
 * @param names under the name of an argument that of the variable, or a list of such names.
 * @param env the variables; default `process.env`.
 * @throws ConfigurationError that names every variable that is not set or cannot be used, and how a `.env` file is loaded.
 */
export function requiredEnv<const Names extends VariableNames>(
  names: Names,
  // eslint-disable-next-line no-restricted-properties -- reading it is what this function is for, and only when it is called
  env: Environment = process.env,
): ValuesOf<Names> {
  const reader = new EnvironmentReader(env, Object.values(names).flat());
  const values = Object.entries(names).map(([argument, name]) => [
    argument,
    typeof name === 'string' ? reader.required(name) : name.map((one) => reader.required(one)),
  ]);
  reader.finish('Environment variables are not as they must be');
  return Object.fromEntries(values) as ValuesOf<Names>;
}
