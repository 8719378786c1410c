import { OptionReader } from '../options/option-reader.js';
import type { CheckOptions } from '../options/options.js';

const HOST_LABEL = /^[a-z0-9-]{1,63}$/i;

/** Returns what is wrong with a value, or undefined. */
export type ValueCheck = (value: string) => string | undefined;

/** @param message continues the option's name: "must be …" */
export function matching(pattern: RegExp, message: string): ValueCheck {
  return (value) => (pattern.test(value) ? undefined : message);
}

/**
 * Reads the options of a preset and collects the problems. An option that is present but undefined is a problem: most options
 * restrict which tokens are accepted, and an unset variable must not remove that restriction silently. An option that the preset
 * never reads is unknown.
 */
export class PresetArguments {
  private readonly reader: OptionReader;
  private readonly known = new Set<string>();

  constructor(
    private readonly preset: string,
    options: unknown,
  ) {
    this.reader = new OptionReader(options, `${preset}()`);
  }

  has(name: string): boolean {
    this.known.add(name);
    return name in this.reader.record;
  }

  /** Whether the first of two options is present that exclude each other. */
  hasInsteadOf(name: string, other: string): boolean {
    if (this.has(other) && this.has(name)) this.problem(other, `cannot be combined with \`${name}\``);
    return this.has(name);
  }

  problem(name: string, message: string): void {
    this.reader.problem(name, message);
  }

  /** Returns `''` after recording a problem. */
  text(name: string, meaning: string, check?: ValueCheck): string {
    this.known.add(name);
    const before = this.reader.problemCount;
    const value = this.reader.requiredString(name, meaning);
    return this.reader.problemCount === before && this.isValid(name, value, check) ? value : '';
  }

  optionalText(name: string, meaning: string, check?: ValueCheck): string | undefined {
    return this.isPresent(name) ? this.text(name, meaning, check) : undefined;
  }

  /** Reads a string or a non-empty list of strings. */
  texts(name: string, meaning: string, check?: ValueCheck): readonly string[] {
    const value = this.reader.record[name];
    if (!Array.isArray(value)) {
      const text = this.text(name, meaning, check);
      return text === '' ? [] : [text];
    }
    this.known.add(name);
    const before = this.reader.problemCount;
    const list = this.reader.stringList(name, { nonEmpty: true }) ?? [];
    if (this.reader.problemCount > before) return [];
    return list.filter((item, index) => this.isValid(`${name}[${String(index)}]`, item, check));
  }

  optionalTexts(name: string, meaning: string, check?: ValueCheck): readonly string[] | undefined {
    return this.isPresent(name) ? this.texts(name, meaning, check) : undefined;
  }

  flag(name: string): boolean {
    return this.isPresent(name) && this.reader.optional(name, 'boolean') === true;
  }

  validate(): CheckOptions['validate'] {
    if (!this.isPresent('validate')) return undefined;
    return this.reader.optional('validate', 'function') as CheckOptions['validate'];
  }

  oneOf<Value extends string>(name: string, values: readonly Value[], fallback: Value): Value {
    if (!this.isPresent(name)) return fallback;
    const value = values.find((candidate) => candidate === this.reader.record[name]);
    if (value === undefined) this.problem(name, `must be ${values.map((candidate) => `'${candidate}'`).join(' or ')}`);
    return value ?? fallback;
  }

  /** Reads a host name and returns it in lower case, as issuers write it. */
  host(name: string, example: string): string {
    return this.text(name, `the host of the issuer, for example '${example}'`, (value) => {
      if (isHost(value)) return undefined;
      const host = value.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '');
      return `must be a host without scheme and slash; write '${isHost(host) ? host.toLowerCase() : example}'`;
    }).toLowerCase();
  }

  /**
   * Reads an http or https URL and returns it without its trailing slash.
   *
   * @param appended the path that the preset appends, with which the URL must not end
   */
  url(name: string, example: string, appended?: string): string {
    const value = this.text(name, `a URL, for example '${example}'`, (text) => {
      const url = normalizeUrl(text);
      if (url === undefined)
        return `must be an http(s) URL without credentials, query and fragment, for example '${example}'`;
      return appended !== undefined && url.endsWith(appended)
        ? `must not contain ${appended}, which the preset appends`
        : undefined;
    });
    return normalizeUrl(value) ?? '';
  }

  optionalUrl(name: string, example: string): string | undefined {
    return this.isPresent(name) ? this.url(name, example) : undefined;
  }

  /** @throws ConfigurationError if there is any problem */
  finish(): void {
    this.reader.allowOnly([...this.known]);
    this.reader.finish(`The options of ${this.preset}() are invalid`);
  }

  private isValid(path: string, value: string, check: ValueCheck = () => undefined): boolean {
    const problem = check(value);
    if (problem !== undefined) this.problem(path, problem);
    return problem === undefined;
  }

  private isPresent(name: string): boolean {
    if (!this.has(name)) return false;
    if (this.reader.record[name] !== undefined) return true;
    this.problem(name, 'is undefined. Set the variable that it comes from, or omit the option');
    return false;
  }
}

function isHost(text: string): boolean {
  const labels = text.split('.');
  return labels.length > 1 && labels.every((label) => HOST_LABEL.test(label));
}

function normalizeUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, pathname, search, hash, username, password } = new URL(text);
  if (!['https:', 'http:'].includes(protocol) || `${search}${hash}${username}${password}` !== '') return undefined;
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}
