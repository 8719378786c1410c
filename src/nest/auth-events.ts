import { hash } from 'node:crypto';
import { type ExecutionContext, Inject, Injectable, Logger } from '@nestjs/common';
import { Observable, type Observer, Subscriber, type Subscription } from 'rxjs';
import type { VerifiedAccessToken } from '../model/access-token.js';
import type { AuthError, AuthErrorCode } from '../model/errors.js';
import { clientOf } from '../token/claims.js';
import { handlerName } from './nest-internals.js';
import { CalledHandlers } from './routes/called-handlers.js';

interface CallEvent {
  /** `OrdersController.list`. */
  readonly handler: string;
  /**
   * `GET /orders/:id`, as in the route report, never the path that was sent. Undefined for `AuthMiddleware` and for the new
   * token of a socket.
   */
  readonly route: string | undefined;
  /** `http`, `graphql`, `ws`, `rpc`, or the name that another library gives: `rmq`. */
  readonly transport: string;
  /** The issuer of the token if it is a trusted one, whatever else is wrong with the token. Undefined for a guest. */
  readonly issuer: string | undefined;
  /** `client_id` of a verified token, or the claim that its issuer uses instead. */
  readonly clientId: string | undefined;
  /** SHA-256 of `jti` in base64url, to find the token in the issuer's log. */
  readonly jtiHash: string | undefined;
  /** How long the guard took, in milliseconds, including the `user` option, policies and the wait for keys. */
  readonly durationMs: number;
}

/** A call that the guard admitted. */
export interface AdmittedEvent extends CallEvent {
  readonly outcome: 'admitted';
}

/** A call that the guard refused. */
export interface RefusedEvent extends CallEvent {
  readonly outcome: 'refused';
  readonly code: AuthErrorCode;
  readonly status: AuthError['status'];
}

export type AuthEvent = AdmittedEvent | RefusedEvent;

export interface DecidedCall {
  readonly context: ExecutionContext;
  /** The verified token. Undefined for a guest, and if the token was rejected. */
  readonly token: VerifiedAccessToken | undefined;
  /** The time of `performance.now()`, in milliseconds. */
  readonly startedAt: number;
  /** The issuer of a rejected token, if it is a trusted one. */
  readonly issuer?: string;
}

/**
 * The decisions of the guard, for audit logs and metrics: `events.subscribe((event) => …)`. An event contains no token and no
 * claim except the client. Calls of `@Public()` handlers and errors of the application's own code (500) have no event. A call has
 * one event, however many guards it meets, and one more for each `AuthMiddleware`; GraphQL has one for each field that is guarded.
 *
 * A subscriber is called before the response is sent, so it should return quickly. What it throws or rejects is logged and
 * changes no decision. Behind an operator (`pipe`), RxJS rethrows errors of a subscriber globally: handle them there.
 */
@Injectable()
export class AuthEvents extends Observable<AuthEvent> {
  private readonly logger = new Logger(AuthEvents.name);
  private readonly subscribers = new Set<Subscriber<AuthEvent>>();

  constructor(@Inject(CalledHandlers) private readonly handlers: CalledHandlers) {
    super((subscriber) => {
      this.subscribers.add(subscriber);
      return () => this.subscribers.delete(subscriber);
    });
  }

  /** Whether there is a subscriber. Otherwise no event is created. */
  get isObserved(): boolean {
    return this.subscribers.size > 0;
  }

  override subscribe(
    observer?: Partial<Observer<AuthEvent>> | ((event: AuthEvent) => void) | null,
    ..._others: unknown[]
  ): Subscription {
    // Operators pass a subscriber of their own.
    if (observer instanceof Subscriber) return super.subscribe(observer);
    const next = typeof observer === 'function' ? observer : observer?.next?.bind(observer);
    return super.subscribe((event) => void this.guarded(() => next?.(event)));
  }

  emit(call: DecidedCall, error?: AuthError): void {
    if (!this.isObserved) return;
    void this.guarded(() => {
      const facts = this.factsOf(call);
      const event: AuthEvent =
        error === undefined
          ? { outcome: 'admitted', ...facts }
          : { outcome: 'refused', ...facts, code: error.code, status: error.status };
      for (const subscriber of [...this.subscribers]) subscriber.next(event);
    });
  }

  private factsOf({ context, token, startedAt, issuer }: DecidedCall): CallEvent {
    // Measured before the look-ups for the event.
    const durationMs = performance.now() - startedAt;
    const jti = token?.claims.jti;
    return {
      handler: handlerName(context),
      route: this.handlers.routeOf(context),
      transport: context.getType(),
      issuer: token?.issuer ?? issuer,
      clientId: token && clientOf(token.claims),
      jtiHash: typeof jti === 'string' ? hash('sha256', jti, 'base64url') : undefined,
      durationMs,
    };
  }

  /** Logs what `run` throws, or rejects with: a subscriber may be async, whatever its type says. */
  private async guarded(run: () => unknown): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.logger.error(error);
    }
  }
}
