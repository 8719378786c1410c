import { type ExecutionContext, Inject, Injectable, type Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import { LRUCache } from 'lru-cache';
import { effectiveRequirements, type PlacedRequirement } from '../../access/effective-requirements.js';
import { ConfigurationError } from '../../model/errors.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { NOT_A_PATH, problemOfPath, type ResolvedResource } from '../../options/resolve-resources.js';
import type { ChallengeContext } from '../../token/challenge.js';
import { RESOLVED_OPTIONS } from '../auth-options.js';
import { metadataOf } from '../nest-internals.js';
import { ResourceDirectory } from '../resources/resource-directory.js';
import { CalledHandlers } from './called-handlers.js';
import type { FoundHandler, HandlerFunction } from './found-handler.js';
import { missingHandler } from './handler-discovery.js';
import { EXTENSIONS_KEY, type RouteExtension } from './route-extension.js';
import { listDecorator, listsOfClass, listsOfMethod, nameWithoutBound } from './method-metadata.js';
import {
  hasOwnRequirements,
  type NestRequirement,
  requirementsOfClass,
  requirementsOfMethod,
} from './requirement.decorators.js';

/** The access of a route; without metadata a token is required. */
export type RouteAccess = 'public' | 'optional';

/** The access rules that the decorators of a handler and its class state. The guard, the route report and Swagger read them here. */
export interface RouteRules {
  readonly access: RouteAccess | undefined;
  readonly accessFrom: 'handler' | 'class' | undefined;
  readonly requirements: readonly PlacedRequirement<ExecutionContext>[];
  /** Whether the response is, or can be, a stream of server-sent events, which continues after the guard. */
  readonly eventStream: 'always' | 'possible' | undefined;
  readonly extensions: readonly RouteExtension[];
  /** Every scope that the route requires, for the challenge. */
  readonly requiredScopes: readonly string[];
  /** The protected resource that the route belongs to, whose audience a token needs. */
  readonly resource: ResolvedResource | undefined;
  readonly challenge: ChallengeContext;
}

// For one class. Bounded, because a request-scoped class may create its handlers anew for each request.
const MAX_HANDLERS = 250;

/** What is known of the handlers of one class. */
interface ClassRules {
  readonly byFunction: LRUCache<HandlerFunction, RouteRules>;
  readonly byName: Map<string, RouteRules>;
}

/** Reads the decorators of each handler once. Inherited methods have one route for each class. */
@Injectable()
export class RouteMetadata {
  private readonly classes = new Map<Type, ClassRules>();

  readonly resources: ResourceDirectory;
  /** Whether the application has started. Before, its routes may still change. */
  arePathsFinal = false;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'require' | 'resources' | 'realm'>,
    @Inject(CalledHandlers) private readonly handlers: CalledHandlers,
  ) {
    this.resources = new ResourceDirectory(settings.resources);
  }

  /**
   * Returns the rules of the handler that is called.
   * @throws ConfigurationError if the decorators contradict each other, or if it is not known which handler is called.
   */
  ofCall(context: ExecutionContext): RouteRules {
    const controller = context.getClass();
    const handler = context.getHandler() as HandlerFunction;
    if (this.handlers.isHidden(context)) throw unknownMethod(controller, handler.name);
    if (!this.handlers.isPerCall(controller)) return this.of(controller, handler);
    // The constructor may have replaced the method by any function, even by that of another handler.
    const [rules, ...others] = this.handlers.possible(context).map((each) => this.ofHandler(each));
    if (rules === undefined) return this.of(controller, handler);
    if (others.every((other) => isSame(other, rules))) return rules;
    throw unknownMethod(controller, this.nameOf(controller, handler));
  }

  /** @throws as {@link ofCall} */
  of(controller: Type, handler: HandlerFunction): RouteRules {
    const { byFunction } = this.rulesOf(controller);
    const known = byFunction.get(handler);
    if (known !== undefined) return known;
    const name = this.nameOf(controller, handler);
    if (!isMethod(controller, name, handler)) throw unknownMethod(controller, name);
    const rules = this.read(controller, name, handler);
    byFunction.set(handler, rules);
    return rules;
  }

  /** Returns the rules of a handler of the application. @throws ConfigurationError if its decorators contradict each other. */
  ofHandler({ controller, name, method }: FoundHandler): RouteRules {
    const { byName } = this.rulesOf(controller);
    const rules = byName.get(name) ?? this.read(controller, name, method);
    byName.set(name, rules);
    return rules;
  }

  /** Remembers the handlers of the application in place of earlier ones. The rules of a handler depend on all of its routes. */
  register(handlers: readonly FoundHandler[], { arePathsFinal } = { arePathsFinal: true }): void {
    this.handlers.register(handlers);
    this.arePathsFinal = arePathsFinal;
    this.classes.clear();
  }

  /** Returns the rules of a call that needs more scopes than its route. */
  withScopes(rules: RouteRules, names: readonly string[]): RouteRules {
    if (names.length === 0) return rules;
    const requirement: NestRequirement = { kind: 'scopes', names, merge: false, reportOnly: false };
    return this.complete({ ...rules, requirements: [...rules.requirements, { requirement, from: 'handler' }] });
  }

  /** @throws ConfigurationError if the function that Nest calls for a handler is that of a handler with other rules. */
  checkFunction(handler: FoundHandler): void {
    const { controller, name, called } = handler;
    const other = called && this.handlers.nameOf(controller, called);
    if (called === undefined || other === undefined || other === name) return;
    if (isSame(this.read(controller, other, called), this.ofHandler(handler))) return;
    const message = `calls the function of ${other}, which has other decorators; wrap that function in a function of its own`;
    throw new ConfigurationError([{ path: `${controller.name}.${name}`, message }]);
  }

  private rulesOf(controller: Type): ClassRules {
    let rules = this.classes.get(controller);
    if (rules === undefined) {
      rules = { byFunction: new LRUCache({ max: MAX_HANDLERS }), byName: new Map() };
      this.classes.set(controller, rules);
    }
    return rules;
  }

  private read(controller: Type, name: string, handler: HandlerFunction): RouteRules {
    const resource = this.resourceOf(controller, name);
    const rules = readRules(controller, name, handler, this.settings.require as readonly NestRequirement[]);
    const own = listsOfMethod(EXTENSIONS_KEY, controller.prototype as object, name).flat();
    const extensions = [...own, ...listsOfClass(EXTENSIONS_KEY, controller).flat()] as readonly RouteExtension[];
    // As for requirements: a handler that is public itself overrides its class.
    const areNeverUsed = rules.accessFrom === 'handler' ? own.length > 0 : extensions.length > 0;
    if (rules.access === 'public' && areNeverUsed)
      throw new ConfigurationError([{ path: `${controller.name}.${name}`, message: PUBLIC_ENDPOINT }]);
    const isEventStream = metadataOf('eventStream', handler) !== undefined;
    const eventStream = isEventStream ? 'always' : extensions.length > 0 ? 'possible' : undefined;
    return this.complete({ ...rules, resource, eventStream, extensions });
  }

  /** Adds what follows from the other rules. */
  private complete(rules: Omit<RouteRules, 'requiredScopes' | 'challenge'>): RouteRules {
    const { requirements, resource, extensions } = rules;
    const scopes = [
      ...extensions.flatMap((extension) => extension.requiredScopes?.() ?? []),
      ...requirements.flatMap(({ requirement }) => scopesOf(requirement)),
    ];
    const requiredScopes = Object.freeze([...new Set(scopes)]);
    const challenge = Object.freeze({
      realm: this.settings.realm,
      resourceMetadata: resource?.metadataUrl,
      scopes: resource && requiredScopes,
    });
    return Object.freeze({ ...rules, requiredScopes, challenge });
  }

  /** @throws ConfigurationError if `@Resource()` names no resource, or if the routes of the handler belong to several. */
  private resourceOf(controller: Type, name: string): ResolvedResource | undefined {
    const { resources } = this;
    const declared =
      listsOfMethod(RESOURCE_KEY, controller.prototype as object, name).flat()[0] ??
      listsOfClass(RESOURCE_KEY, controller).flat()[0];
    const problem = (message: string) => new ConfigurationError([{ path: `${controller.name}.${name}`, message }]);
    if (typeof declared === 'string') {
      const named = resources.named(declared);
      if (named !== undefined) return named;
      throw problem(`has @Resource("${declared}"), which is not in \`resources\`; add it, or set \`publicUrl\``);
    }
    const found = new Set(this.handlers.pathsOf(controller, name).map((path) => resources.ofRoute(path)));
    if (found.size > 1 && this.arePathsFinal)
      throw problem('has routes of several resources; give each a handler of its own, or add @Resource()');
    const [only = resources.main] = found;
    return only;
  }

  private nameOf(controller: Type, handler: HandlerFunction): string {
    return this.handlers.nameOf(controller, handler) ?? nameWithoutBound(handler);
  }
}

