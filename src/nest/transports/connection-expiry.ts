import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import { AuthError } from '../../model/errors.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import type { ChallengeContext } from '../../token/challenge.js';
import { acceptedUntilSeconds } from '../../token/verified-access-token.js';
import { RESOLVED_OPTIONS } from '../auth-options.js';
import { refusalOf } from '../refusals/refusal.js';
import type { LongConnection } from './transport.js';

// A longer delay overflows: setTimeout would fire immediately.
const MAX_TIMER_MS = 2_147_483_647;
/** For sockets, whose close events have no challenge. */
const NO_CHALLENGE: ChallengeContext = {};

/** Closes sockets, subscriptions and event streams when their token expires, even if nothing is sent over them. */
@Injectable()
export class ConnectionExpiry implements OnApplicationShutdown {
  private readonly logger = new Logger('AuthGuard');
  private readonly timers = new Map<object, NodeJS.Timeout>();

  constructor(@Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'clock' | 'connections'>) {}

  /** Closes a connection when this token expires, unless an earlier token already determines when it closes. */
  watch(connection: LongConnection, token: VerifiedAccessToken, challenge?: ChallengeContext): void {
    const watch = () => {
      if (!this.timers.has(connection.key)) this.renew(connection, token, challenge);
    };
    if (connection.whenOpened === undefined) watch();
    else connection.whenOpened(watch);
  }

  /** Closes a connection when this token expires, whatever token determined it before. */
  renew(connection: LongConnection, token: VerifiedAccessToken, challenge: ChallengeContext = NO_CHALLENGE): void {
    // No close event would follow to remove the timer.
    if (connection.isClosed()) return;
    const timer = this.timers.get(connection.key);
    if (timer === undefined) {
      connection.key.once(connection.closeEvent ?? 'close', () => {
        this.forget(connection.key);
      });
    } else {
      clearTimeout(timer);
    }
    this.arm(connection, acceptedUntilSeconds(token) * 1000, challenge);
  }

  get size(): number {
    return this.timers.size;
  }

  onApplicationShutdown(): void {
    for (const key of [...this.timers.keys()]) this.forget(key);
  }

  private arm(connection: LongConnection, expiresAtMs: number, challenge: ChallengeContext): void {
    const graceMs = connection.canRenew === true ? this.settings.connections.renewalGraceSeconds * 1000 : 0;
    const isWarning = graceMs > 0 && this.settings.clock() < expiresAtMs;
    const timeMs = isWarning ? expiresAtMs : expiresAtMs + graceMs;
    const fire = () => {
      // The clock may have been set back, and a timer may fire early or be capped.
      const isEarly = this.settings.clock() < timeMs;
      if (isEarly || isWarning) this.arm(connection, expiresAtMs, challenge);
      else this.forget(connection.key);
      if (!isEarly) this.notify(connection, isWarning, challenge);
    };
    const timer = setTimeout(fire, Math.min(Math.max(timeMs - this.settings.clock(), 1), MAX_TIMER_MS));
    // The server of the connection keeps the process alive, not this timer.
    timer.unref();
    this.timers.set(connection.key, timer);
  }

  private notify(connection: LongConnection, isWarning: boolean, challenge: ChallengeContext): void {
    const refusal = refusalOf(new AuthError('TOKEN_EXPIRED', { claim: 'exp' }), challenge);
    try {
      if (isWarning) connection.warn?.(refusal);
      else connection.close(refusal);
    } catch (error) {
      // The socket may have just closed. An error thrown in a timer has no handler, so log it.
      this.logger.debug(`A connection whose token expired could not be notified: ${String(error)}`);
    }
  }

  private forget(key: object): void {
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
  }
}
