import { type ExecutionContext, Inject, Injectable, Logger } from '@nestjs/common';
import passport from 'passport';
import { AuthGuard as PassportAuthGuard, type AuthGuardAuthenticateOptions } from '@nestjs/passport';
import { AuthError } from '../model/errors.js';
import { type MaybePromise, recovering, whenKnown } from '../model/maybe-promise.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { Explanation } from '../token/explain.js';
import { isVerifiedAccessToken } from '../token/verified-access-token.js';
import { AuthEvents } from './auth-events.js';
import { RESOLVED_OPTIONS } from './auth-options.js';
import { handlerName } from './handler-context.js';
import { contextOfPassport, JwtStrategy, rejectsCredentials } from './jwt.strategy.js';
import { GUEST, type Outcome, recordOf, rememberOutcome } from './outcome.js';
import { isTransportException } from './refusals/exceptions.js';
import { factsText } from './refusals/facts-text.js';
import { type Refusal, refusalOf } from './refusals/refusal.js';
import { explainRefusal } from './refusals/refusal-hints.js';
import { RequirementChecker } from './routes/requirement-checker.js';
import { type RouteAccess, RouteMetadata, type RouteRules } from './routes/route-metadata.js';
import { ConnectionExpiry } from './transports/connection-expiry.js';
import type { LongConnection } from './transports/long-connection.js';
import { transportOf } from './transports/transport-of.js';

type RequestWithUser = Record<string, unknown>;

/** The arguments of passport's callback. */
type PassportResult = readonly [error: Error | null, user: unknown, info: unknown, status: number | undefined];

/**
 * Admits a call if its access token is valid and permits what the handler requires, or if the handler is `@Public()`.
 * `AuthModule` installs it for the whole application; with `guard: 'manual'` use `@UseGuards(AuthGuard)`. It guards HTTP,
 * GraphQL, WebSocket messages and microservices. For connections and routes that Nest calls no guard for, use
 * `SocketAuthenticator` and `AuthMiddleware`.
 *
 * Subclasses may override the methods of a passport guard: `getRequest`, `handleRequest`, `getAuthenticateOptions`.
 */
@Injectable()
export class AuthGuard extends PassportAuthGuard() {
  private readonly logger = new Logger(AuthGuard.name);
  private readonly isStrategyReplaced: boolean;
  private readonly overridesHandleRequest: boolean;

  constructor(
    @Inject(JwtStrategy) private readonly strategy: JwtStrategy,
    @Inject(RouteMetadata) private readonly routes: RouteMetadata,
    @Inject(RequirementChecker) private readonly requirements: RequirementChecker,
    @Inject(ConnectionExpiry) private readonly expiry: ConnectionExpiry,
    @Inject(AuthEvents) private readonly events: AuthEvents,
    @Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'realm' | 'explainRefusals'>,
  ) {
    const passportOptions = { defaultStrategy: strategy.name, session: false };
    super(passportOptions);
    // Nest injects `options` of a PassportModule into the base class after this. Its `defaultStrategy` would replace
    // this strategy by one with other checks.
    Object.defineProperty(this, 'options', { get: () => passportOptions, set: () => undefined });
    this.isStrategyReplaced = strategy.authenticate !== OWN_AUTHENTICATE;
    this.overridesHandleRequest = this.handleRequest !== AuthGuard.prototype.handleRequest;
  }

  override canActivate(context: ExecutionContext): MaybePromise<boolean> {
    const call: GuardedCall = { context, startedAt: performance.now() };
    return recovering<boolean>(
      () => this.admit(call),
      (error) => this.refuse(error, call),
    );
  }

  override getRequest(context: ExecutionContext): object {
    return transportOf(context).requestOf(context);
  }

  /**
   * Decides about the result of the strategy. A subclass may return another user, which becomes `request.user` and `@CurrentUser()`.
   * @param error an error of this application, of the issuer or of the application's own code.
   * @param user false if the credentials were rejected.
   * @param info the verified token, or why there is none.
   * @returns the user; undefined for a guest.
   */
  override handleRequest<User>(
    error: unknown,
    user: User,
    info: unknown,
    context: ExecutionContext,
    _status?: unknown,
  ): User {
    if (error !== null && error !== undefined) throw error as Error;
    // An `AuthError` wins over a user that a subclass passes.
    if (info instanceof AuthError) {
      if (this.isGuest(context) && this.rulesOf(context).access === 'optional') return undefined as User;
      throw info;
    }
    // A replaced strategy may fail without a reason, or succeed without a user.
    if (user === undefined || user === null || (user as unknown) === false) throw new AuthError('TOKEN_MISSING');
    return user;
  }