/** Returns whether a function has the rules of a known method, or of the class because no method has requirements of its own. */
function isMethod(controller: Type, name: string, handler: HandlerFunction): boolean {
  const prototype = controller.prototype as Record<string, unknown>;
  if (typeof prototype[name] === 'function' || handler === missingHandler) return true;
  const methods = new MetadataScanner().getAllMethodNames(prototype);
  return methods.every((method) => requirementsOfMethod(controller, method).length === 0);
}

/** @param handler the function that Nest calls. */
function readRules(
  controller: Type,
  name: string,
  handler: HandlerFunction,
  required: readonly NestRequirement[],
): Pick<RouteRules, 'access' | 'accessFrom' | 'requirements'> {
  const own = ownAccess(controller, name);
  const access = own ?? accessOfClass(controller);
  const accessFrom = own !== undefined ? 'handler' : access !== undefined ? 'class' : undefined;
  const declared = { handler: requirementsOfMethod(controller, name), class: requirementsOfClass(controller) };
  if (access === 'public') {
    // A handler that is public itself overrides what it inherits. Everything else is a contradiction.
    const isContradicted =
      own === undefined ? declared.handler.length + declared.class.length > 0 : hasOwnRequirements(controller, name);
    if (isContradicted) {
      const message =
        'is @Public(), so its requirements would never be checked; remove one of them, or use @OptionalAuth()';
      throw new ConfigurationError([{ path: `${controller.name}.${name}`, message }]);
    }
    return { access, accessFrom, requirements: [] };
  }
  const requirements = effectiveRequirements({ ...declared, module: required });
  return { access, accessFrom, requirements };
}

