import { Controller, Get, type Type } from '@nestjs/common';

type Methods = Record<string, readonly MethodDecorator[]>;

/**
 * Creates a class with these methods and decorators. Each method returns its own name.
 * @param name of the class.
 */
export function decoratedClass(name: string, methods: Methods, ...ofClass: readonly ClassDecorator[]): Type {
  const { [name]: Decorated } = { [name]: class extends Object {} };
  if (Decorated === undefined) throw new Error(`${name} is not defined`);
  for (const [key, decorators] of Object.entries(methods)) {
    const { [key]: value } = { [key]: () => key };
    const descriptor = { value, configurable: true, writable: true };
    Object.defineProperty(Decorated.prototype, key, descriptor);
    // Decorators are applied from the bottom up.
    for (const decorator of [...decorators].reverse()) decorator(Decorated.prototype, key, descriptor);
    // A decorator may have replaced the method.
    Object.defineProperty(Decorated.prototype, key, descriptor);
  }
  for (const decorator of [...ofClass].reverse()) decorator(Decorated);
  return Decorated;
}

/** Creates a controller with a GET route for each name, which has these decorators. */
export function routesController(
  name: string,
  path: string,
  routes: Methods,
  ...ofClass: readonly ClassDecorator[]
): Type {
  const methods = Object.entries(routes).map(([route, decorators]) => [route, [...decorators, Get(route)]]);
  return decoratedClass(name, Object.fromEntries(methods) as Methods, Controller(path), ...ofClass);
}

/** Replaces a method by a function of another name and without its metadata, as a decorator that measures time does. */
export function Measured(): MethodDecorator {
  return (_target, _name, descriptor) => {
    const { value } = descriptor as { value?: unknown };
    const measured = function (this: unknown, ...given: unknown[]): unknown {
      return (value as (...parameters: unknown[]) => unknown).apply(this, given);
    };
    Object.assign(descriptor, { value: measured });
  };
}
