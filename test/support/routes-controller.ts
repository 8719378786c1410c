import { Controller, Get, type Type } from '@nestjs/common';

/**
 * Creates a controller class with a GET route for each name, which has these decorators and answers with `{}`.
 * @param name of the class.
 */
export function routesController(name: string, path: string, routes: Record<string, readonly MethodDecorator[]>): Type {
  const { [name]: RoutesController } = { [name]: class extends Object {} };
  if (RoutesController === undefined) throw new Error(`${name} is not defined`);
  const prototype = RoutesController.prototype as unknown as Record<string, unknown>;
  for (const [route, decorators] of Object.entries(routes)) {
    const { [route]: handler } = { [route]: () => ({}) };
    const descriptor = { value: handler, configurable: true, writable: true };
    Object.defineProperty(prototype, route, descriptor);
    // Decorators are applied from the bottom up.
    for (const decorator of [...decorators, Get(route)].reverse()) decorator(prototype, route, descriptor);
  }
  Controller(path)(RoutesController);
  return RoutesController;
}
