import { OptionReader } from '../options/option-reader.js';
import { problemOfUnsetValue } from '../options/unset-value.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const LOAD_ENV_FILE =
  'A .env file is not loaded automatically. Use `nest start --env-file .env`, `node --env-file=.env dist/main.js` or ConfigModule';

/** Reads environment variables and collects the problems under the variables' names. A variable that is empty counts as unset. */
export class EnvironmentReader extends OptionReader {
  private hasUnset = false;

  constructor(env: Environment, names: readonly string[]) {
    super(Object.fromEntries(names.map((name) => [name, env[name]])));
  }

  isUnset(name: string): boolean {
    const { [name]: value } = this.record;
    return typeof value !== 'string' || value.trim() === '';
  }

  /** Returns `''` after recording a problem. */
  required(name: string, meaning?: string): string {
    if (this.isUnset(name)) {
      this.missing(name, meaning);
      return '';
    }
    return this.isUsable(name) ? this.requiredString(name, '') : '';
  }

  /** Splits the value at commas and white space. Returns an empty list after recording a problem. */
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

  /** @throws ConfigurationError if there is any problem */
  override finish(summary: string): void {
    super.finish(this.hasUnset ? `${summary}. ${LOAD_ENV_FILE}` : summary);
  }

  private isUsable(name: string): boolean {
    const problem = problemOfUnsetValue(String(this.record[name]));
    if (problem !== undefined) this.problem(name, problem);
    return problem === undefined;
  }
}
