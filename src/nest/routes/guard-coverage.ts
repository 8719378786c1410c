import type { INestApplicationContext, Type } from '@nestjs/common';
import type { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { AuthGuard } from '../auth.guard.js';
import { AuthenticatedGateway, GatewayGuard } from '../sockets/authenticated-gateway.js';
import { SocketAuthenticator } from '../sockets/socket-authenticator.js';
import type { FoundHandler, HandlerDiscovery } from './handler-discovery.js';
import {
  GUARDS_METADATA,
  PARAMTYPES_METADATA,
  PROPERTY_DEPS_METADATA,
  SELF_DECLARED_DEPS_METADATA,
} from './nest-metadata.js';
import { majorOf } from './nest-versions.js';
import type { Route } from './route-metadata.js';
import type { ReportedRoute } from './route-report.js';

/** Whether the guard is asked about a handler, by what Nest does on its versions and transports. */
export class GuardCoverage {
  private areSocketsGuarded = false;

  constructor(
    private readonly handlers: HandlerDiscovery,
    private readonly config: ApplicationConfig,
    private readonly adapterHost: HttpAdapterHost,
    private readonly guard: AuthGuard,
  ) {}

  /** Finds out what depends on the version: Nest asks global guards about messages of sockets since 12. */
  async prepare(found: readonly FoundHandler[]): Promise<void> {
    if (found.some(({ transport }) => transport === 'ws'))
      this.areSocketsGuarded = (await majorOf('@nestjs/core')) >= 12;
  }

  /** Nest leaves it undefined, or makes it null. */
  get servesHttp(): boolean {
    return (this.adapterHost.httpAdapter as unknown) instanceof Object;
  }

  /** @param microservices of {@link microservices}. */
  accessOf(handler: FoundHandler, { access }: Route, microservices: MicroserviceReach): ReportedRoute['access'] {
    if (access === 'public') return isRenewal(handler) ? 'guarded' : 'open';
    const reached = this.isReached(handler, microservices);
    if (reached === 'unknown') return 'unknown';
    if (!reached) return 'unguarded';
    return access === 'optional' ? 'optional' : 'guarded';
  }

  /** Subclasses of the guard that the application installed by itself. */
  otherGuards(): readonly string[] {
    const classes = globalGuardsOf(this.config).map((guard) =>
      guard instanceof AuthGuard ? guard.constructor : guard,
    );
    return classes.flatMap((guard) =>
      typeof guard === 'function' && guard !== this.guard.constructor && guard.prototype instanceof AuthGuard
        ? [guard.name]
        : [],
    );
  }

  private isReached(handler: FoundHandler, microservices: MicroserviceReach): boolean | 'unknown' {
    if (handler.kind === 'connection') return isConnectionGuarded(handler.controller);
    if (handler.kind === 'field' && !this.areFieldsGuarded) return false;
    if (this.isGuardedByDecorator(handler)) return true;
    if (!this.hasGlobalGuard(this.config)) return false;
    if (handler.transport === 'ws') return this.areSocketsGuarded;
    return handler.transport === 'rpc' ? microservices(handler.microservice) : true;
  }

  private get areFieldsGuarded(): boolean {
    return this.handlers
      .graphqlOptions()
      .every(({ fieldResolverEnhancers }) => fieldResolverEnhancers?.includes('guards'));
  }

  private isGuardedByDecorator({ controller, method }: FoundHandler): boolean {
    return [controller, method]
      .flatMap((holder) => (Reflect.getMetadata(GUARDS_METADATA, holder) ?? []) as readonly unknown[])
      .some((guard) => this.isOurs(guard));
  }

  private hasGlobalGuard(config: ApplicationConfig): boolean {
    return globalGuardsOf(config).some((guard) => this.isOurs(guard));
  }

  /** A guard, or its class; also what a test has put in its place. */
  private isOurs(guard: unknown): boolean {
    if (guard === this.guard || guard instanceof AuthGuard) return true;
    if (guard === GatewayGuard || guard === AuthGuard) return true;
    return typeof guard === 'function' && guard.prototype instanceof AuthGuard;
  }

  /** Whether the guard is asked about messages of a kind of microservice. */
  microservices(app: INestApplicationContext | undefined): MicroserviceReach {
    const { getMicroservices } = (app ?? {}) as { getMicroservices?: () => readonly object[] };
    // An application that is nothing but a microservice has its guards there.
    if (!this.servesHttp) return () => true;
    if (app === undefined || getMicroservices === undefined)
      return () => (this.handlers.hasMicroservices ? 'unknown' : true);
    const connected = getMicroservices.call(app) as readonly ConnectedMicroservice[];
    return (kind) =>
      connected
        .filter(({ serverInstance }) => {
          // A strategy that does not say what it is gets every handler.
          const own = serverInstance?.transportId;
          return kind === undefined || own === undefined || own === kind;
        })
        .every(({ applicationConfig }) => applicationConfig === undefined || this.hasGlobalGuard(applicationConfig));
  }
}

/** Instances, and the classes of those that are made for each request. */
function globalGuardsOf(config: ApplicationConfig): readonly unknown[] {
  return [...config.getGlobalGuards(), ...config.getGlobalRequestGuards().map(({ metatype }) => metatype)];
}

export type MicroserviceReach = (kind: unknown) => boolean | 'unknown';

/** What of Nest's own is looked at. Were it not there, the handlers would be taken for guarded by what connected them. */
interface ConnectedMicroservice {
  readonly applicationConfig?: ApplicationConfig;
  readonly serverInstance?: { readonly transportId?: unknown };
}

// Comments, and texts on one line.
const NO_CODE = /\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'|"[^"\n]*"|`[^`\n]*`/g;

/** It opens nothing: what it is given is verified. */
function isRenewal({ method }: FoundHandler): boolean {
  return method === (AuthenticatedGateway.prototype as unknown as Record<string, unknown>).authenticate;
}

/**
 * `AuthenticatedGateway` sees to it whatever a subclass does. A gateway that has the guard of connections injected is believed
 * where its `handleConnection` is seen to ask it; one that has it asked in some other place is not known to.
 */
function isConnectionGuarded(gateway: Type): boolean | 'unknown' {
  const { prototype } = gateway as { prototype: { handleConnection?: unknown } };
  if (prototype instanceof AuthenticatedGateway) return true;
  if (typeof prototype.handleConnection !== 'function') return false;
  const parameters = (Reflect.getMetadata(PARAMTYPES_METADATA, gateway) ?? []) as readonly unknown[];
  const declared = (Reflect.getMetadata(SELF_DECLARED_DEPS_METADATA, gateway) ?? []) as readonly { param?: unknown }[];
  const properties = (Reflect.getMetadata(PROPERTY_DEPS_METADATA, gateway) ?? []) as readonly { type?: unknown }[];
  const injected = [...parameters, ...declared.map(({ param }) => param), ...properties.map(({ type }) => type)];
  if (!injected.includes(SocketAuthenticator)) return false;
  const source = Function.prototype.toString.call(prototype.handleConnection).replaceAll(NO_CODE, '');
  return source.includes('.admit(') ? true : 'unknown';
}
