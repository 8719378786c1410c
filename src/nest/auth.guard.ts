import { type ExecutionContext, Inject, Injectable, Logger } from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import { AuthGuard as PassportAuthGuard } from '@nestjs/passport';
import type { VerifiedAccessToken } from '../access-token.js';
import { AuthError } from '../errors.js';
import { challengeFor } from '../token/challenge.js';
import { rememberAuthentication } from './authentication.js';
import { ROUTE_ACCESS, type RouteAccess } from './decorators.js';
import { toHttpException } from './exceptions.js';
import { JwtStrategy } from './jwt.strategy.js';
import { type HttpRequest, requestOf } from './transport.js';

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
      return (await super.canActivate(context)) as boolean;
    } catch (error) {
      throw error instanceof AuthError ? this.refuse(error, context) : error;
    }
  }

  override getRequest(context: ExecutionContext): HttpRequest {
    return requestOf(context);
  }

  /**
   * What passport found: `error` is ours or the application's, `info` is the verified token or why there is none.
   * @returns the user; undefined for a guest.
   */
  override handleRequest<User>(
    error: unknown,
    user: User,
    info: VerifiedAccessToken | AuthError | undefined,
    context: ExecutionContext,
  ): User {
    if (error !== null && error !== undefined) throw error as Error;
    if (info !== undefined && !(info instanceof AuthError)) {
      rememberAuthentication(this.getRequest(context), { user, token: info });
      return user;
    }
    if (info?.code === 'TOKEN_MISSING' && this.accessOf(context) === 'optional') return undefined as User;
    throw info ?? new AuthError('TOKEN_MISSING');
  }

  private accessOf(context: ExecutionContext): RouteAccess | undefined {
    return this.reflector.getAllAndOverride<RouteAccess | undefined>(ROUTE_ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
  }

  private refuse(error: AuthError, context: ExecutionContext): Error {
    this.logger.debug(
      `Refused ${context.getClass().name}.${context.getHandler().name}: ${error.code} ${factsOf(error)}`,
    );
    if (context.getType() === 'http') this.challenge(error, context.switchToHttp().getResponse());
    return toHttpException(error);
  }

  /** On the response itself: so it is sent whatever exception filter of the application's writes the body. */
  private challenge(error: AuthError, response: unknown): void {
    const { httpAdapter } = this.adapterHost;
    const challenge = challengeFor(error, this.strategy.realm);
    if (challenge !== undefined) httpAdapter.setHeader(response, 'WWW-Authenticate', challenge);
    if (error.retryAfterSeconds !== undefined) {
      httpAdapter.setHeader(response, 'Retry-After', String(error.retryAfterSeconds));
    }
  }
}

const MAX_FACT_LENGTH = 256;

/** One line, whatever is in it: `kid` and `issuer` come from a token that nobody has verified. */
function factsOf({ detail }: AuthError): string {
  return JSON.stringify(detail, (_name, value: unknown) =>
    typeof value === 'string' && value.length > MAX_FACT_LENGTH ? `${value.slice(0, MAX_FACT_LENGTH)}…` : value,
  );
}
