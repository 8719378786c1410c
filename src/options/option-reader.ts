import { ConfigurationError, type ConfigurationProblem } from '../model/errors.js';
import { isJsonObject } from '../model/json-object.js';
import { problemOfPlaceholder } from './placeholder.js';

interface Kinds {
  boolean: boolean;
  string: string;
  function: (...parameters: never[]) => unknown;
}

const UNSET = /^(?:https?:\/\/)?(?:undefined|null|NaN)(?:[:/]|$)/;

/** Reads one object of the options and gathers what is wrong with it, with the path to each place. */
export class OptionReader {
  readonly record: Readonly<Record<PropertyKey, unknown>>;

  constructor(
    value: unknown,
    private readonly path = '',
    private readonly problems: ConfigurationProblem[] = [],
  ) {
    if (isJsonObject(value)) {
      this.record = value;
    } else {
      this.record = {};
      this.problems.push({ path, message: 'must be an object' });
    }
  }

  child(value: unknown, name: string): OptionReader {
    return new OptionReader(value, this.pathTo(name), this.problems);
  }

  optionalChild(name: string, fallback: object = {}): OptionReader {
    const { [name]: value = fallback } = this.record;
    return this.child(value, name);
  }

  /**
   * The same place, where what is not set there is taken from `defaults`.
   * @param joined what is made of a value there and a default, for what is not to be replaced.
   */
  withDefaults(
    defaults: Readonly<Record<PropertyKey, unknown>>,
    names: readonly PropertyKey[],
    joined: Readonly<Record<PropertyKey, (own: unknown, fallback: unknown) => unknown>> = {},
  ): OptionReader {
    const read = (name: PropertyKey) => {
      // By name: in an object of a class, members that its prototype has count as well as its own.
      const { [name]: own } = this.record;
      const { [name]: fallback } = defaults;
      if (own === undefined) return fallback;
      return fallback === undefined ? own : (joined[name]?.(own, fallback) ?? own);
    };
    return new OptionReader(Object.fromEntries(names.map((name) => [name, read(name)])), this.path, this.problems);
  }

  problem(name: string, message: string): void {
    this.problems.push({ path: this.pathTo(name), message });
  }

  get problemCount(): number {
    return this.problems.length;
  }

  /** A name that nobody reads is a check that the user believes in and that does not happen. */
  allowOnly(names: readonly string[]): void {
    for (const name of Object.keys(this.record)) {
      if (!names.includes(name)) this.problem(name, `is not an option; there are ${names.join(', ')}`);
    }
  }

  optional<Kind extends keyof Kinds>(name: string, kind: Kind): Kinds[Kind] | undefined {
    const value = this.record[name];
    if (value === undefined || typeof value === kind) return value as Kinds[Kind] | undefined;
    this.problem(name, `must be a ${kind}`);
    return undefined;
  }

  requiredString(name: string, meaning: string): string {
    const value = this.record[name];
    if (typeof value === 'string' && value.trim() !== '') {
      this.checkText(name, value);
      return value;
    }
    const got = value === undefined || value === '' || value === null ? 'is missing' : 'must be a string';
    this.problem(name, `${got}: ${meaning}`);
    return '';
  }

  stringList(name: string, { nonEmpty = false } = {}): readonly string[] | undefined {
    const value = this.record[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || (nonEmpty && value.length === 0)) {
      this.problem(name, `must be a ${nonEmpty ? 'non-empty ' : ''}list of strings`);
      return [];
    }
    const items: unknown[] = Array.from(value);
    items.forEach((item, index) => {
      const place = `${name}[${String(index)}]`;
      if (typeof item === 'string' && item.trim() !== '') this.checkText(place, item);
      else this.problem(place, 'must be a non-empty string');
    });
    return Object.freeze(items as string[]);
  }

  /** What a variable that was not set, or was read with its line end, makes of a text: it would match no token. */
  private checkText(name: string, value: string): void {
    if (value !== value.trim()) this.problem(name, 'must not begin or end with white space');
    if (UNSET.test(value)) this.problem(name, `is ${JSON.stringify(value)}: a variable is not set`);
    const placeholder = problemOfPlaceholder(value);
    if (placeholder !== undefined) this.problem(name, placeholder);
  }

  number(name: string, { min, max, fallback }: { min: number; max: number; fallback: number }): number {
    const { [name]: value = fallback } = this.record;
    if (typeof value === 'number' && value >= min && value <= max) return value;
    this.problem(name, `must be a number from ${String(min)} to ${String(max)}`);
    return fallback;
  }

  integer(name: string, limits: { min: number; max: number; fallback: number }): number {
    const before = this.problemCount;
    const value = this.number(name, limits);
    if (Number.isInteger(value)) return value;
    if (this.problemCount === before) this.problem(name, 'must be a whole number');
    return limits.fallback;
  }

  /** @throws ConfigurationError when there is any problem. */
  finish(summary?: string): void {
    if (this.problems.length > 0) throw new ConfigurationError(Object.freeze([...this.problems]), summary);
  }

  private pathTo(name: string): string {
    if (name === '') return this.path;
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}
