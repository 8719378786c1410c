import { OptionReader } from '../options/option-reader.js';
import { problemOfUnsetValue } from '../options/unset-value.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const NOT_LOADED =
  'Nothing reads a .env file by itself: `nest start --env-file .env` does, `node --env-file=.env dist/main.js`, or ConfigModule';

/** Reads environment variables, and gathers what is wrong with them, each under its name. */
export class EnvironmentReader extends OptionReader {
  private hasUnset = false;

  constructor(env: Environment, names: readonly string[]) {
    super(Object.fromEntries(names.map((name) => [name, env[name]])));
  }

  isUnset(name: string): boolean {
    const { [name]: value } = this.record;
    return typeof value !== 'string' || value.trim() === '';
  }

  /** The value of a variable that must be set; `''` when it is not usable, which was noted then. */
  required(name: string, meaning?: string): string {
    if (this.isUnset(name)) {
      this.missing(name, meaning);
      return '';
    }
    return this.isUsable(name) ? this.requiredString(name, '') : '';
  }

  /** What stands between commas and white space; nothing when it is not usable, which was noted then. */
  list(name: string): readonly string[] {
    if (this.isUnset(name) || !this.isUsable(name)) return [];
    return String(this.record[name])
      .split(/[\s,]+/)
      .filter((item) => item !== '');
  }

  missing(name: string, meaning?: string): void {
    this.hasUnset = true;
    this.problem(name, meaning === undefined ? 'is not set' : `is missing: ${meaning}`);
  }

  /** @throws ConfigurationError when there is any problem. */
  override finish(summary: string): void {
    super.finish(this.hasUnset ? `${summary}. ${NOT_LOADED}` : summary);
  }

  private isUsable(name: string): boolean {
    const value = String(this.record[name]);
    const problem = problemOfUnsetValue(value);
    if (problem !== undefined) this.problem(name, problem);
    return problem === undefined;
  }
}
