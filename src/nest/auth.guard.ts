import { type ExecutionContext, HttpException, Inject, Injectable, Logger } from '@nestjs/common';
import { AuthGuard as PassportAuthGuard, type AuthGuardAuthenticateOptions } from '@nestjs/passport';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import { challengeFor } from '../token/challenge.js';
import type { Explanation } from '../token/explain.js';
import { type Authentication, authenticationOf, rememberAuthentication } from './outcome.js';
import { isTransportException } from './refusals/exceptions.js';
import { ConnectionExpiry } from './transports/connection-expiry.js';
import { JwtStrategy } from './jwt.strategy.js';
import { AuthEvents } from './auth-events.js';
import { hintOf, withHint } from './refusals/refusal-hints.js';
import { handlerName, rememberContext } from './request-context.js';
import { RequirementChecker } from './routes/requirement-checker.js';
import { type Route, RouteMetadata } from './routes/route-metadata.js';
import { requestOf, transportOf } from './transports/transport-of.js';

type RequestWithUser = Record<string, unknown>;

/**
 * Lets a call through when its access token is good and allows what its handler requires, or its handler is `@Public()`.
 * Installed for the whole application by `AuthModule`, or by hand: `@UseGuards(AuthGuard)` with `guard: 'manual'`. It
 * guards HTTP, GraphQL, WebSocket messages and microservices; what no guard is asked about is for `SocketAuthenticator` and
 * `AuthMiddleware`.
 *
 * Subclasses may override what passport guards always had: `getRequest`, `handleRequest`, `getAuthenticateOptions`.
 */
@Injectable()
export class AuthGuard extends PassportAuthGuard() {
  private readonly logger = new Logger(AuthGuard.name);

  constructor(
    @Inject(JwtStrategy) private readonly strategy: JwtStrategy,
    @Inject(RouteMetadata) private readonly routes: RouteMetadata,
    @Inject(RequirementChecker) private readonly requirements: RequirementChecker,
    @Inject(ConnectionExpiry) private readonly expiries: ConnectionExpiry,
    @Inject(AuthEvents) private readonly events: AuthEvents,
  ) {
    const options = { defaultStrategy: strategy.name, session: false };
    super(options);
    // The base class has its options injected after this, if a PassportModule is in sight. Its `defaultStrategy` would
    // put another strategy, with other checks, in the place of ours.
    Object.defineProperty(this, 'options', { get: () => options, set: () => undefined });
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const startedAt = this.events.isObserved ? performance.now() : undefined;
    let token: VerifiedAccessToken | undefined;
    try {
      const route = this.routeOf(context);
      const transport = transportOf(context);
      if (route.access === 'public') {
        transport.passed?.(context);
        return true;
      }
      const ready = transport.ready(context);
      if (ready !== undefined) await ready;
      const options = this.getAuthenticateOptions(context);
      const property = options === undefined ? 'user' : propertyOf(await options);
      const request = this.getRequest(context) as RequestWithUser;
      const authentication = isOurs(this.strategy)
        ? await this.authenticationOf(request, context)
        : await this.askThroughPassport(request, property, context);
      const { user } = authentication;
      ({ token } = authentication);
      if (token !== undefined) transport.checkCaller?.(context, token);
      request[property] = user;
      // As it is now: on the request anyone could change it later.
      rememberAuthentication(request, authentication);
      if (route.requirements.length > 0) {
        const checked = this.requirements.check(route, token, context);
        if (checked !== undefined) await checked;
      }
      if (token !== undefined) {
        transport.keepCaller?.(context, token);
        const connection = transport.connectionOf(context, route.isEventStream);
        if (connection !== undefined) this.expiries.watch(connection, token);
      }
      if (startedAt !== undefined && !wasTold(context)) this.events.admitted({ context, token, startedAt });
      return true;
    } catch (error) {
      // The admission of a socket was refused; its messages waited for that, and are refused in the same way.
      if (error instanceof AuthError && isTransportException(error)) throw error;
      if (startedAt !== undefined && error instanceof AuthError)
        this.events.refused({ context, token, startedAt }, error);
      throw await this.refusalOf(error, context, token);
    }
  }

  override getRequest(context: ExecutionContext): object {
    return requestOf(context);
  }

  /**
   * What passport found: `error` is ours or the application's, `info` is the verified token or why there is none. What a
   * subclass returns here is `request.user` and `@CurrentUser()`.
   * @returns the user; undefined for a guest.
   */
  override handleRequest<User>(
    error: unknown,
    user: User,
    info: VerifiedAccessToken | AuthError | undefined,
    context: ExecutionContext,
    _status?: unknown,
  ): User {
    if (error !== null && error !== undefined) throw error as Error;
    const refusal = info instanceof AuthError ? info : undefined;
    // A strategy in the place of ours may refuse with anything, or with nothing.
    const hasUser = user !== undefined && user !== null && (user as unknown) !== false;
    if (refusal === undefined && hasUser) return user;
    // A guest is who sends nothing; not whoever is refused with the code for that, which `user` may throw too.
    const isGuest = refusal?.code === 'TOKEN_MISSING' && this.strategy.isAnonymous(this.getRequest(context), context);
    if (isGuest && this.routeOf(context).access === 'optional') return undefined as User;
    throw refusal ?? new AuthError('TOKEN_MISSING');
  }

