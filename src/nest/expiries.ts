import { type ExecutionContext, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { VerifiedAccessToken } from '../access-token.js';
import { AuthError } from '../errors.js';
import { AcceptedToken } from '../token/accepted-token.js';
import { transportOf } from './transport.js';
import type { LongConnection } from './transports/transport.js';

interface Watch {
  timer: NodeJS.Timeout;
  expiresAtMs: number;
}

// setTimeout takes no more; a longer one would fire at once.
const LONGEST_TIMER_MS = 2_147_483_647;

/** Closes sockets, subscriptions and event streams when their token expires, whether anything is sent or not. */
export class Expiries implements OnApplicationShutdown {
  private readonly logger = new Logger('AuthGuard');
  private readonly watches = new Map<object, Watch>();

  constructor(
    private readonly clock: () => number,
    private readonly graceSeconds: number,
  ) {}

  /** Has the connection of this call, if it outlives the call, closed when the token expires. The last token counts. */
  watch(context: ExecutionContext, token: VerifiedAccessToken, isEventStream: boolean): void {
    const connection = transportOf(context).connectionOf(context, isEventStream);
    if (connection === undefined) return;
    // The moment from which a request with this token is refused.
    const expiresAtMs = (token.claims.exp + AcceptedToken.clockToleranceOf(token)) * 1000;
    const known = this.watches.get(connection.key);
    if (known?.expiresAtMs === expiresAtMs) return;
    if (known === undefined) {
      connection.onClosed(() => {
        this.forget(connection.key);
      });
    } else {
      clearTimeout(known.timer);
    }
    this.arm(connection, expiresAtMs);
  }

  /** How many connections are watched. */
  get size(): number {
    return this.watches.size;
  }

  onApplicationShutdown(): void {
    for (const key of [...this.watches.keys()]) this.forget(key);
  }

  private arm(connection: LongConnection, expiresAtMs: number): void {
    const graceEndsMs = expiresAtMs + this.graceSeconds * 1000;
    const isWarning = this.graceSeconds > 0 && this.clock() < expiresAtMs;
    this.at(connection, expiresAtMs, isWarning ? expiresAtMs : graceEndsMs, () => {
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

  private at(connection: LongConnection, expiresAtMs: number, timeMs: number, act: () => void): void {
    const fire = () => {
      // The clock may have been set, and a timer may be early.
      if (this.clock() < timeMs) {
        this.at(connection, expiresAtMs, timeMs, act);
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
    this.watches.set(connection.key, { timer, expiresAtMs });
  }

  private forget(key: object): void {
    clearTimeout(this.watches.get(key)?.timer);
    this.watches.delete(key);
  }
}