function scopesOf(requirement: NestRequirement): readonly string[] {
  const needsScopes = requirement.kind === 'scopes' || requirement.kind === 'anyScope';
  return needsScopes && !requirement.reportOnly ? requirement.names : [];
}

const PUBLIC_ENDPOINT =
  'is @Public(), so @McpEndpoint() would never be used; remove one of them, or use @OptionalAuth()';

const RESOURCE_KEY = 'nestjs-resource-server:resource';

/** @throws ConfigurationError if it is no path. */
export function resourceDecorator(path: string): ClassDecorator & MethodDecorator {
  const message = typeof (path as unknown) === 'string' ? problemOfPath(path) : NOT_A_PATH;
  if (message !== undefined) throw new ConfigurationError([{ path: `@Resource(${JSON.stringify(path)})`, message }]);
  return listDecorator(RESOURCE_KEY, path);
}

// Namespaced, because other packages and the Nest docs use `isPublic`, and their decorators must not open routes here.
const ACCESS_KEY = 'nestjs-resource-server:route-access';

export function accessDecorator(access: RouteAccess): ClassDecorator & MethodDecorator {
  return listDecorator(ACCESS_KEY, access);
}

/** Unlike requirements, the access is not inherited by a method that overrides another. */
function ownAccess({ prototype }: Type, name: string): RouteAccess | undefined {
  const [own] = listsOfMethod(ACCESS_KEY, prototype as object, name);
  return own?.[0] as RouteAccess | undefined;
}

function accessOfClass(controller: Type): RouteAccess | undefined {
  return listsOfClass(ACCESS_KEY, controller).flat()[0] as RouteAccess | undefined;
}

function unknownMethod({ name: path }: Type, name: string): ConfigurationError {
  const message = `calls a function ${JSON.stringify(name)} that replaces one of its methods, but not which one is known; give the function the name of the method`;
  return new ConfigurationError([{ path, message }]);
}

function isSame(one: RouteRules, other: RouteRules): boolean {
  const { requirements } = other;
  return (
    one.access === other.access &&
    one.resource === other.resource &&
    one.extensions.length === other.extensions.length &&
    one.extensions.every((extension, index) => extension === other.extensions[index]) &&
    one.requirements.length === requirements.length &&
    one.requirements.every(({ requirement }, index) => requirement === requirements[index]?.requirement)
  );
}
