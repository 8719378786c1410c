import { AsyncLocalStorage } from 'node:async_hooks';
import { callbackify } from 'node:util';
import { type ExecutionContext, Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { Strategy } from 'passport-jwt';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import { isPromise, type MaybePromise, recovering, whenKnown } from '../model/maybe-promise.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { AccessTokenVerifier, type VerificationContext } from '../token/access-token-verifier.js';
import { type Authenticator, type Demand, NO_DEMAND, Rejected } from '../token/authenticator.js';
import type { Explanation } from '../token/explain.js';
import { TokenExtractor } from '../token/token-extractor.js';
import { RESOLVED_OPTIONS } from './auth-options.js';
import { GUEST, isNobody, memoryOf, type Outcome } from './outcome.js';
import type { Transport } from './transports/transport.js';
import { transportOf } from './transports/transport-of.js';

/** A passport-jwt strategy. Declared here, so that the declarations of this package need no `@types` package. */
interface PassportJwtStrategy {
  readonly name: string;
  /** Called by passport, on an object that it creates for the request. */
  authenticate(request: object, options?: object): void;
  success(user: unknown, info?: unknown): void;
  fail(challenge?: unknown, status?: number): void;
  pass(): void;
  error(error: unknown): void;
}

// `PassportStrategy` registers each instance under this name in its constructor. It is removed again.
const SHARED_NAME = 'nestjs-resource-server';
let instances = 0;

const PassportJwtStrategy = PassportStrategy(Strategy, SHARED_NAME) as unknown as new (
  options: object,
) => PassportJwtStrategy;

/** A call that the guard has passport authenticate. Passport passes on nothing but the request. */
export interface PassportCall {
  readonly context: ExecutionContext;
  readonly demand?: Demand;
  /** The result of the last call of a strategy of this package. */
  outcome?: Outcome;
}

export const passportCall = new AsyncLocalStorage<PassportCall>();

/**
 * The passport strategy of `AuthGuard`: a passport-jwt strategy whose secret provider answers with the keys that jwks-rsa
 * fetches for the trusted issuers. `AccessTokenVerifier` verifies the token with the same keys, and checks more
 * than passport-jwt would. Override `validate` in a subclass to map a token to your own user.
 */
@Injectable()
export class JwtStrategy extends PassportJwtStrategy implements OnApplicationShutdown {
  /** The name in the registry of passport. The registry is shared by the process, so each instance has its own name. */
  declare readonly name: string;
  /** This strategy: passport calls `authenticate` on objects that inherit from it. */
  private readonly instance: object = this;
  private readonly user: ResolvedOptions['user'];
  private readonly extractor: TokenExtractor;
  private readonly authenticator: Authenticator;

  constructor(
    /** @internal */
    @Inject(AccessTokenVerifier) protected readonly verifier: AccessTokenVerifier,
    @Inject(RESOLVED_OPTIONS) { user, tokenFrom }: Pick<ResolvedOptions, 'user' | 'tokenFrom'>,
  ) {
    const extractor = new TokenExtractor(tokenFrom);
    const findKey = callbackify(async (token: string) => {
      const key = await verifier.signingKey(token);
      return key.export({ type: 'spki', format: 'pem' }).toString();
    });
    super({
      jwtFromRequest: (request: object) => {
        const presented = transportOf(httpContextOf(request)).read(request, httpContextOf(request), extractor);
        return presented?.token ?? null;
      },
      secretOrKeyProvider: (_request: unknown, token: string, done: Parameters<typeof findKey>[1]) => {
        findKey(token, done);
      },
    });
    this.user = user;
    this.extractor = extractor;
    this.authenticator = authenticatorOf(verifier);
    passport.unuse(SHARED_NAME);
    instances += 1;
    (this as { name: string }).name = `${SHARED_NAME}-${String(instances)}`;
    passport.use(this.name, this as unknown as Strategy);
  }

  /**
   * Maps a verified token to the user of the application, which becomes `request.user` and `@CurrentUser()`.
   * @returns by default the result of the `user` option, or the claims without it. A promise is awaited. `undefined`, `null` and
   * `false` refuse the call with USER_REFUSED.
   */
  validate(token: VerifiedAccessToken): unknown {
    return this.user === undefined ? token.claims : this.user(token);
  }

  /** Called by passport, on an object that it creates for the request and that has `success`, `fail` and `error`. */
  override authenticate(request: object): void {
    const call: PassportCall = passportCall.getStore() ?? { context: httpContextOf(request) };
    void Promise.resolve(this.authenticateCall(request, call.context, call.demand)).then((outcome) => {
      call.outcome = outcome;
      const [error, user, info, status] = passportResult(outcome);
      if (error !== null) this.error(error);
      else if (user === false) this.fail(info, status);
      else this.success(user, info);
    });
  }

  /**
   * Authenticates a call once, however many guards and GraphQL fields it has; once for each resource, if its fields belong to several.
   * Neither throws nor rejects.
   */
  authenticateCall(
    request: object,
    context: ExecutionContext,
    demand = NO_DEMAND,
    transport = transportOf(context),
    record = memoryOf(transport.memoOf(context, request), request).recordOf(this.instance),
  ): MaybePromise<Outcome> {
    const known = record.resultFor(demand);
    if (known !== undefined) return known;
    const outcome = this.authenticateOnce(request, context, demand, transport);
    return record.remember(
      demand,
      isPromise(outcome) ? outcome.then((result) => record.remember(demand, result)) : outcome,
    );
  }

  /**
   * Explains to a developer what every check of the presented token returned, except `validate`. Empty if there is none.
   * For `explainRefusals`.
   */
  async explain(
    requestOf: () => object,
    context: ExecutionContext,
    demand = NO_DEMAND,
  ): Promise<readonly Explanation[]> {
    try {
      const presented = transportOf(context).read(requestOf(), context, this.extractor);
      if (presented === undefined) return [];
      return await this.verifier.explain(presented.token, { callsValidate: false, ...contextOf(demand) });
    } catch {
      // For example, a token was sent twice, or the call has no request that could carry one.
      return [];
    }
  }

  /** Not earlier: requests are served until the server is closed, which happens just before. */
  onApplicationShutdown(): void {
    passport.unuse(this.name);
  }

  private authenticateOnce(
    request: object,
    context: ExecutionContext,
    demand: Demand,
    transport: Transport,
  ): MaybePromise<Outcome> {
    return recovering<Outcome>(
      () => {
        const presented = transport.read(request, context, this.extractor);
        if (presented === undefined) return GUEST;
        return whenKnown(this.authenticator.authenticate(presented, demand), (result) => this.outcomeOf(result));
      },
      (error) => refused(error),
    );
  }

  private outcomeOf(result: VerifiedAccessToken | Rejected): MaybePromise<Outcome> {
    if (result instanceof Rejected) return refused(result.error, undefined, result.issuer);
    return recovering<Outcome>(
      () => whenKnown(this.validate(result), (user) => callerOf(user, result)),
      (error) => refused(error, result, result.issuer),
    );
  }
}

/** The arguments of passport's callback, and of `handleRequest`. */
export type PassportResult = readonly [error: Error | null, user: unknown, info: unknown, status: number | undefined];

/** The user is false if the credentials are at fault, and not this application (503) or its own code. */
export function passportResult(outcome: Outcome): PassportResult {
  if (outcome.kind === 'caller') return [null, outcome.user, outcome.token, undefined];
  const error = outcome.kind === 'guest' ? new AuthError('TOKEN_MISSING') : outcome.error;
  return error instanceof AuthError && error.status !== 503
    ? [null, false, error, error.status]
    : [error, undefined, undefined, undefined];
}

/**
 * An application may replace the verifier by an object, or by a subclass, that implements only `verify`. It receives the audience of the
 * resource as the second argument.
 */
function authenticatorOf(verifier: AccessTokenVerifier): Authenticator {
  if (verifier.verify === OWN_VERIFY) return verifier;
  return {
    authenticate: ({ token }, demand) =>
      recovering<VerifiedAccessToken | Rejected>(
        () => (demand === NO_DEMAND ? verifier.verify(token) : verifier.verify(token, contextOf(demand))),
        (error) => new Rejected(error, undefined),
      ),
  };
}

function contextOf({ audience, exclusiveAudience }: Demand): VerificationContext {
  return { ...(audience && { audience }), ...(exclusiveAudience !== undefined && { exclusiveAudience }) };
}

const OWN_VERIFY: unknown = Reflect.get(AccessTokenVerifier.prototype, 'verify');

function httpContextOf(request: object): ExecutionContext {
  return new ExecutionContextHost([request]);
}

/** @throws AuthError USER_REFUSED if there is no user. */
export function callerOf(user: unknown, token: VerifiedAccessToken): Outcome {
  if (isNobody(user)) throw new AuthError('USER_REFUSED', { issuer: token.issuer });
  return { kind: 'caller', user, token };
}

/** @param issuer of the token, once it is known to be trusted. */
function refused(thrown: unknown, token?: VerifiedAccessToken, issuer?: string): Outcome {
  const message = 'The `user`, `validate` or `issuers` option threw a value that is not an Error';
  const error = thrown instanceof Error ? thrown : new Error(message, { cause: thrown });
  return { kind: 'refused', error, token, issuer };
}
