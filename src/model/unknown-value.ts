import { shortened } from './printable-text.js';

/** An object as JSON has them: no list, no null. */
export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of an object, without those that every object inherits. */
export type OwnMembers<Value = object> = { readonly [Name in keyof Value]: Value[Name] } & Readonly<
  Record<PropertyKey, unknown>
>;

/**
 * Returns a view of the members of an object and of its classes, without those of `Object.prototype`: a vulnerable dependency may
 * let a client add members there, which would count as options. A getter is called when its member is read.
 */
export function ownMembers<Value extends object>(object: Value): OwnMembers<Value> {
  const members = Object.create(null) as Record<PropertyKey, unknown>;
  let holder: object | null = object;
  while (holder !== null && holder !== Object.prototype) {
    for (const name of Reflect.ownKeys(holder)) {
      if (name in members) continue;
      // `Object.keys` lists the same members as for the object itself, without the methods of a class.
      const enumerable = holder === object && Object.prototype.propertyIsEnumerable.call(object, name);
      Object.defineProperty(members, name, { get: () => Reflect.get(object, name), enumerable });
    }
    holder = Reflect.getPrototypeOf(holder);
  }
  return members as OwnMembers<Value>;
}

// Deeper than any real token or document, and far less than what overflows the stack.
const MAX_DEPTH = 64;

/**
 * Parses JSON text and freezes it deeply, so that application code cannot change what was verified, for this request or for another
 * that uses the same value. The objects inherit the methods of `Object.prototype`, and no member that a vulnerable dependency lets a
 * client add to it: otherwise that member would be a claim of every token. Members named `__proto__`, `constructor` or
 * `prototype` are removed at any depth, because copying them would change the prototype of an object.
 *
 * If a member occurs twice, the last one counts, as RFC 7519 §4 allows. The signature of a token covers the bytes, so that there is only
 * one reading of them.
 * @throws SyntaxError, whose message quotes the text; RangeError if it is nested deeper than 64 levels
 */
export function parseJson(text: string): unknown {
  return isolate(JSON.parse(text), 0);
}

function isolate(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw new RangeError('nested too deep');
  if (Array.isArray(value)) return Object.freeze(value.map((item) => isolate(item, depth + 1)));
  // A copy, because to set the prototype of an object costs more.
  const copy = Object.create(PROTOTYPE) as JsonObject;
  for (const name of Object.keys(value)) {
    if (name === '__proto__' || name === 'constructor' || name === 'prototype') continue;
    copy[name] = isolate((value as JsonObject)[name], depth + 1);
  }
  return Object.freeze(copy);
}

const METHODS = ['hasOwnProperty', 'isPrototypeOf', 'propertyIsEnumerable', 'toLocaleString', 'toString', 'valueOf'];
// Without the accessor `__proto__`, which some applications remove from Node. Sealed and not frozen: the copies may have members of
// these names.
const PROTOTYPE: object = Object.seal(
  Object.defineProperties<object>(
    Object.create(null) as object,
    Object.fromEntries(
      ['constructor', ...METHODS].map((name) => [
        name,
        { value: Reflect.get(Object.prototype, name) as unknown, writable: true },
      ]),
    ),
  ),
);

const MAX_LENGTH = 100;
const SECRET = /PRIVATE KEY|^eyJ/;

/**
 * Describes a value in a message for developers. Objects and lists are only named, because they may hold private keys. Keys, tokens, and
 * the credentials and the query of an address are hidden. `ConfigurationError` and the log escape the whole message.
 */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return describeText(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isJsonObject(value)) return 'an object';
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value);
}

function describeText(text: string): string {
  if (SECRET.test(text)) return 'a key or a token';
  const safe = text.replace(/\S+/g, withoutCredentials).replace(/^(\w+:\/\/[^?]*\?).+/s, '$1***');
  return JSON.stringify(shortened(safe, MAX_LENGTH));
}

/** Without a regular expression, which would take quadratic time for many slashes: a key set may have a `kid` of any length. */
function withoutCredentials(word: string): string {
  const [start, end] = [word.indexOf('//'), word.lastIndexOf('@')];
  return start === -1 || end < start ? word : `${word.slice(0, start)}//***${word.slice(end)}`;
}
