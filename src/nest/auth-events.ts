import { hash } from 'node:crypto';
import { type ExecutionContext, Inject, Injectable, Logger } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { VerifiedAccessToken } from '../model/access-token.js';
import type { AuthError, AuthErrorCode } from '../model/errors.js';
import { clientOf } from '../token/claims.js';
import { handlerName } from './request-context.js';
import { RouteNames } from './routes/route-names.js';

/** A call that the guard let through. Not told of `@Public()` routes, where nobody is asked. */
export interface AdmissionEvent {
  /** `OrdersController.list`. */
  readonly handler: string;
  /**
   * `GET /orders/:id`, as the route report has it, never the path that was sent. Undefined where `AuthMiddleware` is asked, and for
   * the new token of a socket.
   */
  readonly route: string | undefined;
  /** `http`, `graphql`, `ws` or `rpc`. */
  readonly transport: string;
  /** Of a trusted issuer; undefined for a guest. */
  readonly issuer: string | undefined;
  /** `client_id` of the token, or what issuers send in its place. Of a verified token only. */
  readonly clientId: string | undefined;
  /** SHA-256 of `jti`, base64url: to find the token in the issuer's log without having it in yours. */
  readonly jtiHash: string | undefined;
  /** What the guard took, in milliseconds: with the user, policies and the wait for keys. */
  readonly durationMs: number;
}

/** A call that was refused. `issuer` is there when it is a trusted one, whatever else is wrong with the token. */
export interface RefusalEvent extends AdmissionEvent {
  readonly code: AuthErrorCode;
  readonly status: AuthError['status'];
}

const verifiedTokens = new WeakMap<AuthError, VerifiedAccessToken>();

/** That a token was good, and was refused for what it stands for: an account that is locked, say. */
export function refusedThough(error: AuthError, token: VerifiedAccessToken): void {
  verifiedTokens.set(error, token);
}

type Listener<Event> = (event: Event) => unknown;

/** A call as the guard knows it when it is decided. */
export interface DecidedCall {
  readonly context: ExecutionContext;
  /** Undefined for a guest, and where the token was refused. */
  readonly token: VerifiedAccessToken | undefined;
  /** By `performance.now()`. */
  readonly startedAt: number;
}

/**
 * Tells what the guard decides, for audit logs and metrics. Nothing that is secret is told: no token, and no claim but the
 * client. A listener is called before the answer is sent, so it should be quick; what it throws, or rejects with, is logged, and
 * decides nothing. What a subscriber of the observables throws RxJS throws again, where nobody catches it: there, catch it
 * yourself.
 *
 * A call is told once, however many guards it meets; GraphQL is asked, and told, field by field. What an application's own code
 * fails with (500) is no refusal, and not told.
 */
@Injectable()
export class AuthEvents {
  private readonly logger = new Logger(AuthEvents.name);
  private readonly refusalListeners = new Set<Listener<RefusalEvent>>();
  private readonly admissionListeners = new Set<Listener<AdmissionEvent>>();

  constructor(@Inject(RouteNames) private readonly routes: RouteNames) {}

  readonly refusals = new Observable<RefusalEvent>((observer) =>
    this.onRefusal((event) => {
      observer.next(event);
    }),
  );

  readonly admissions = new Observable<AdmissionEvent>((observer) =>
    this.onAdmission((event) => {
      observer.next(event);
    }),
  );

  /** @returns what ends it. */
  onRefusal(listener: Listener<RefusalEvent>): () => void {
    return added(this.refusalListeners, listener);
  }

  /** @returns what ends it. */
  onAdmission(listener: Listener<AdmissionEvent>): () => void {
    return added(this.admissionListeners, listener);
  }

  /** Whether anybody wants to know: else nothing is measured. */
  get isObserved(): boolean {
    return this.refusalListeners.size > 0 || this.admissionListeners.size > 0;
  }

  admitted(call: DecidedCall): void {
    if (this.admissionListeners.size > 0)
      this.tell(this.admissionListeners, () => this.eventOf(call, call.token?.issuer));
  }

  refused(call: DecidedCall, error: AuthError): void {
    if (this.refusalListeners.size === 0) return;
    const { code, status, issuer } = error;
    const token = call.token ?? verifiedTokens.get(error);
    this.tell(this.refusalListeners, () => ({
      ...this.eventOf({ ...call, token }, token?.issuer ?? issuer),
      code,
      status,
    }));
  }

  private eventOf({ context, token, startedAt }: DecidedCall, issuer: string | undefined): AdmissionEvent {
    // Before anything is looked up for it.
    const durationMs = performance.now() - startedAt;
    const { jti } = token?.claims ?? {};
    return {
      handler: handlerName(context),
      route: this.routes.of(context),
      transport: context.getType(),
      issuer,
      clientId: token && clientOf(token.claims),
      jtiHash: typeof jti === 'string' ? hash('sha256', jti, 'base64url') : undefined,
      durationMs,
    };
  }

  private tell<Event>(listeners: ReadonlySet<Listener<Event>>, make: () => Event): void {
    const failed = (error: unknown) => {
      this.logger.error(error);
    };
    try {
      const event = make();
      for (const listener of listeners) {
        try {
          // It may be async, whatever its type says.
          Promise.resolve(listener(event)).catch(failed);
        } catch (error) {
          failed(error);
        }
      }
    } catch (error) {
      failed(error);
    }
  }
}

function added<Event>(listeners: Set<Listener<Event>>, listener: Listener<Event>): () => void {
  // One of its own, so that the same function may listen twice.
  const own: Listener<Event> = (event) => listener(event);
  listeners.add(own);
  return () => {
    listeners.delete(own);
  };
}