  private admit(call: GuardedCall): MaybePromise<boolean> {
    const { context } = call;
    const rules = this.rulesOf(context);
    const transport = transportOf(context);
    if (rules.access === 'public') {
      transport.memoOf(context);
      return true;
    }
    const connection = transport.connectionOf(context, rules.isEventStream);
    // Before any code of the application that could admit a message of a refused socket: a strategy, `handleRequest`.
    return whenKnown(connection?.whenAdmitted?.(), () => {
      const options = this.getAuthenticateOptions(context);
      return whenKnown(options === undefined ? 'user' : propertyOf(options), (property) => {
        const request = this.getRequest(context) as RequestWithUser;
        return whenKnown(this.authenticate(request, call, rules.access), (outcome) => {
          if (outcome.kind === 'caller' && outcome.token !== undefined) connection?.checkOwner?.(outcome.token);
          request[property] = outcome.kind === 'caller' ? outcome.user : undefined;
          return this.authorize(outcome, request, connection, call);
        });
      });
    });
  }

  private authorize(
    outcome: Outcome,
    request: object,
    connection: LongConnection | undefined,
    call: GuardedCall,
  ): MaybePromise<true> {
    const { context } = call;
    const token = outcome.kind === 'caller' ? outcome.token : undefined;
    call.authentication ??= outcome;
    // `request.user` cannot serve as the memory, because any code may change it later.
    rememberOutcome(request, outcome);
    const record = recordOf(transportOf(context).memoOf(context), request);
    const isFirst = record.admitted?.has(context) !== true;
    const checked = isFirst ? this.requirements.check(this.rulesOf(context), token, context) : undefined;
    return whenKnown(checked, () => {
      (record.admitted ??= new WeakSet()).add(context);
      if (token !== undefined && connection !== undefined) {
        connection.setOwner?.(token);
        this.expiry.watch(connection, token);
      }
      // Another message of the socket may have been authenticated while a policy waited.
      if (checked instanceof Promise) rememberOutcome(request, outcome);
      if (isFirst && this.events.isObserved) this.events.admitted({ ...call, token });
      return true;
    });
  }

  /** @throws the error to refuse the call with. */
  private authenticate(
    request: RequestWithUser,
    call: GuardedCall,
    access: RouteAccess | undefined,
  ): MaybePromise<Outcome> {
    const { context } = call;
    if (this.isStrategyReplaced)
      return this.askPassport(request, context).then((result) => {
        // The replaced strategy may have delegated to `JwtStrategy`.
        const { authentication } = recordOf(transportOf(context).memoOf(context), request);
        if (!(authentication instanceof Promise)) call.authentication = authentication;
        return this.handle(result, context, access);
      });
    return whenKnown(this.strategy.authenticateCall(request, context), (outcome): MaybePromise<Outcome> => {
      call.authentication = outcome;
      if (this.overridesHandleRequest) return this.handle(resultOf(outcome), context, access);
      if (outcome.kind === 'refused') throw outcome.error;
      if (outcome.kind === 'guest' && access !== 'optional') throw new AuthError('TOKEN_MISSING');
      return outcome;
    });
  }

  private handle(
    [error, user, info, status]: PassportResult,
    context: ExecutionContext,
    access: RouteAccess | undefined,
  ): MaybePromise<Outcome> {
    const token = isVerifiedAccessToken(info) ? info : undefined;
    // `pass()` of a replaced strategy lets the request through without a decision.
    if (info === PASSED) {
      if (access !== 'optional') throw new AuthError('TOKEN_MISSING');
      return GUEST;
    }
    const handled: unknown = this.handleRequest(error, user, info, context, status);
    return whenKnown(handled instanceof Promise ? (handled as Promise<unknown>) : handled, (found) =>
      found === undefined && token === undefined ? GUEST : { kind: 'caller', user: found, token },
    );
  }

