import type { INestApplicationContext, Type } from '@nestjs/common';
import type { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { AuthGuard } from '../auth.guard.js';
import { AuthenticatedGateway, GatewayGuard } from '../sockets/authenticated-gateway.js';
import { SocketAuthenticator } from '../sockets/socket-authenticator.js';
import type { FoundHandler } from './found-handler.js';
import { graphqlOptions } from './graphql-handlers.js';
import { callsGuardsForSockets, dependenciesOf, metadataOf } from '../nest-internals.js';
import type { RouteRules } from './route-metadata.js';
import type { ReportedRoute } from './route-report.js';

/** Determines whether Nest calls the guard for a handler, which depends on its version and on the transport. */
export class GuardCoverage {
  private areSocketsGuarded = false;
  /** For singletons, Nest reads the global guards when it starts. Later ones have no effect. */
  private globalGuards: readonly unknown[] | undefined;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly adapterHost: HttpAdapterHost,
    private readonly guard: AuthGuard,
  ) {}

  /** Reads the global guards, and the version of Nest: it calls global guards for messages of sockets since version 12. */
  async prepare(found: readonly FoundHandler[]): Promise<void> {
    this.globalGuards = globalGuardsOf(this.config);
    if (found.some(({ transport }) => transport === 'ws')) this.areSocketsGuarded = await callsGuardsForSockets();
  }

  /** Nest sets the adapter to undefined or null if there is none. */
  get servesHttp(): boolean {
    return (this.adapterHost.httpAdapter as unknown) instanceof Object;
  }

  /** @param microservices the result of {@link microservices}. */
  accessOf(
    handler: FoundHandler,
    { access }: RouteRules,
    microservices: MicroserviceCoverage,
  ): ReportedRoute['access'] {
    if (access === 'public') return isRenewal(handler) ? 'guarded' : 'open';
    const covered = this.isCovered(handler, microservices);
    if (covered === 'unknown') return 'unknown';
    if (!covered) return 'unguarded';
    return access === 'optional' ? 'optional' : 'guarded';
  }

  /** Subclasses of the guard that the application installed as global guards. */
  otherGuards(): readonly string[] {
    return globalGuardsOf(this.config)
      .map((guard) => (guard instanceof AuthGuard ? guard.constructor : guard))
      .filter(isSubclass)
      .filter((guard) => guard !== this.guard.constructor)
      .map(({ name }) => name);
  }

  private isCovered(handler: FoundHandler, microservices: MicroserviceCoverage): boolean | 'unknown' {
    if (handler.kind === 'connection') return isConnectionGuarded(handler);
    // Nest treats the resolver of a reference like that of a field.
    if (['field', 'reference'].includes(handler.kind) && !this.areFieldsGuarded) return false;
    const own = this.isGuardedByDecorator(handler);
    if (own === true || (handler.transport === 'ws' && !this.areSocketsGuarded)) return own;
    const covered = this.hasGlobalGuard(this.config);
    const global = covered === true && handler.transport === 'rpc' ? microservices(handler.microservice) : covered;
    return global === false ? own : global;
  }

  private get areFieldsGuarded(): boolean {
    return graphqlOptions(this.modules).every(({ fieldResolverEnhancers }) =>
      fieldResolverEnhancers?.includes('guards'),
    );
  }

  /** Whether only the guard of a method protects the handler, which the constructor may replace for each request. */
  isUnproven(handler: FoundHandler): boolean {
    return this.isGuardedByDecorator(handler) === 'unknown' && this.hasGlobalGuard(this.config) === false;
  }

  /** Whether the method has the guard, but not the function that Nest calls. */
  isLost(handler: FoundHandler): boolean {
    return this.isGuardedByDecorator(handler) === false && this.isGuarded(handler.method);
  }

  /** Nest reads the decorators of the class, and of the function that it calls, which may be unknown. */
  private isGuardedByDecorator({ controller, method, called }: FoundHandler): boolean | 'unknown' {
    if (this.isGuarded(controller)) return true;
    return called === undefined ? this.isGuarded(method) && 'unknown' : this.isGuarded(called);
  }

  private isGuarded(holder: object): boolean {
    const guards = (metadataOf('guards', holder) ?? []) as readonly unknown[];
    return guards.some((guard) => this.isAuthGuard(guard));
  }

  /** Unknown if a factory creates a guard, and was not called. */
  private hasGlobalGuard(config: ApplicationConfig): boolean | 'unknown' {
    const guards = (config === this.config ? this.globalGuards : undefined) ?? globalGuardsOf(config);
    if (guards.some((guard) => this.isAuthGuard(guard))) return true;
    return guards.includes(undefined) ? 'unknown' : false;
  }

  /** An instance or a class of the guard, or what a test replaced it by. */
  private isAuthGuard(guard: unknown): boolean {
    if (guard === this.guard || guard instanceof AuthGuard) return true;
    return guard === GatewayGuard || guard === AuthGuard || isSubclass(guard);
  }

  /** Returns whether the guard is called for messages of a kind of microservice. */
  microservices(app: INestApplicationContext | undefined): MicroserviceCoverage {
    const { getMicroservices } = (app ?? {}) as { getMicroservices?: () => readonly object[] };
    // The global guards of an application that is only a microservice apply to its messages.
    if (!this.servesHttp) return () => true;
    if (app === undefined || getMicroservices === undefined)
      return () => (hasMicroservices(this.modules) ? 'unknown' : true);
    const connected = getMicroservices.call(app) as readonly ConnectedMicroservice[];
    return (kind) =>
      connected
        .filter(({ serverInstance }) => {
          // A strategy without a transport id receives every handler.
          const own = serverInstance?.transportId;
          return kind === undefined || own === undefined || own === kind;
        })
        .every(
          ({ applicationConfig }) => applicationConfig === undefined || this.hasGlobalGuard(applicationConfig) === true,
        );
  }
}

