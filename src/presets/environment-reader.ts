import { OptionReader } from '../options/option-reader.js';
import { fixOfUnsetValue } from '../options/usable-text.js';

export type Environment = Readonly<Record<string, string | undefined>>;

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
    const unset = [text, ...items].find((item) => fixOfUnsetValue(item) !== undefined);
    if (unset === undefined) return items;
    this.invalid(name, fixOfUnsetValue(unset) ?? '', unset);
    return [];
  }

  /** @throws ConfigurationError if there is any problem. */
  override finish(summary: string): void {
    super.finish(this.hasUnset ? `${summary}. ${LOAD_ENV_FILE}` : summary);
  }
}
