import { OptionReader } from '../options/option-reader.js';
import { problemOfUnsetValue } from '../options/unset-value.js';

export type Environment = Readonly<Record<string, string | undefined>>;

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

const LOAD_ENV_FILE =
  'A .env file is not loaded automatically. Use `nest start --env-file .env`, `node --env-file=.env dist/main.js` or ConfigModule';

/** Reads environment variables. A variable counts as unset if it has only white space and commas. */
export class EnvironmentReader extends OptionReader {
  private hasUnset = false;

  constructor(env: Environment, names: readonly string[]) {
    super(Object.fromEntries(names.map((name) => [name, /^[\s,]*$/.test(env[name] ?? '') ? undefined : env[name]])));
  }

  override requiredString(name: string, meaning: string): string {
    this.hasUnset ||= !this.has(name);
    return super.requiredString(name, meaning);
  }

  /** Splits the value at commas and white space. Returns an empty list if the variable is not set, and after a problem. */
  list(name: string): readonly string[] {
    if (!this.has(name)) return [];
    const text = String(this.record[name]);
    const items = text.split(/[\s,]+/).filter((item) => item !== '');
    // Quotation marks and the brackets of a placeholder enclose the whole value.
    const problem = [text, ...items].map(problemOfUnsetValue).find((found) => found !== undefined);
    if (problem === undefined) return items;
    this.problem(name, problem);
    return [];
  }

  /** @throws ConfigurationError if there is any problem. */
  override finish(summary: string): void {
    super.finish(this.hasUnset ? `${summary}. ${LOAD_ENV_FILE}` : summary);
  }
}
