import { isFetchableAddress } from '../model/address.js';
import { ConfigurationError, type ConfigurationProblem } from '../model/errors.js';
import { type AuthorityKind, problemOfNames } from '../model/requirement.js';
import { describeValue, isJsonObject } from '../model/unknown-value.js';
import { nearestName } from './nearest-name.js';
import { fixOfText, isUsableText } from './usable-text.js';

export const HTTP_RULE = 'http is accepted for loopback only, or with insecureAllowHttp: true in a closed network';

export type OptionRecord = Readonly<Record<PropertyKey, unknown>>;

interface ItemRules<Item> {
  readonly nonEmpty?: boolean;
  readonly isItem: (item: unknown) => item is Item;
  readonly fix: (item: unknown) => string;
}

/** Reads one object of options and collects every problem with its path. */
export class OptionReader {
  readonly record: OptionRecord;
  private readonly known = new Set<string>();

  constructor(
    value: unknown,
    private readonly path = '',
    private readonly problems: ConfigurationProblem[] = [],
  ) {
    if (!isJsonObject(value)) this.problem('', `is ${describeValue(value)}. Set it to an object.`);
    this.record = isJsonObject(value) ? value : {};
  }

  child(value: unknown, name: string): OptionReader {
    return new OptionReader(value, this.pathTo(name), this.problems);
  }

  optionalChild(name: string): OptionReader {
    return this.child(this.has(name) ? this.value(name) : {}, name);
  }

  problem(name: string, message: string): void {
    this.problems.push({ path: this.pathTo(name), message });
  }

  /** Reports the value that was given, and what to write. */
  invalid(name: string, fix: string, value: unknown = this.record[name]): void {
    this.problem(name, `is ${describeValue(value)}. ${fix}`);
  }

  get problemCount(): number {
    return this.problems.length;
  }

  /** Returns the value of an option, which is known from then on. */
  value(name: string): unknown {
    this.known.add(name);
    return this.record[name];
  }

  /**
   * A misspelled option would have no effect: a check that the developer relies on would not be made.
   * @param names Default: the options that were read before this call.
   */
  allowOnly(names: readonly string[] = [...this.known]): void {
    for (const name of Object.keys(this.record).filter((each) => !names.includes(each))) {
      const near = nearestName(name, names);
      this.problem(name, `is unknown. ${near ? `Did you mean \`${near}\`?` : `Use one of ${names.join(', ')}.`}`);
    }
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  flag(name: string): boolean {
    const value = this.has(name) ? this.value(name) : false;
    if (typeof value !== 'boolean') this.invalid(name, 'Set it to true or false.');
    return value === true;
  }

  callback(name: string): unknown {
    const value = this.value(name);
    if (this.has(name) && typeof value !== 'function') this.invalid(name, 'Set it to a function.');
    return value;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const value = values.find((candidate) => candidate === this.value(name));
    if (value === undefined) this.invalid(name, `Set it to ${values.map((known) => `'${known}'`).join(' or ')}.`);
    return value;
  }

  /**
   * @param meaning of the value, for example "the identifier of this API".
   * @returns '' after a problem.
   */
  requiredString(name: string, meaning: string): string {
    const value = this.value(name);
    if (isUsableText(value)) return value;
    if (value === undefined || value === null || value === '') this.problem(name, `is missing. Set it to ${meaning}.`);
    else this.invalid(name, fixOfText(value, `Set it to ${meaning}.`));
    return '';
  }

  address(name: string, meaning: string, allowHttp: boolean): string {
    const address = this.requiredString(name, meaning);
    if (address !== '' && !isFetchableAddress(address, allowHttp))
      this.invalid(name, `Set it to an https address without credentials or fragment (${HTTP_RULE}).`);
    return address;
  }

  /** Reads a string or a non-empty list of strings. Returns an empty list after a problem. */
  oneOrMore(name: string, meaning: string): readonly string[] {
    const before = this.problemCount;
    const list = Array.isArray(this.value(name))
      ? this.stringList(name, { nonEmpty: true })
      : [this.requiredString(name, meaning)];
    return Object.freeze(this.problemCount === before ? (list ?? []) : []);
  }

  /** Returns undefined if the option is not set. */
  stringList(name: string, { nonEmpty = false } = {}): readonly string[] | undefined {
    if (!this.has(name)) return undefined;
    return this.items(name, 'strings', { nonEmpty, isItem: isUsableText, fix: fixOfText });
  }

  /** Reads the names of a requirement. Returns undefined if the option is not set. */
  names(name: string, kind: AuthorityKind | 'acr', { nonEmpty = false } = {}): readonly string[] | undefined {
    const before = this.problemCount;
    const names = this.stringList(name, { nonEmpty });
    const problem = names?.length && this.problemCount === before ? problemOfNames(kind, names) : undefined;
    if (problem !== undefined) this.problem(name, problem);
    return names;
  }

  /** Reads a list. A hole is an item that is undefined. */
  items<Item>(name: string, content: string, { nonEmpty = false, isItem, fix }: ItemRules<Item>): readonly Item[] {
    const value = this.value(name);
    const items: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [];
    if (!Array.isArray(value) || (nonEmpty && items.length === 0))
      this.invalid(name, `Set it to a ${nonEmpty ? 'non-empty ' : ''}list of ${content}.`);
    items.forEach((item, index) => {
      if (!isItem(item)) this.invalid(`${name}[${String(index)}]`, fix(item), item);
    });
    return Object.freeze(items as readonly Item[]);
  }

  /** Returns `min` after a problem. */
  number(name: string, min: number, max: number): number {
    const value = this.value(name);
    if (typeof value === 'number' && value >= min && value <= max) return value;
    this.invalid(name, `Set it to a number from ${String(min)} to ${String(max)}.`);
    return min;
  }

  /** @throws ConfigurationError if there is any problem. */
  finish(summary?: string): void {
    if (this.problems.length > 0) throw new ConfigurationError(Object.freeze([...this.problems]), summary);
  }

  private pathTo(name: string): string {
    if (name === '') return this.path;
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}
