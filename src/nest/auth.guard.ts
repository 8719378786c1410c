import { type ExecutionContext, Inject, Injectable, Logger } from '@nestjs/common';
import passport from 'passport';
import { AuthGuard as PassportAuthGuard } from '@nestjs/passport';
import { AuthError } from '../model/errors.js';
import { isPromise, type MaybePromise, recovering, whenKnown } from '../model/maybe-promise.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { type Demand, NO_DEMAND } from '../token/authenticator.js';
import { FrozenAccessToken } from '../token/verified-access-token.js';
import { AuthEvents } from './auth-events.js';
import { RESOLVED_OPTIONS } from './auth-options.js';
import { handlerName } from './nest-internals.js';
import {
  callerOf,
  JwtStrategy,
  type PassportCall,
  passportCall,
  type PassportResult,
  passportResult,
} from './jwt.strategy.js';
import { type CallMemory, type CallRecord, GUEST, isNobody, memoryOf, type Outcome } from './outcome.js';
import { factsText, isTransportException, type Refusal, refusalOf } from './refusals/refusal.js';
import { explainRefusal } from './refusals/refusal-hints.js';
import { RequirementChecker } from './routes/requirement-checker.js';
import { RouteMetadata, type RouteRules } from './routes/route-metadata.js';
import type { HttpRequest } from './transports/http.js';
import { ConnectionExpiry } from './transports/connection-expiry.js';
import type { LongConnection, Transport } from './transports/transport.js';
import { transportOf } from './transports/transport-of.js';

/**
 * Admits a call if its access token is valid and permits what the handler requires, or if the handler is `@Public()`.
 * `AuthModule` installs it for the whole application; with `guard: 'manual'` use `@UseGuards(AuthGuard)`. It guards HTTP,
 * GraphQL, WebSocket messages and microservices. For connections and routes that Nest calls no guard for, use
 * `SocketAuthenticator` and `AuthMiddleware`.
 *
 * Subclasses may override the methods of a passport guard: `getRequest`, `handleRequest`, `getAuthenticateOptions`, and `canActivate`:
 * `return (await super.canActivate(context)) && …`. The result is a promise where keys or a policy are waited for, and a promise counts as
 * true without `await`.
 */
@Injectable()
export class AuthGuard extends PassportAuthGuard() {
  private readonly logger = new Logger(AuthGuard.name);

  constructor(
    @Inject(JwtStrategy) private readonly strategy: JwtStrategy,
    @Inject(RouteMetadata) private readonly routes: RouteMetadata,
    @Inject(RequirementChecker) private readonly requirements: RequirementChecker,
    @Inject(ConnectionExpiry) private readonly expiry: ConnectionExpiry,
    @Inject(AuthEvents) private readonly events: AuthEvents,
    @Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'realm' | 'explainRefusals'>,
  ) {
    // The base class logs an error without a strategy. The option is not read, because `canActivate` is replaced.
    super({ defaultStrategy: strategy.name });
  }

