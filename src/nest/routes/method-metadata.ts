import { ConfigurationError } from '../../model/errors.js';
import type { HandlerFunction } from './found-handler.js';

/**
 * Creates a decorator for a class or a method, which adds a value to a list of metadata, before the values of the decorators below.
 * The list of a method is kept under its name as well, because Nest may call another function than the decorated one: a
 * decorator replaced it, the constructor bound it, or a subclass overrides it.
 *
 * @throws ConfigurationError on a property that is not a method.
 */
export function listDecorator(key: string, value: unknown): ClassDecorator & MethodDecorator {
  return ((target: object, name?: string | symbol, descriptor?: TypedPropertyDescriptor<unknown>) => {
    if (name === undefined) {
      Reflect.defineMetadata(key, [value, ...(listOn(key, target) ?? [])], target);
      return;
    }
    const method = descriptor?.value;
    if (typeof method !== 'function') {
      const message = 'is not a method, so the decorator has no effect; declare it as a method, not as a property';
      throw new ConfigurationError([{ path: `${target.constructor.name}.${String(name)}`, message }]);
    }
    const list = [value, ...(listOn(key, target, name) ?? [])];
    Reflect.defineMetadata(key, list, target, name);
    Reflect.defineMetadata(key, list, method);
  }) as ClassDecorator & MethodDecorator;
}

type Lists = readonly (readonly unknown[])[];

/** Returns the list of a class, followed by those of its base classes. */
export function listsOfClass(key: string, type: object): Lists {
  const base = Reflect.getPrototypeOf(type);
  return [listOn(key, type) ?? [], ...(base === null ? [] : listsOfClass(key, base))];
}

/** Returns the list of the method of a class, followed by those of the methods that it overrides. */
export function listsOfMethod(key: string, prototype: object | null, name: string): Lists {
  if (prototype === null) return [];
  const inherited = listsOfMethod(key, Reflect.getPrototypeOf(prototype), name);
  const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
  if (typeof method !== 'function') return inherited;
  // A mixin may have copied the function, with its own metadata, to a class that has no list under this name.
  return [listOn(key, prototype, name) ?? listOn(key, method) ?? [], ...inherited];
}

function listOn(key: string, target: object, name?: string | symbol): readonly unknown[] | undefined {
  return (name === undefined ? Reflect.getOwnMetadata(key, target) : Reflect.getOwnMetadata(key, target, name)) as
    readonly unknown[] | undefined;
}

/** Returns the name under which a class has a function. */
export function nameOfMethod(prototype: object | null, method: HandlerFunction): string | undefined {
  if (prototype === null) return undefined;
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  const found = own.find(([, { value }]) => value === method);
  return found?.[0] ?? nameOfMethod(Reflect.getPrototypeOf(prototype), method);
}

/**
 * Returns the name of a function without what `bind` adds. Instrumentation (OpenTelemetry, Sentry, Datadog) replaces methods by
 * functions of the same name.
 */
export function nameWithoutBound({ name }: { readonly name: string }): string {
  return name.replace(/^(?:bound )+/, '');
}
