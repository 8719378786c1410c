import { isFetchableAddress } from '../model/address.js';
import { ConfigurationError, type ConfigurationProblem } from '../model/errors.js';
import { type AuthorityKind, problemOfNames } from '../model/requirement.js';
import { describeValue, isJsonObject, ownMembers } from '../model/unknown-value.js';

export const HTTP_RULE = 'http is accepted for loopback only, or with insecureAllowHttp: true in a closed network';

const ADDRESS_FIX = `Set it to an https address without credentials or fragment (${HTTP_RULE}).`;

export type OptionRecord = Readonly<Record<PropertyKey, unknown>>;

interface ItemRules<Item> {
  readonly nonEmpty?: boolean;
  readonly isItem: (item: unknown) => item is Item;
  readonly fix: (item: unknown) => string;
}

/** Reads one object of options, or an instance of a class, and collects every problem with its path. */
export class OptionReader {
  readonly record: OptionRecord;
  private readonly known = new Set<string>();

  constructor(
    value: unknown,
    private readonly path = '',
    private readonly problems: ConfigurationProblem[] = [],
  ) {
    if (!isJsonObject(value)) this.problem('', `is ${describeValue(value)}. Set it to an object.`);
    this.record = ownMembers(isJsonObject(value) ? value : {});
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
    if (address !== '' && !isFetchableAddress(address, allowHttp)) this.invalid(name, ADDRESS_FIX);
    return address;
  }

  addresses(name: string, meaning: string, allowHttp: boolean): readonly string[] {
    if (!Array.isArray(this.value(name))) return Object.freeze([this.address(name, meaning, allowHttp)]);
    const list = this.oneOrMore(name, meaning);
    list.forEach((address, index) => {
      if (!isFetchableAddress(address, allowHttp)) this.invalid(`${name}[${String(index)}]`, ADDRESS_FIX, address);
    });
    return list;
  }

  /** Reads a string or a non-empty list of strings. Returns an empty list after a problem. */
  oneOrMore(name: string, meaning: string): readonly string[] {
    const before = this.problemCount;
    const list = Array.isArray(this.value(name))
      ? this.stringList(name, { nonEmpty: true })
      : [this.requiredString(name, meaning)];
    return Object.freeze(this.problemCount === before ? list : []);
  }

  stringList(name: string, { nonEmpty = false } = {}): readonly string[] {
    return this.items(name, 'strings', { nonEmpty, isItem: isUsableText, fix: fixOfText });
  }

  /** Reads the names of a requirement. Returns undefined if the option is not set. */
  names(name: string, kind: AuthorityKind | 'acr', { nonEmpty = false } = {}): readonly string[] | undefined {
    if (!this.has(name)) return undefined;
    const before = this.problemCount;
    const names = this.stringList(name, { nonEmpty });
    const problem = names.length > 0 && this.problemCount === before ? problemOfNames(kind, names) : undefined;
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

// JavaScript writes an unset variable as `undefined`: `https://${process.env.HOST}/realms/shop`.
const UNSET_PART = /(?:^|[./:@\s])(?:undefined|null|NaN)(?:$|[./:\s])/;
// A shell replaces it with nothing: `https:///realms/shop`, `https://.example.com`, `api://`.
const EMPTY_PART = /^https?:$|^[a-z][\w+.-]*:\/+$|^https?:\/\/(?:[/.]|:\d*(?:\/|$))/i;
// `docker run --env-file` keeps the quotation marks of the file.
const QUOTED = /^\s*(["']).*\1\s*$/s;

/**
 * Returns what to write instead of a text from a variable that is not set or was read incorrectly, or of a placeholder such as
 * `<your audience>`: it would match no token. Returns undefined if the text is neither.
 */
export function fixOfUnsetValue(value: string): string | undefined {
  if (value.startsWith('<')) return 'Replace this placeholder with the value.';
  if (QUOTED.test(value)) return 'Remove the quotation marks (`docker run --env-file` keeps them).';
  const isUnset = value.trim() === '' || UNSET_PART.test(value) || EMPTY_PART.test(value);
  return isUnset ? 'Set the variable that it comes from.' : undefined;
}

/** Whether the text can be compared with values of tokens. */
export function isUsableText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value === value.trim() && fixOfUnsetValue(value) === undefined;
}

/** Returns what to write instead of a value that is not a usable text. */
export function fixOfText(value: unknown, fix = 'Set it to a non-empty string.'): string {
  if (typeof value !== 'string' || value.trim() === '') return fix;
  return fixOfUnsetValue(value) ?? 'Remove the white space at its beginning and end.';
}

/** Returns the known name with the fewest edits. A shortened name (`maxTokenAge`) matches too. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length < 3) return undefined;
  const wrong = name.toLowerCase();
  const edits = known.map((candidate) => {
    const right = candidate.toLowerCase();
    return Math.min(editDistance(wrong, right), editDistance(wrong, right.slice(0, wrong.length)));
  });
  const least = Math.min(...edits);
  return least <= Math.floor(wrong.length / 3) ? known[edits.indexOf(least)] : undefined;
}

/** The Levenshtein distance: insertions, deletions and replacements of one character. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  Array.from(from).forEach((character, line) => {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (to[column - 1] === character ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  });
  return row[to.length] ?? 0;
}
