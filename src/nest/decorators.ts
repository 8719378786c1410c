import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { type Outcome, outcomeOf } from './outcome.js';
import type { RegisteredUser } from '../options/options.js';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { accessDecorator, resourceDecorator } from './routes/route-metadata.js';
import { transportOf } from './transports/transport-of.js';

/**
 * Makes a route public, or all routes of a controller. No token is read, not even a valid one. A decorator of the handler
 * overrides that of the class.
 */
export function Public(): ClassDecorator & MethodDecorator {
  return accessDecorator('public');
}

/**
 * Admits guests to a route: without a token `@CurrentUser()` is undefined. A token that is sent must be valid; otherwise the
 * response is 401, never that of a guest.
 */
export function OptionalAuth(): ClassDecorator & MethodDecorator {
  return accessDecorator('optional');
}

/**
 * Makes routes part of the protected resource with this path, whatever their own path is: a token needs its audience, and challenges
 * name its metadata. The option `resources` describes it; otherwise its identifier is `publicUrl` followed by the path. A decorator
 * of the handler overrides that of the class. Without one, the path of the route decides.
 * @throws ConfigurationError if it is no path. The application does not start if neither option says what the identifier is.
 */
export function Resource(path: string): ClassDecorator & MethodDecorator {
  return resourceDecorator(path);
}

/**
 * A parameter decorator that does not compile on a parameter that cannot take a `Value`. The type does not know whether
 * the route admits guests (`@OptionalAuth()`).
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

type PropertyOf<User, Property> = unknown extends User ? unknown : Property extends keyof User ? User[Property] : never;

/** The names that `@CurrentUser(property)` accepts: any, if the type of the user is unknown. */
type PropertyNameOf<User> = unknown extends User ? string : keyof User & string;

const currentUser = createParamDecorator((property: string | undefined, context: ExecutionContext): unknown => {
  const user = callerOf(context)?.user;
  if (property === undefined) return user;
  // Inherited members such as `constructor` are not claims.
  return typeof user === 'object' && user !== null && isReadable(user, property)
    ? (user as Record<string, unknown>)[property]
    : undefined;
});

/** Own members, and getters of the user's class; not members that every object inherits. */
function isReadable(user: object, property: string): boolean {
  return Object.hasOwn(user, property) || (property in user && !(property in Object.prototype));
}

/**
 * Injects the user of the verified token, as the `user` option or `JwtStrategy.validate` returns it, or one property of it; by
 * default the verified claims. Undefined on a `@Public()` route, and for a guest on an `@OptionalAuth()` route. In a
 * `@Public()` handler, it may return the user of the socket, or of a guarded field in the same GraphQL operation. Do not make
 * authorization depend on it there.
 *
 * With a type, the parameter is checked: `@CurrentUser<MyUser>() user: MyUser`. {@link Register} sets that type globally.
 */
export function CurrentUser<User = RegisteredUser>(): ParameterDecoratorFor<User>;
export function CurrentUser<User = RegisteredUser, Property extends PropertyNameOf<User> = PropertyNameOf<User>>(
  property: Property,
): ParameterDecoratorFor<PropertyOf<User, Property>>;
/** With pipes, as in `@Param`. The types cannot check what the pipes return. */
export function CurrentUser(property: string | undefined, ...pipes: [Pipe, ...Pipe[]]): ParameterDecorator;
export function CurrentUser(property?: string, ...pipes: Pipe[]): ParameterDecorator {
  return currentUser(property, ...pipes);
}

type Pipe = PipeTransform | Type<PipeTransform>;

const accessToken = createParamDecorator(
  (_data: undefined, context: ExecutionContext): VerifiedAccessToken | undefined => callerOf(context)?.token,
);

function callerOf(context: ExecutionContext): Extract<Outcome, { kind: 'caller' }> | undefined {
  const outcome = outcomeOf(transportOf(context).requestOf(context));
  return outcome?.kind === 'caller' ? outcome : undefined;
}

/** Injects the {@link VerifiedAccessToken} of the request. Undefined where `@CurrentUser()` is. */
export function AccessToken(): ParameterDecoratorFor<VerifiedAccessToken> {
  return accessToken();
}
