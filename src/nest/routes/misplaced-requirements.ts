import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { metadataOf } from '../nest-internals.js';
import { classesOf, wrappersOf } from './found-handler.js';
import { hasOwnRequirements } from './requirement.decorators.js';

/** The metadata of decorators that do not make a method a handler. */
const NO_MARKS =
  /^(?:nestjs-resource-server:|design:|self:|optional:|(?:imports|controllers|providers|exports|scope:options)$|__(?:module:global|injectable|guards|interceptors|pipes|exceptionFilters)__$)/;

/**
 * Returns a warning for each service, module and method with requirements that is not a handler: no guard checks them. A library can
 * call a method without a decorator of its own, but that is rare. The decorator of a library that calls no guard (`@Cron`, `@OnEvent`) hides
 * such a requirement.
 */
export function warningsOfMisplaced(modules: ModulesContainer): readonly string[] {
  const controllers = classesOf(wrappersOf(modules, 'controllers'));
  const providers = classesOf(wrappersOf(modules, 'providers'));
  const scanner = new MetadataScanner();
  const paths: string[] = [];
  // Nest provides each module to itself.
  for (const type of new Set([...controllers, ...providers])) {
    const prototype = type.prototype as Record<string, object>;
    const isGateway = metadataOf('gateway', type) === true;
    const isHandler = (name: string) => isMarked(prototype[name]) || (isGateway && name === 'handleConnection');
    const lost = Object.getOwnPropertyNames(prototype).filter(
      (name) => name !== 'constructor' && hasOwnRequirements(type, name) && !isHandler(name),
    );
    paths.push(...lost.map((name) => `${type.name}.${name}`));
    if (!hasOwnRequirements(type) || controllers.includes(type) || isMarked(type)) continue;
    if (!scanner.getAllMethodNames(prototype).some(isHandler)) paths.push(type.name);
  }
  return paths.map(
    (path) =>
      `No guard checks the requirements of ${path}, which is not a handler: put them on the handlers of the routes that use it.`,
  );
}

function isMarked(holder: object | undefined): boolean {
  return holder !== undefined && Reflect.getMetadataKeys(holder).some((key) => !NO_MARKS.test(String(key)));
}
