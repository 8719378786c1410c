import {
  createParamDecorator,
  type CustomDecorator,
  type ExecutionContext,
  type PipeTransform,
  SetMetadata,
  type Type,
} from '@nestjs/common';
import { authenticationOf } from './outcome.js';
import type { RegisteredUser } from '../model/registered-user.js';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { ROUTE_ACCESS, type RouteAccess } from './routes/route-metadata.js';
import { requestOf } from './transports/transport-of.js';

/**
 * Opens a route, or all routes of a controller. A token is not looked at, not even a good one. A handler's
 * decorator beats the class's.
 */
export function Public(): CustomDecorator {
  return SetMetadata(ROUTE_ACCESS, 'public' satisfies RouteAccess);
}

/**
 * Opens a route to guests: without a token `@CurrentUser()` is undefined. A token that is sent must be good: with a bad
 * one the answer is 401, never the guest's.
 */
export function OptionalAuth(): CustomDecorator {
  return SetMetadata(ROUTE_ACCESS, 'optional' satisfies RouteAccess);
}

/**
 * A parameter decorator that TypeScript holds against the parameter it stands on: it does not compile when the
 * parameter cannot take a `Value`. Whether a guest may come (`@OptionalAuth()`) it cannot see.
 */
export type ParameterDecoratorFor<Value> = <Target extends object, Key extends string | symbol, Index extends number>(
  target: Target,
  key: Key,
  index: Index & ParameterCheck<Value, Target, Key, Index>,
) => void;

type ParameterCheck<Value, Target, Key, Index extends number> = Key extends keyof Target
  ? Target[Key] extends (...args: infer Parameters) => unknown
    ? unknown extends Value
      ? unknown
      : [Value] extends [Parameters[Index]]
        ? unknown
        : never
    : unknown
  : unknown;

/** The type of one property, or `unknown` where the type of the user is not known. */
type PropertyOf<User, Property> = unknown extends User ? unknown : Property extends keyof User ? User[Property] : never;

/** The names that `@CurrentUser(property)` takes: any, where the type of the user is not known. */
type PropertyNameOf<User> = unknown extends User ? string : keyof User & string;

const currentUser = createParamDecorator((property: string | undefined, context: ExecutionContext): unknown => {
  const user = authenticationOf(requestOf(context))?.user;
  if (property === undefined) return user;
  // Own members only: @CurrentUser('constructor') is nobody's claim.
  return typeof user === 'object' && user !== null && isReadable(user, property)
    ? (user as Record<string, unknown>)[property]
    : undefined;
});

/** A member of its own, or a getter of the user's class; never what every object inherits. */
function isReadable(user: object, property: string): boolean {
  return Object.hasOwn(user, property) || (property in user && !(property in Object.prototype));
}

/**
 * What the `user` option made of the verified token, or one property of it; by default the verified claims. Undefined on
 * a `@Public()` route and for a guest on an `@OptionalAuth()` one. Where one connection or request has several handlers, a
 * `@Public()` one sees whom another was asked for: a socket's message the user of its opening, a query that of the guarded
 * query beside it. Whom a `@Public()` handler may serve must not depend on it.
 *
 * With a type, the parameter is checked: `@CurrentUser<MyUser>() user: MyUser`. {@link Register} sets that type for all.
 */
export function CurrentUser<User = RegisteredUser>(): ParameterDecoratorFor<User>;
export function CurrentUser<User = RegisteredUser, Property extends PropertyNameOf<User> = PropertyNameOf<User>>(
  property: Property,
): ParameterDecoratorFor<PropertyOf<User, Property>>;
/** With pipes, as `@Param` takes them. What they make of it cannot be checked here. */
export function CurrentUser(property: string | undefined, ...pipes: [Pipe, ...Pipe[]]): ParameterDecorator;
export function CurrentUser(property?: string, ...pipes: Pipe[]): ParameterDecorator {
  return currentUser(property, ...pipes);
}

type Pipe = PipeTransform | Type<PipeTransform>;

const accessToken = createParamDecorator(
  (_data: undefined, context: ExecutionContext): VerifiedAccessToken | undefined =>
    authenticationOf(requestOf(context))?.token,
);

/** The {@link VerifiedAccessToken} of the request. Undefined where `@CurrentUser()` is. */
export function AccessToken(): ParameterDecoratorFor<VerifiedAccessToken> {
  return accessToken();
}
