import { OptionReader } from './option-reader.js';

/** How an option is read. An option that is not set has its default; without a default, `read` is called for it as well. */
export interface Option<Value> {
  readonly default?: Value;
  readonly read: (reader: OptionReader, name: string) => Value;
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

export type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value : never;
};

/** @param defaults replace those of the table. */
export function readOptions<Table extends OptionTable>(
  reader: OptionReader,
  table: Table,
  defaults?: Values<Table>,
): Values<Table> {
  const entries = Object.entries(table).map(([name, option]) => {
    if (reader.has(name) || !Object.hasOwn(option, 'default')) return [name, option.read(reader, name)] as const;
    return [name, defaults?.[name] ?? option.default] as const;
  });
  return Object.freeze(Object.fromEntries(entries)) as Values<Table>;
}

/** Reads an object that has only the options of the table. */
export function readGroup<Table extends OptionTable>(reader: OptionReader, table: Table): Values<Table> {
  reader.allowOnly(Object.keys(table));
  return readOptions(reader, table);
}

export function defaultsOf<Table extends OptionTable>(table: Table): Values<Table> {
  return readOptions(new OptionReader({}), table);
}

export function group<Table extends OptionTable>(table: Table): Option<Values<Table>> {
  return withDefault(defaultsOf(table), (reader, name) => readGroup(reader.optionalChild(name), table));
}

export function withDefault<Value>(fallback: Value, read: Option<Value>['read']): Option<Value> {
  return { default: fallback, read };
}

export function flag(): Option<boolean> {
  return withDefault(false, (reader, name) => reader.flag(name));
}

export function number<Fallback>(min: number, max: number, fallback: Fallback): Option<number | Fallback> {
  return withDefault<number | Fallback>(fallback, (reader, name) => reader.number(name, min, max));
}

export function callback<Callback>(fallback: Callback): Option<Callback> {
  return withDefault(fallback, (reader, name) => reader.callback(name) as Callback);
}
