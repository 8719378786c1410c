import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import { AuthError } from '../../model/errors.js';
import { AcceptedToken } from '../../token/accepted-token.js';
import type { LongConnection } from './transport.js';

interface Watch {
  readonly timer: NodeJS.Timeout;
}

// setTimeout takes no more; a longer one would fire at once.
const LONGEST_TIMER_MS = 2_147_483_647;

/** Closes sockets, subscriptions and event streams when their token expires, whether anything is sent or not. */
export class ConnectionExpiry implements OnApplicationShutdown {
  private readonly logger = new Logger('AuthGuard');
  private readonly watches = new Map<object, Watch>();

  constructor(
    private readonly clock: () => number,
    private readonly renewalGraceSeconds: number,
  ) {}

  /** Has a connection closed when this token expires, unless it is closed with another one already. */
  watch(connection: LongConnection, token: VerifiedAccessToken): void {
    if (!this.watches.has(connection.key)) this.renew(connection, token);
  }

  /** The same; the last token counts. */
  renew(connection: LongConnection, token: VerifiedAccessToken): void {
    // Nobody would say that it is closed.
    if (connection.isClosed) return;
    const known = this.watches.get(connection.key);
    if (known === undefined) {
      connection.onClosed(() => {
        this.forget(connection.key);
      });
    } else {
      clearTimeout(known.timer);
    }
    this.arm(connection, AcceptedToken.acceptedUntil(token) * 1000);
  }

  /** How many connections are watched. */
  get size(): number {
    return this.watches.size;
  }

  onApplicationShutdown(): void {
    for (const key of [...this.watches.keys()]) this.forget(key);
  }

  private arm(connection: LongConnection, expiresAtMs: number): void {
    const graceMs = connection.canRenew ? this.renewalGraceSeconds * 1000 : 0;
    const isWarning = graceMs > 0 && this.clock() < expiresAtMs;
    this.at(connection, isWarning ? expiresAtMs : expiresAtMs + graceMs, () => {
      const refusal = new AuthError('TOKEN_EXPIRED', { claim: 'exp' });
      if (isWarning) {
        this.arm(connection, expiresAtMs);
        connection.warn(refusal);
      } else {
        this.forget(connection.key);
        connection.close(refusal);
      }
    });
  }

  private at(connection: LongConnection, timeMs: number, act: () => void): void {
    const fire = () => {
      // The clock may have been set, and a timer may be early.
      if (this.clock() < timeMs) {
        this.at(connection, timeMs, act);
        return;
      }
      try {
        act();
      } catch (error) {
        // A socket that was closed in this very moment; a timer has nobody to throw to.
        this.logger.debug(`A connection whose token expired could not be told: ${String(error)}`);
      }
    };
    const timer = setTimeout(fire, Math.min(Math.max(timeMs - this.clock(), 1), LONGEST_TIMER_MS));
    // What keeps the process is the server that the connection belongs to.
    timer.unref();
    this.watches.set(connection.key, { timer });
  }

  private forget(key: object): void {
    clearTimeout(this.watches.get(key)?.timer);
    this.watches.delete(key);
  }
}
