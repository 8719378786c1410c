import { AsyncLocalStorage } from 'node:async_hooks';
import { type ExecutionContext, Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import { type MaybePromise, recovering, whenKnown } from '../model/maybe-promise.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { type Authenticator, NO_DEMAND, Rejected } from '../token/authenticator.js';
import type { Explanation } from '../token/explain.js';
import type { Presented } from '../token/presented.js';
import { TokenExtractor } from '../token/token-extractor.js';
import { RESOLVED_OPTIONS } from './auth-options.js';
import { GUEST, type Outcome, recordOf } from './outcome.js';
import { transportOf } from './transports/transport-of.js';

/** The part of passport that registers strategies. */
interface StrategyRegistry {
  use(name: string, strategy: unknown): void;
  unuse(name: string): void;
}

// `PassportStrategy` registers each instance under this name in its constructor. It is removed again.
const SHARED_NAME = 'nestjs-resource-server';
let instances = 0;

/** The context of the call for which passport calls `authenticate`; passport passes on the request only. */
export const contextOfPassport = new AsyncLocalStorage<ExecutionContext>();

/**
 * The passport strategy of `AuthGuard`: a passport-jwt strategy whose secret provider answers with the keys that jwks-rsa
 * fetches for the trusted issuers. `AccessTokenVerifier` verifies the token with the same keys, and checks more
 * than passport-jwt would. Override `validate` in a subclass to map a token to your own user.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, SHARED_NAME) implements OnApplicationShutdown {
  /** The name in the registry of passport. The registry is shared by the process, so each instance has its own name. */
  declare readonly name: string;
  private readonly user: ResolvedOptions['user'];
  private readonly extractor: TokenExtractor;
  private readonly authenticator: Authenticator;

  constructor(
    @Inject(AccessTokenVerifier) private readonly verifier: AccessTokenVerifier,
    @Inject(RESOLVED_OPTIONS) { user, tokenFrom }: Pick<ResolvedOptions, 'user' | 'tokenFrom'>,
  ) {
    const extractor = new TokenExtractor(tokenFrom);
    super({
      jwtFromRequest: (request: object) => {
        const context = httpContextOf(request);
        return transportOf(context).read(request, context, extractor)?.token ?? null;
      },
      secretOrKeyProvider: (_request: unknown, token: string, done: (error: unknown, key?: string) => void) => {
        verifier.signingKey(token).then(
          (key) => {
            done(null, key.export({ type: 'spki', format: 'pem' }).toString());
          },
          (error: unknown) => {
            done(error);
          },
        );
      },
    });
    this.user = user;
    this.extractor = extractor;
    this.authenticator = authenticatorOf(verifier);
    const registry = this.registry;
    registry.unuse(SHARED_NAME);
    instances += 1;
    (this as { name: string }).name = `${SHARED_NAME}-${String(instances)}`;
    registry.use(this.name, this);
  }

  /**
   * Maps a verified token to the user of the application, which becomes `request.user` and `@CurrentUser()`.
   * @returns by default what the `user` option returns, or the claims without it.
   * @throws AuthError USER_REFUSED if the `user` option returns nothing.
   */
  validate(token: VerifiedAccessToken): unknown {
    if (this.user === undefined) return token.claims;
    const user: unknown = this.user(token);
    return isThenable(user) ? Promise.resolve(user).then((found) => checkUser(found, token)) : checkUser(user, token);
  }

  /** Called by passport, on an object that it creates for the request and that has `success`, `fail` and `error`. */
  override authenticate(request: object): void {
    const context = contextOfPassport.getStore() ?? httpContextOf(request);
    void Promise.resolve(this.authenticateCall(request, context)).then((outcome) => {
      switch (outcome.kind) {
        case 'caller':
          this.success(outcome.user, outcome.token);
          return;
        case 'guest':
          this.fail(new AuthError('TOKEN_MISSING'), 401);
          return;
        case 'refused':
          if (rejectsCredentials(outcome.error)) this.fail(outcome.error, outcome.error.status);
          else this.error(outcome.error);
      }
    });
  }

  /** Authenticates a call once, however many guards and GraphQL fields it has. Neither throws nor rejects. */
  authenticateCall(request: object, context: ExecutionContext): MaybePromise<Outcome> {
    const record = recordOf(transportOf(context).memoOf(context), request);
    return (record.authentication ??= whenKnown(
      this.authenticateOnce(request, context),
      (outcome) => (record.authentication = outcome),
    ));
  }

  /**
   * Explains to a developer what every check of the presented token returned, except `validate`. Empty if there is none.
   * For `explainRefusals`.
   */
  async explain(request: object, context: ExecutionContext): Promise<readonly Explanation[]> {
    try {
      const presented = transportOf(context).read(request, context, this.extractor);
      return presented === undefined ? [] : await this.verifier.explain(presented.token, { callsValidate: false });
    } catch {
      // For example a token that was sent twice.
      return [];
    }
  }

  /** Not earlier: requests are served until the server is closed, which happens just before. */
  onApplicationShutdown(): void {
    this.registry.unuse(this.name);
  }

  private authenticateOnce(request: object, context: ExecutionContext): MaybePromise<Outcome> {
    return recovering<Outcome>(
      () => {
        const presented = transportOf(context).read(request, context, this.extractor);
        return presented === undefined ? GUEST : this.authenticatePresented(presented);
      },
      (error) => ({ kind: 'refused', error: toError(error) }),
    );
  }

  private authenticatePresented(presented: Presented): MaybePromise<Outcome> {
    return whenKnown(this.authenticator.authenticate(presented, NO_DEMAND), (result): MaybePromise<Outcome> => {
      if (result instanceof Rejected)
        return {
          kind: 'refused',
          error: toError(result.error),
          ...(result.issuer !== undefined && { issuer: result.issuer }),
        };
      const token = result;
      return recovering<Outcome>(
        () => whenKnown(promiseOf(this.validate(token)), (user): Outcome => ({ kind: 'caller', user, token })),
        (error) => ({ kind: 'refused', error: toError(error), token, issuer: token.issuer }),
      );
    });
  }

  private get registry(): StrategyRegistry {
    return (this as unknown as { getPassportInstance(): StrategyRegistry }).getPassportInstance();
  }
}

/** Returns whether the credentials are at fault, and not this application (503) or its own code. */
export function rejectsCredentials(error: Error): error is AuthError {
  return error instanceof AuthError && error.status !== 503;
}

/** Tests of an application may replace the verifier by an object or a subclass that implements only `verify`. */
function authenticatorOf(verifier: AccessTokenVerifier): Authenticator {
  if (verifier.verify === OWN_VERIFY) return verifier;
  return {
    authenticate: ({ token }) => verifier.verify(token).catch((error: unknown) => new Rejected(error, undefined)),
  };
}

const OWN_VERIFY: unknown = Reflect.get(AccessTokenVerifier.prototype, 'verify');

function httpContextOf(request: object): ExecutionContext {
  return new ExecutionContextHost([request]);
}

function checkUser(user: unknown, { issuer }: VerifiedAccessToken): unknown {
  if (user === undefined || user === null || user === false) throw new AuthError('USER_REFUSED', { issuer });
  return user;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function promiseOf(value: unknown): unknown {
  return isThenable(value) ? Promise.resolve(value) : value;
}

function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error('The `user`, `validate` or `issuers` option threw a value that is not an Error', { cause: thrown });
}
