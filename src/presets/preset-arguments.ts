import { OptionReader } from '../options/option-reader.js';
import { problemOfUnsetValue } from '../options/unset-value.js';

const LABEL = /^[a-z0-9-]{1,63}$/i;

/**
 * Reads what a preset was given, and gathers what is wrong with it. An argument that is there but undefined is wrong, too:
 * most of them narrow whom the preset accepts, and would do nothing, unseen, where a variable is not set.
 */
export class PresetArguments {
  private readonly reader: OptionReader;

  constructor(
    private readonly preset: string,
    given: unknown,
    names: readonly string[],
  ) {
    this.reader = new OptionReader(given, `${preset}()`);
    this.reader.allowOnly(names);
  }

  isGiven(name: string): boolean {
    return name in this.reader.record;
  }

  problem(name: string, message: string): void {
    this.reader.problem(name, message);
  }

  /** `''` when it is not usable, which was noted then. */
  text(name: string, meaning: string): string {
    const before = this.reader.problemCount;
    const value = this.reader.requiredString(name, meaning);
    if (this.reader.problemCount > before) return '';
    return this.isUsable(name, value) ? value : '';
  }

  optionalText(name: string, meaning: string): string | undefined {
    return this.isPresent(name) ? this.text(name, meaning) : undefined;
  }

  /** One, or a list of one and more. */
  texts(name: string, meaning: string): readonly string[] {
    const value = this.reader.record[name];
    if (!Array.isArray(value)) {
      const one = this.text(name, meaning);
      return one === '' ? [] : [one];
    }
    const before = this.reader.problemCount;
    const list = this.reader.stringList(name, { nonEmpty: true }) ?? [];
    if (this.reader.problemCount > before) return [];
    list.forEach((item, index) => this.isUsable(`${name}[${String(index)}]`, item));
    return this.reader.problemCount > before ? [] : list;
  }

  optionalTexts(name: string, meaning: string): readonly string[] | undefined {
    return this.isPresent(name) ? this.texts(name, meaning) : undefined;
  }

  optionalFunction(name: string): ((...parameters: never[]) => unknown) | undefined {
    return this.isPresent(name) ? this.reader.optional(name, 'function') : undefined;
  }

  flag(name: string): boolean {
    return this.isPresent(name) && this.reader.optional(name, 'boolean') === true;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[], fallback: Value): Value {
    if (!this.isPresent(name)) return fallback;
    const value = this.reader.record[name];
    const known = values.find((candidate) => candidate === value);
    if (known === undefined) this.problem(name, `must be ${values.map((candidate) => `'${candidate}'`).join(' or ')}`);
    return known ?? fallback;
  }

  /** A host alone, in lower case as the issuers write it. */
  host(name: string, example: string): string {
    const value = this.text(name, `the host of the issuer, '${example}' say`);
    if (value === '') return '';
    if (isHost(value)) return value.toLowerCase();
    const host = value.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '');
    const mend = isHost(host) ? host.toLowerCase() : example;
    this.problem(name, `must be a host alone, without a scheme and without a slash: write '${mend}'`);
    return '';
  }

  /** An address of http or https without its trailing slash: paths are put behind it. */
  address(name: string, example: string): string {
    const value = this.text(name, `the address, '${example}' say`);
    if (value === '') return '';
    const address = addressOf(value);
    if (address === undefined)
      this.problem(name, `must be an address without credentials, query and fragment: '${example}' say`);
    return address ?? '';
  }

  optionalAddress(name: string, example: string): string | undefined {
    return this.isPresent(name) ? this.address(name, example) : undefined;
  }

  /** @throws ConfigurationError when there is any problem. */
  finish(): void {
    this.reader.finish(`${this.preset}() was given arguments that cannot be used`);
  }

  private isUsable(place: string, value: string): boolean {
    const problem = problemOfUnsetValue(value);
    if (problem !== undefined) this.problem(place, problem);
    return problem === undefined;
  }

  private isPresent(name: string): boolean {
    if (!this.isGiven(name)) return false;
    if (this.reader.record[name] !== undefined) return true;
    this.problem(name, 'is undefined: set the variable that it comes from, or leave it out');
    return false;
  }
}

function isHost(text: string): boolean {
  const labels = text.split('.');
  return labels.length > 1 && labels.every((label) => LABEL.test(label));
}

function addressOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, pathname, search, hash, username, password } = new URL(text);
  if (!['https:', 'http:'].includes(protocol) || `${search}${hash}${username}${password}` !== '') return undefined;
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}
