import { describeValue } from '../model/unknown-value.js';
import { ConfigurationError, type ConfigurationProblem } from '../model/errors.js';
import { isJsonObject } from '../model/unknown-value.js';
import { unknownProperties } from './unknown-properties.js';
import { problemOfUnsetValue } from './unset-value.js';

export type OptionRecord = Readonly<Record<PropertyKey, unknown>>;

interface Kinds {
  boolean: boolean;
  string: string;
  function: (...parameters: never[]) => unknown;
}

/** Reads one object of options and collects every problem with its path. */
export class OptionReader {
  readonly record: OptionRecord;

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
    const { [name]: value = {} } = this.record;
    return this.child(value, name);
  }

  /**
   * Returns a reader of the same object with a default for each option that is not set. Other names are problems.
   * @param join combines the value and the default of an option for which both apply.
   */
  withDefaults(
    defaults: OptionRecord,
    join: Readonly<Record<PropertyKey, (own: unknown, fallback: unknown) => unknown>> = {},
  ): OptionReader {
    this.allowOnly(Object.keys(defaults));
    const entries = Reflect.ownKeys(defaults).map((name) => {
      // Read by name: getters and methods of a class are on the prototype.
      const { [name]: own } = this.record;
      const { [name]: fallback } = defaults;
      if (own === undefined || fallback === undefined) return [name, own === undefined ? fallback : own] as const;
      return [name, join[name]?.(own, fallback) ?? own] as const;
    });
    return new OptionReader(Object.fromEntries(entries), this.path, this.problems);
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

  allowOnly(names: readonly string[]): void {
    for (const { path, message } of unknownProperties(this.record, names)) this.problem(path, message);
  }

  has(name: string): boolean {
    return this.record[name] !== undefined;
  }

  optional<Kind extends keyof Kinds>(name: string, kind: Kind): Kinds[Kind] | undefined {
    if (!this.has(name)) return undefined;
    const value = this.record[name];
    if (typeof value === kind) return value as Kinds[Kind];
    this.invalid(name, `Set it to ${kind === 'boolean' ? 'true or false' : `a ${kind}`}.`);
    return undefined;
  }

  flag(name: string): boolean {
    return this.optional(name, 'boolean') === true;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const value = values.find((candidate) => candidate === this.record[name]);
    if (value === undefined) this.invalid(name, `Set it to ${values.map((known) => `'${known}'`).join(' or ')}.`);
    return value;
  }

  /**
   * @param meaning of the value, for example "the identifier of this API".
   * @returns '' after a problem.
   */
  requiredString(name: string, meaning: string): string {
    const value = this.record[name];
    if (typeof value === 'string' && value.trim() !== '') return this.isUsableText(name, value) ? value : '';
    const isMissing = value === undefined || value === null || value === '';
    this.problem(name, `is ${isMissing ? 'missing' : describeValue(value)}. Set it to ${meaning}.`);
    return '';
  }

  /** Reads a string or a non-empty list of strings. Returns an empty list after a problem. */
  oneOrMore(name: string, meaning: string): readonly string[] {
    const before = this.problemCount;
    const value = this.record[name];
    const list = Array.isArray(value)
      ? this.stringList(name, { nonEmpty: true })
      : [this.requiredString(name, meaning)];
    return Object.freeze(this.problemCount === before ? (list ?? []) : []);
  }

  /** Returns the items of a list with holes as undefined; no items after a problem; undefined if the option is not set. */
  items(name: string, content: string, { nonEmpty = false } = {}): readonly unknown[] | undefined {
    const value = this.record[name];
    if (value === undefined) return undefined;
    if (Array.isArray(value) && (value.length > 0 || !nonEmpty)) return Array.from<unknown>(value);
    this.invalid(name, `Set it to a ${nonEmpty ? 'non-empty ' : ''}list of ${content}.`);
    return [];
  }

  stringList(name: string, { nonEmpty = false } = {}): readonly string[] | undefined {
    const items = this.items(name, 'strings', { nonEmpty });
    items?.forEach((item, index) => {
      const place = `${name}[${String(index)}]`;
      if (typeof item === 'string' && item.trim() !== '') this.isUsableText(place, item);
      else this.invalid(place, 'Set it to a non-empty string.', item);
    });
    return items && Object.freeze(items as readonly string[]);
  }

  private isUsableText(name: string, value: string): boolean {
    const problem = problemOfUnsetValue(value);
    if (problem !== undefined) this.problem(name, problem);
    else if (value !== value.trim()) this.invalid(name, 'Remove the white space at its beginning and end.', value);
    return problem === undefined && value === value.trim();
  }

  /** Returns `min` after a problem. */
  number(name: string, min: number, max: number): number {
    const value = this.record[name];
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
