import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';

export type HandlerFunction = (...parameters: unknown[]) => unknown;

/** A method that can be called from outside, according to Nest's decorators. */
export interface FoundHandler {
  readonly transport: 'http' | 'graphql' | 'ws' | 'rpc';
  /** `GET`, `Query`, `message` and so on. Together with the pattern it is the name of the route. */
  readonly kind: string;
  readonly pattern: string;
  readonly controller: Type;
  /** The name of the method. */
  readonly name: string;
  /** The method of the class. */
  readonly method: HandlerFunction;
  /**
   * The function that Nest calls, and whose `@UseGuards` it reads. The constructor of a controller may have replaced the method.
   * Undefined if that is not known, because the instance is created for each request.
   */
  readonly called: HandlerFunction | undefined;
  /** The kind of microservice, if a message handler is for one kind only. */
  readonly microservice?: unknown;
}

/** The part of a handler that its decorators state. */
export type Endpoint = Pick<FoundHandler, 'transport' | 'kind' | 'pattern' | 'microservice'>;

/** A provider or controller of Nest. */
export type Wrapper = InstanceWrapper<unknown>;

/** The controllers or the providers of all modules. */
export function wrappersOf(modules: ModulesContainer, kind: 'controllers' | 'providers'): readonly Wrapper[] {
  return [...modules.values()].flatMap((module) => [...module[kind].values()]);
}

/** The classes of those that have one. */
export function classesOf(wrappers: Iterable<{ readonly metatype: unknown }>): readonly Type[] {
  const types = Array.from(wrappers, ({ metatype }) => metatype);
  return types.filter((type): type is Type => typeof type === 'function' && type.prototype !== undefined);
}