  override canActivate(context: ExecutionContext): MaybePromise<boolean> {
    const call = new GuardedCall(context);
    return recovering(
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
    if (isNobody(user)) throw new AuthError('TOKEN_MISSING');
    return user;
  }

  // These steps take no closures where the result is known: they run for each request, and most requests repeat a token.
  private admit(call: GuardedCall): MaybePromise<boolean> {
    const { context, transport } = call;
    const rules = (call.rules = this.rulesOf(context));
    if (rules.access === 'public') {
      transport.memoOf(context);
      return true;
    }
    call.connection = transport.connectionOf(context, rules.eventStream);
    // Before any code of the application that could admit a message of a refused socket: a strategy, `handleRequest`.
    const opened = call.connection?.whenAdmitted?.();
    return isPromise(opened) ? opened.then(() => this.admitOpened(call)) : this.admitOpened(call);
  }

  private admitOpened(call: GuardedCall): MaybePromise<boolean> {
    const options = this.getAuthenticateOptions(call.context);
    if (options === undefined) return this.admitRequest(call);
    return Promise.resolve(options).then((known) => {
      const property: unknown = (known as typeof known | undefined)?.property;
      if (typeof property === 'string' && property !== '') call.property = property;
      return this.admitRequest(call);
    });
  }

  private admitRequest(call: GuardedCall): MaybePromise<boolean> {
    const request = this.getRequest(call.context);
    call.memory = memoryOf(call.transport.memoOf(call.context, request), request);
    call.record = call.memory.recordOf(this.strategy);
    const outcome = this.authenticate(call);
    return isPromise(outcome) ? outcome.then((known) => this.authorize(known, call)) : this.authorize(outcome, call);
  }

  private authorize(outcome: Outcome, call: GuardedCall): MaybePromise<boolean> {
    const { context, rules, connection, memory, record } = call;
    const { user, token } = outcome.kind === 'caller' ? outcome : NO_CALLER;
    if (token !== undefined) connection?.checkOwner?.(token);
    call.authentication ??= outcome;
    (memory.request as Record<string, unknown>)[call.property] = user;
    // `request.user` cannot serve as the memory, because any code may change it later.
    memory.decide(outcome);
    const isRepeated = record.isAdmitted(context);
    if (!isRepeated) call.rules = this.withScopesOfCall(rules, context);
    const checked = isRepeated ? undefined : this.requirements.check(call.rules, token, context);
    const admitted = () => {
      if (!isRepeated) for (const extension of rules.extensions) extension.admit?.({ context, token, user, ...rules });
      record.admit(context);
      if (token !== undefined && connection !== undefined) {
        connection.setOwner?.(token);
        this.expiry.watch(connection, token, rules.challenge);
      }
      if (!isRepeated) this.events.emit({ context, startedAt: call.startedAt, token });
      return true;
    };
    if (!isPromise(checked)) return admitted();
    return checked.then(() => {
      // Another message of the socket may have been authenticated while a policy waited.
      memory.decide(outcome);
      return admitted();
    });
  }

  /** Adds the scopes that only this call of the route needs, so that one challenge names all of them. */
  private withScopesOfCall(rules: RouteRules, context: ExecutionContext): RouteRules {
    if (rules.extensions.length === 0) return rules;
    const request = context.switchToHttp().getRequest<HttpRequest>();
    return this.routes.withScopes(
      rules,
      rules.extensions.flatMap((extension) => extension.scopesOf(request)),
    );
  }

  private authenticate(call: GuardedCall): MaybePromise<Outcome> {
    if (this.strategy.authenticate !== OWN_AUTHENTICATE) return this.authenticateByPassport(call);
    const { memory, context, rules, transport, record } = call;
    const outcome = this.strategy.authenticateCall(memory.request, context, rules.resource, transport, record);
    return isPromise(outcome) ? outcome.then((known) => this.decide(known, call)) : this.decide(outcome, call);
  }

  private decide(outcome: Outcome, call: GuardedCall): MaybePromise<Outcome> {
    call.authentication = outcome;
    void call.record.remember(demandOf(call.rules), outcome);
    if (this.handleRequest !== OWN_HANDLE_REQUEST) return this.handle(passportResult(outcome), call);
    if (outcome.kind === 'refused') throw outcome.error;
    return checkGuest(outcome, call.rules);
  }

  /** For a strategy of the application that replaces `JwtStrategy`. It may delegate to it. */
  private async authenticateByPassport(call: GuardedCall): Promise<Outcome> {
    const asked: PassportCall = { context: call.context, demand: call.rules.resource };
    const result = await this.askPassport(call.memory.request, asked);
    call.authentication = asked.outcome;
    if (asked.outcome !== undefined) void call.record.remember(demandOf(call.rules), asked.outcome);
    return this.handle(result, call);
  }

  private handle([error, user, info, status]: PassportResult, call: GuardedCall): MaybePromise<Outcome> {
    const token = info instanceof FrozenAccessToken ? info : undefined;
    // `pass()` of a replaced strategy lets the request through without a decision.
    if (info === PASSED) return checkGuest(GUEST, call.rules);
    const handled: unknown = this.handleRequest(error, user, info, call.context, status);
    return whenKnown(handled, (found): Outcome => {
      if (token !== undefined) return callerOf(found, token);
      if (!isNobody(found)) return { kind: 'caller', user: found, token };
      // An override that only returns the user that it received does not admit the caller.
      if (call.authentication?.kind === 'guest') return checkGuest(GUEST, call.rules);
      throw error ?? (info instanceof AuthError ? info : new AuthError('TOKEN_MISSING'));
    });
  }

  private async askPassport(request: object, call: PassportCall): Promise<PassportResult> {
    const { context } = call;
    const options = { session: false, ...(await this.getAuthenticateOptions(context)) };
    return new Promise((resolve, reject) => {
      const callback = (error: Error | null, user: unknown, info: unknown, status: number | undefined) => {
        resolve([error, user, info, status]);
      };
      const next = (error?: Error) => {
        if (error === undefined) resolve([null, undefined, PASSED, undefined]);
        else reject(error);
      };
      passportCall.run(call, () => {
        const authenticate = passport.authenticate(this.strategy.name, options, callback) as PassportMiddleware;
        authenticate(request, context.switchToHttp().getResponse(), next);
      });
    });
  }

  private isGuest(context: ExecutionContext): boolean {
    const request = this.getRequest(context);
    const memo = transportOf(context).memoOf(context, request);
    return (
      memoryOf(memo, request)
        .recordOf(this.strategy)
        .resultFor(demandOf(this.rulesOf(context))) === GUEST
    );
  }

  private rulesOf(context: ExecutionContext): RouteRules {
    return this.routes.ofCall(context);
  }

  /** @throws the error that Nest answers with. On HTTP the challenges are set on the response, so that exception filters keep them. */
  private refuse(error: unknown, call: GuardedCall): MaybePromise<never> {
    const { context, authentication, startedAt, rules } = call;
    // Undefined if the rules of the handler contradict each other.
    const challenge = (rules as RouteRules | undefined)?.challenge ?? this.settings;
    if (!(error instanceof AuthError)) return this.answer(refusalOf(error, challenge), context);
    // The admission of a socket was refused. Its messages waited for it, and are refused in the same way.
    if (isTransportException(error)) throw error;
    const token = authentication?.kind === 'guest' ? undefined : authentication?.token;
    const issuer = authentication?.kind === 'refused' ? authentication.issuer : token?.issuer;
    this.events.emit({ context, startedAt, token, issuer }, error);
    // Whether debug messages are written is for the logger to decide: Nest 11 does not know the level of a custom logger.
    this.logger.debug(`Refused ${handlerName(context)}: ${error.code} ${factsText(error.detail)}`);
    if (!this.settings.explainRefusals) return this.answer(refusalOf(error, challenge), context);
    const rows = this.strategy.explain(() => this.getRequest(context), context, rules.resource);
    return rows.then((known) => this.answer(refusalOf(error, challenge, explainRefusal(error, known, token)), context));
  }

  private answer(refusal: Refusal, context: ExecutionContext): MaybePromise<never> {
    return whenKnown(transportOf(context).answer(refusal, context), (error): never => {
      throw error as Error;
    });
  }
}

/** What the guard knows about one call. Each step adds to it. */
class GuardedCall {
  readonly transport: Transport;
  /** The time of `performance.now()`, in milliseconds. */
  readonly startedAt = performance.now();
  rules!: RouteRules;
  memory!: CallMemory;
  record!: CallRecord;
  /** The property of the request that receives the user. */
  property = 'user';
  connection: LongConnection | undefined;
  /** The result of the strategy. Undefined until it is known. */
  authentication: Outcome | undefined;

  constructor(readonly context: ExecutionContext) {
    this.transport = transportOf(context);
  }
}

function demandOf({ resource }: RouteRules): Demand {
  return resource ?? NO_DEMAND;
}

function checkGuest(outcome: Outcome, { access }: RouteRules): Outcome {
  if (outcome.kind === 'guest' && access !== 'optional') throw new AuthError('TOKEN_MISSING');
  return outcome;
}

const NO_CALLER = Object.freeze({ user: undefined, token: undefined });

type PassportMiddleware = (request: object, response: unknown, next: (error?: Error) => void) => void;

const PASSED = Symbol('pass() was called');
const OWN_AUTHENTICATE: unknown = Reflect.get(JwtStrategy.prototype, 'authenticate');
const OWN_HANDLE_REQUEST: unknown = Reflect.get(AuthGuard.prototype, 'handleRequest');
