import { type ExecutionContext, HttpException, Inject, Injectable, Logger } from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import { AuthGuard as PassportAuthGuard } from '@nestjs/passport';
import type { VerifiedAccessToken } from '../access-token.js';
import { AuthError } from '../errors.js';
import { challengeFor } from '../token/challenge.js';
import { authenticationOf, rememberAuthentication } from './authentication.js';
import { ROUTE_ACCESS, type RouteAccess } from './decorators.js';
import { toHttpException } from './exceptions.js';
import { JwtStrategy } from './jwt.strategy.js';
import { type HttpRequest, isAnonymous, requestOf, responseOf } from './transport.js';

/**
 * Lets a call through when its access token is good, or its handler is `@Public()`. Installed for the whole
 * application by `AuthModule`, or by hand: `@UseGuards(AuthGuard)` with `guard: 'manual'`.
 *
 * Subclasses may override what passport guards always had: `getRequest`, `handleRequest`, `getAuthenticateOptions`.
 */
@Injectable()
export class AuthGuard extends PassportAuthGuard() {
  private readonly logger = new Logger(AuthGuard.name);

  constructor(
    @Inject(JwtStrategy) private readonly strategy: JwtStrategy,
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {
    const options = { defaultStrategy: strategy.name, session: false };
    super(options);
    // The base class has its options injected after this, if a PassportModule is in sight. Its `defaultStrategy` would
    // put another strategy, with other checks, in the place of ours.
    Object.defineProperty(this, 'options', { get: () => options, set: () => undefined });
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.accessOf(context) === 'public') return true;
    try {
      const isLetIn = (await super.canActivate(context)) as boolean;
      await this.rememberUser(context);
      return isLetIn;
    } catch (error) {
      throw this.refusalOf(error, context);
    }
  }

  override getRequest(context: ExecutionContext): HttpRequest {
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
  ): User {
    if (error !== null && error !== undefined) throw error as Error;
    if (info !== undefined && !(info instanceof AuthError)) return user;
    // A guest is who sends nothing; not whoever is refused with the code for that, which `user` may throw too.
    const isGuest = info?.code === 'TOKEN_MISSING' && isAnonymous(this.getRequest(context));
    if (isGuest && this.accessOf(context) === 'optional') return undefined as User;
    throw info ?? new AuthError('TOKEN_MISSING');
  }

  /** The base class has put what `handleRequest` returned on the request; from there anyone could change it later. */
  private async rememberUser(context: ExecutionContext): Promise<void> {
    const { property = 'user' } = ((await this.getAuthenticateOptions(context)) ?? {}) as { property?: string };
    const request = this.getRequest(context);
    const user = (request as unknown as Record<string, unknown>)[property];
    rememberAuthentication(request, { user, token: authenticationOf(request)?.token });
  }

  private accessOf(context: ExecutionContext): RouteAccess | undefined {
    return this.reflector.getAllAndOverride<RouteAccess | undefined>(ROUTE_ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
  }

  /** What Nest is to answer with. The challenge is on the response by then, whatever filter writes the body. */
  private refusalOf(error: unknown, context: ExecutionContext): unknown {
    if (error instanceof AuthError) {
      this.challenge(context, challengeFor(error, this.strategy.realm), error.retryAfterSeconds);
      this.log(error, context);
      return toHttpException(error);
    }
    // The application's own 401 (of `user`, or of a subclass) is one all the same (RFC 9110 §15.5.2).
    if (error instanceof HttpException && error.getStatus() === 401) {
      this.challenge(context, challengeFor(new AuthError('TOKEN_MISSING'), this.strategy.realm));
    }
    return error;
  }

  private challenge(context: ExecutionContext, challenge: string | undefined, retryAfterSeconds?: number): void {
    const { httpAdapter } = this.adapterHost;
    const response = responseOf(context);
    if (response === undefined) return;
    if (challenge !== undefined) httpAdapter.setHeader(response, 'WWW-Authenticate', challenge);
    if (retryAfterSeconds !== undefined) httpAdapter.setHeader(response, 'Retry-After', String(retryAfterSeconds));
  }

  private log(error: AuthError, context: ExecutionContext): void {
    // Whether anybody listens is the logger's affair: `Logger.isLevelEnabled` does not know an application's own on Nest 11.
    const handler = `${context.getClass().name}.${context.getHandler().name}`;
    this.logger.debug(`Refused ${handler}: ${error.code} ${factsOf(error)}`);
  }
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