  /** For a strategy of the application that replaces `JwtStrategy`. It may delegate to it. */
  private async askPassport(request: RequestWithUser, context: ExecutionContext): Promise<PassportResult> {
    const options = { session: false, ...(await this.getAuthenticateOptions(context)) };
    return new Promise((resolve, reject) => {
      const callback = (error: Error | null, user: unknown, info: unknown, status: number | undefined) => {
        resolve([error, user, info, status]);
      };
      const next = (error?: Error) => {
        if (error === undefined) resolve([null, undefined, PASSED, undefined]);
        else reject(error);
      };
      contextOfPassport.run(context, () => {
        const authenticate = passport.authenticate(this.strategy.name, options, callback) as PassportMiddleware;
        authenticate(request, context.switchToHttp().getResponse(), next);
      });
    });
  }

  private isGuest(context: ExecutionContext): boolean {
    const record = recordOf(transportOf(context).memoOf(context), this.getRequest(context));
    return record.authentication === GUEST;
  }

  private rulesOf(context: ExecutionContext): RouteRules {
    return this.routes.of(context.getClass(), context.getHandler());
  }

  /** @throws the error that Nest answers with. On HTTP the challenges are set on the response, so that exception filters keep them. */
  private refuse(error: unknown, call: GuardedCall): MaybePromise<never> {
    const { context, authentication } = call;
    const { realm, explainRefusals } = this.settings;
    if (!(error instanceof AuthError)) return this.answer(refusalOf(error, realm), context);
    // The admission of a socket was refused. Its messages waited for it, and are refused in the same way.
    if (isTransportException(error)) throw error;
    const token = authentication?.kind === 'guest' ? undefined : authentication?.token;
    const issuer = authentication?.kind === 'refused' ? authentication.issuer : token?.issuer;
    if (this.events.isObserved) this.events.refused({ ...call, token, issuer }, error);
    // Whether debug messages are written is for the logger to decide: Nest 11 does not know the level of a custom logger.
    this.logger.debug(`Refused ${handlerName(context)}: ${error.code} ${factsText(error.detail)}`);
    if (!explainRefusals) return this.answer(refusalOf(error, realm), context);
    return this.explain(context).then((rows) =>
      this.answer(refusalOf(error, realm, explainRefusal(error, rows, token)), context),
    );
  }

  private answer(refusal: Refusal, context: ExecutionContext): MaybePromise<never> {
    return whenKnown(transportOf(context).answer(refusal, context), (error): never => {
      throw error as Error;
    });
  }

  private async explain(context: ExecutionContext): Promise<readonly Explanation[]> {
    try {
      return await this.strategy.explain(this.getRequest(context), context);
    } catch {
      // The call has no request that could carry a token.
      return [];
    }
  }
}

/** A call while the guard decides about it. */
interface GuardedCall {
  readonly context: ExecutionContext;
  /** In milliseconds of `performance.now()`. */
  readonly startedAt: number;
  /** The result of the strategy, once it is known. */
  authentication?: Outcome;
}

type PassportMiddleware = (request: object, response: unknown, next: (error?: Error) => void) => void;

const PASSED = Symbol('pass() was called');
const OWN_AUTHENTICATE: unknown = Reflect.get(JwtStrategy.prototype, 'authenticate');

/** The arguments of `handleRequest`, as passport passes them. */
function resultOf(outcome: Outcome): PassportResult {
  switch (outcome.kind) {
    case 'caller':
      return [null, outcome.user, outcome.token, undefined];
    case 'guest':
      return [null, false, new AuthError('TOKEN_MISSING'), 401];
    case 'refused':
      return rejectsCredentials(outcome.error)
        ? [null, false, outcome.error, outcome.error.status]
        : [outcome.error, undefined, undefined, undefined];
  }
}

async function propertyOf(
  options: AuthGuardAuthenticateOptions | Promise<AuthGuardAuthenticateOptions>,
): Promise<string> {
  const property: unknown = ((await options) as AuthGuardAuthenticateOptions | undefined)?.property;
  return typeof property === 'string' && property !== '' ? property : 'user';
}