function isSubclass(guard: unknown): guard is Type<AuthGuard> {
  return typeof guard === 'function' && guard.prototype instanceof AuthGuard;
}

/** Instances, and the classes of request-scoped guards. */
function globalGuardsOf(config: ApplicationConfig): readonly unknown[] {
  return [...config.getGlobalGuards(), ...config.getGlobalRequestGuards().map(({ metatype }) => metatype)];
}

/** Whether a microservice was connected, or may have been connected. */
function hasMicroservices(modules: ModulesContainer): boolean {
  const { getRpcTargetRegistry } = modules as { getRpcTargetRegistry?: () => Observable<unknown> };
  if (getRpcTargetRegistry === undefined) return true;
  let count = 0;
  // The registry replays the existing targets.
  getRpcTargetRegistry
    .call(modules)
    .subscribe(() => (count += 1))
    .unsubscribe();
  return count > 0;
}

export type MicroserviceCoverage = (kind: unknown) => boolean | 'unknown';

/** The internal state of Nest that is read. Without it the handlers count as guarded by the configuration of their microservice. */
interface ConnectedMicroservice {
  readonly applicationConfig?: ApplicationConfig;
  readonly serverInstance?: { readonly transportId?: unknown };
}

/** The `authenticate` message is public, but verifies the token that it receives. */
function isRenewal({ method }: FoundHandler): boolean {
  return method === (AuthenticatedGateway.prototype as unknown as Record<string, unknown>).authenticate;
}

/**
 * `AuthenticatedGateway` authenticates connections whatever a subclass does. What another gateway does with the
 * `SocketAuthenticator` that it injects is unknown.
 */
function isConnectionGuarded({ controller: gateway }: FoundHandler): boolean | 'unknown' {
  if (gateway.prototype instanceof AuthenticatedGateway) return true;
  return dependenciesOf(undefined, gateway).includes(SocketAuthenticator) && 'unknown';
}
