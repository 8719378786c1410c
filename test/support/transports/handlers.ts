import type { INestApplication, Type } from '@nestjs/common';
import {
  AuthModule,
  type AuthOptions,
  CurrentUser,
  OptionalAuth,
  Public,
  RequirePolicy,
  RequireScopes,
} from '../../../src/index.js';
import { ConnectionExpiry } from '../../../src/nest/transports/connection-expiry.js';
import type { Clock } from '../guarded-app.js';
import { AUDIENCE } from '../local-issuer.js';
import type { LocalIssuer } from '../local-issuer.js';

type Decorators = Readonly<Record<string, readonly MethodDecorator[]>>;

// An error of the application.
const failingPolicy = () => {
  throw new Error('the database is down');
};
const PLAIN = {
  closed: [],
  scoped: [RequireScopes('write')],
  public: [Public()],
  optional: [OptionalAuth()],
  failing: [RequirePolicy(failingPolicy)],
} satisfies Decorators;
/** The handlers of a class that requires `read`. */
export const IN_CLASS = {
  inherits: [],
  overrides: [RequireScopes('write')],
  merges: [RequireScopes('write', { merge: true })],
} satisfies Decorators;

/** The handlers that every transport has. */
export type HandlerName = keyof typeof PLAIN | keyof typeof IN_CLASS;

export interface OpenConnection {
  /** Resolves when the connection is closed, to the code that the client received. */
  readonly closed: Promise<string>;
  /** Closes the connection from the client's side. */
  readonly leave: () => void;
}

export interface RunningTransport {
  /** Resolves to `ok alice`, `ok guest`, the code of the refusal, or the message of another error. */
  readonly call: (handler: HandlerName, token?: string) => Promise<string>;
  /** Opens a connection that stays open. Undefined if a call ends with its response. */
  readonly open?: (token: string) => Promise<OpenConnection>;
  readonly app: INestApplication;
  readonly clock: Clock;
  readonly close: () => Promise<void>;
}

export interface TransportDriver {
  readonly name: string;
  start(issuer: LocalIssuer, options?: Partial<AuthOptions>): Promise<RunningTransport>;
}

/** The number of connections that are closed when their token expires. */
export function watchedBy(app: INestApplication): number {
  return app.get(ConnectionExpiry, { strict: false }).size;
}

/** Closes the clients of a test before its application. */
export function closeFirst(app: INestApplication, clients: { close(): unknown }): void {
  const close = app.close.bind(app);
  app.close = () => {
    clients.close();
    return close();
  };
}

export function authModule(issuer: LocalIssuer, clock: Clock, options: Partial<AuthOptions> = {}) {
  const defaults = { issuer: issuer.url, audience: AUDIENCE, clockToleranceSeconds: 0, clock: clock.read };
  return AuthModule.forRoot({ ...defaults, ...options } as AuthOptions);
}

/**
 * The same handlers for each transport, in two classes.
 * @param bind decorates a method as a handler of the transport.
 * @param respond turns a text into a response.
 * @param Base the class that both extend.
 */
export function handlerClasses(
  bind: (handler: string) => MethodDecorator,
  respond: (text: string) => unknown,
  Base: Type = Object,
): readonly [Type, Type] {
  const create = (handlers: Decorators): Type => {
    class Handlers extends (Base as new (...parameters: unknown[]) => object) {}
    const prototype = Handlers.prototype as Record<string, unknown>;
    for (const [name, decorators] of Object.entries(handlers)) {
      Object.assign(prototype, { [name]: (sub?: string) => respond(greeting(sub)) });
      CurrentUser('sub')(prototype, name, 0);
      for (const decorator of [bind(name), ...decorators]) decorateMethod(Handlers, name, decorator);
    }
    return Handlers;
  };
  return [create(PLAIN), decorated(create(IN_CLASS), RequireScopes('read'))];
}

export function decorated(type: Type, ...decorators: ClassDecorator[]): Type {
  for (const decorator of decorators) decorator(type);
  return type;
}

export function decorateMethod({ prototype }: Type, name: string, decorator: MethodDecorator): void {
  const method = { value: Reflect.get(prototype as object, name) as unknown };
  decorator(prototype as object, name, method);
}

export function greeting(sub: string | undefined): string {
  return `ok ${sub ?? 'guest'}`;
}