  /**
   * Instead of passport's middleware, which makes an object and closures for each request and puts seven members of its
   * own on it: that costs several times what the verification of a token does that comes again.
   */
  private async authenticationOf(request: object, context: ExecutionContext): Promise<Authentication> {
    const { error, user, info, status } = await this.strategy.outcomeOf(request, context);
    const handled: unknown = this.handleRequest(error, user, info, context, status);
    return {
      // A subclass may take its time.
      user: handled instanceof Promise ? await handled : handled,
      token: info instanceof AuthError ? undefined : info,
    };
  }

  /** Where another strategy stands in the place of ours. */
  private async askThroughPassport(
    request: RequestWithUser,
    property: string,
    context: ExecutionContext,
  ): Promise<Authentication> {
    const before = authenticationOf(request);
    rememberContext(request, context);
    await super.canActivate(context);
    // A strategy that calls `pass()` is let through without anybody having been asked.
    if (request[property] === undefined && this.routeOf(context).access !== 'optional')
      throw new AuthError('TOKEN_MISSING');
    // Ours may have been asked all the same. What a socket has from an earlier call says nothing about this one.
    const after = authenticationOf(request);
    return { user: request[property], token: after === before ? undefined : after?.token };
  }

  private routeOf(context: ExecutionContext): Route {
    return this.routes.of(context.getClass(), context.getHandler());
  }

  /** What Nest is to answer with. With HTTP the challenge is on the response by then, whatever filter writes the body. */
  private async refusalOf(
    error: unknown,
    context: ExecutionContext,
    token: VerifiedAccessToken | undefined,
  ): Promise<unknown> {
    if (error instanceof AuthError) {
      this.log(error, context);
      const told = this.strategy.explainsRefusals ? await this.explained(error, context, token) : error;
      return transportOf(context).exceptionOf(told, challengeFor(error, this.strategy.realm), context);
    }
    // The application's own 401 (of `user`, or of a subclass) is one all the same (RFC 9110 §15.5.2).
    if (error instanceof HttpException && error.getStatus() === 401) {
      const challenge = challengeFor(new AuthError('TOKEN_MISSING'), this.strategy.realm);
      if (challenge !== undefined) transportOf(context).setHeader(context, 'WWW-Authenticate', challenge);
    }
    return transportOf(context).failureOf(error, context);
  }

  private async explained(
    error: AuthError,
    context: ExecutionContext,
    token: VerifiedAccessToken | undefined,
  ): Promise<AuthError> {
    return withHint(error, hintOf(error, await this.explanationOf(context), token));
  }

  private async explanationOf(context: ExecutionContext): Promise<readonly Explanation[]> {
    try {
      return await this.strategy.explain(this.getRequest(context), context);
    } catch {
      // A call that has no request where a token could be.
      return [];
    }
  }

  private log(error: AuthError, context: ExecutionContext): void {
    // Whether anybody listens is the logger's affair: `Logger.isLevelEnabled` does not know an application's own on Nest 11.
    this.logger.debug(`Refused ${handlerName(context)}: ${error.code} ${factsOf(error)}`);
  }
}

// The global guard may be followed by one on the class, with the same context.
const TOLD = Symbol('nestjs-resource-server:told');

function wasTold(context: ExecutionContext): boolean {
  const { [TOLD]: before } = context as { [TOLD]?: true };
  Reflect.set(context, TOLD, true);
  return before === true;
}

const OURS: unknown = Reflect.get(JwtStrategy.prototype, 'authenticate');

/** Whether `authenticate` does what `outcomeOf` says: not where somebody has put something else in its place, at any time. */
function isOurs(strategy: JwtStrategy): boolean {
  return strategy.authenticate === OURS;
}

function propertyOf(options: AuthGuardAuthenticateOptions | undefined): string {
  const property: unknown = options?.property;
  return typeof property === 'string' && property !== '' ? property : 'user';
}

// Enough for the name of an issuer or a key, and less than a token.
const MAX_FACT_LENGTH = 128;

/** One line, whatever is in it: `kid` and `issuer` come from a token that nobody has verified. */
function factsOf({ detail }: AuthError): string {
  try {
    return JSON.stringify(detail, (_name, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      return typeof value === 'string' && value.length > MAX_FACT_LENGTH
        ? `${value.slice(0, MAX_FACT_LENGTH)}…`
        : value;
    });
  } catch {
    // The application's own detail, which has a circle in it, say. That must not decide what is answered.
    return 'with facts that are no JSON';
  }
}
