import { type Environment, EnvironmentReader } from './environment-reader.js';

/** Names of environment variables by option. A list of names makes a list of values. */
type VariableNames = Readonly<Record<string, string | readonly string[]>>;

type ValuesOf<Names extends VariableNames> = {
  readonly [Name in keyof Names]: Names[Name] extends string ? string : readonly string[];
};

/**
 * Reads required environment variables as options of a preset:
 *
 * ```ts
 * auth0(requiredEnv({ domain: 'AUTH0_DOMAIN', audience: 'AUTH_AUDIENCE' }))
 * google(requiredEnv({ audience: 'AUTH_AUDIENCE', emails: ['CALLER_EMAIL'] }))
 * ```
 *
 * The variables are read when this function is called, so call it in `useFactory`, after the `.env` file was loaded. An empty value, a
 * placeholder (`<…>`) and a value in quotation marks are rejected. A value is not split into a list.
 * @param env the variables; default `process.env`
 * @throws ConfigurationError with all variables that are unset or invalid, and with the ways to load a `.env` file
 */
export function requiredEnv<const Names extends VariableNames>(
  names: Names,
  // eslint-disable-next-line no-restricted-properties -- read only when the application calls this function
  env: Environment = process.env,
): ValuesOf<Names> {
  const reader = new EnvironmentReader(env, Object.values(names).flat());
  const values = Object.entries(names).map(([option, name]) => {
    const read = (item: string) => reader.requiredString(item, `the value of \`${option}\``);
    return [option, typeof name === 'string' ? read(name) : name.map(read)];
  });
  reader.finish('Environment variables are missing or invalid');
  return Object.fromEntries(values) as ValuesOf<Names>;
}
