import { Inject, Injectable, Logger, type Type } from '@nestjs/common';
import { AuthError } from '../errors.js';
import { AccessTokenVerifier } from '../token/verify.js';
import { AuthGuard } from './auth.guard.js';
import { authenticationOf } from './authentication.js';
import { isTransportException } from './exceptions.js';
import { nobody } from './handlers.js';
import { contextOf } from './request-context.js';
import type { HttpRequest } from './transports/http.js';
import { forwardExceptions, socketConnection, stateOfSocket, wsTransport } from './transports/ws.js';

/**
 * Guards the opening of sockets, which no guard of Nest is asked about: without it anybody may connect to a gateway, and
 * listen. `AuthenticatedGateway` does it for a whole gateway; by hand it is one line of `handleConnection`:
 *
 * ```ts
 * async handleConnection(client: Socket, request?: IncomingMessage) {
 *   if (!(await this.connections.admit(this, client, request))) return;
 * }
 * ```
 */
@Injectable()
export class ConnectionGuard {
  private readonly logger = new Logger(ConnectionGuard.name);

  constructor(
    @Inject(AuthGuard) private readonly guard: AuthGuard,
    @Inject(AccessTokenVerifier) private readonly verifier: AccessTokenVerifier,
  ) {}

  /**
   * Checks the socket that was opened as a call of the gateway's class, with its decorators: `@Public()`,
   * `@OptionalAuth()`, `@RequireScopes()` and so on. Messages that come meanwhile wait. Who is refused gets an `exception`
   * event, and the socket is closed: with 4400, 4401 or 4403 (ws), by `disconnect` (socket.io).
   *
   * @param request that the socket was opened with. With ws it must be given: it is the second parameter of
   * `handleConnection`, and the only place where the token can be.
   * @returns whether it was admitted. Never rejects: nobody waits for `handleConnection`.
   */
  async admit(gateway: object, client: object, request?: unknown): Promise<boolean> {
    const state = stateOfSocket(client);
    if (typeof request === 'object' && request !== null) state.request = request as HttpRequest;
    forwardExceptions(client);
    const controller = gateway.constructor as Type;
    const own: unknown = Reflect.get(gateway, 'handleConnection');
    const method = typeof own === 'function' ? (own as typeof nobody) : nobody;
    const context = contextOf('ws', [client, request], { controller, method });
    state.opening = context;
    try {
      state.admission = this.guard.canActivate(context);
      await state.admission;
      return true;
    } catch (error) {
      this.refuse(client, error);
      return false;
    }
  }

  /**
   * Gives an open socket a new token, for what comes after: the connection is closed when that one expires. It must be of
   * the same issuer and subject as the one that the socket was opened with.
   *
   * @returns when it expires, in seconds since 1970.
   * @throws AuthError when it is refused; the socket then stays open with the token that it has.
   */
  async renew(client: object, token: unknown): Promise<{ readonly expiresAt: number }> {
    const state = stateOfSocket(client);
    const { renewal } = state;
    // One after the other: each is compared with what the one before it made of the socket.
    const answer = Promise.resolve(renewal).then(() => this.renewed(client, token));
    state.renewal = answer.catch(() => undefined);
    try {
      return await answer;
    } catch (error) {
      const isPlain = error instanceof AuthError && !isTransportException(error);
      throw isPlain ? await wsTransport.exceptionOf(error, undefined) : error;
    }
  }

  private async renewed(client: object, token: unknown): Promise<{ readonly expiresAt: number }> {
    const state = stateOfSocket(client);
    if (state.opening === undefined) throw new AuthError('TOKEN_MISSING', { reason: 'the socket was not admitted' });
    await state.admission;
    if (typeof token !== 'string') throw new AuthError('TOKEN_MALFORMED', { reason: 'not a string' });
    const { claims } = await this.verifier.verify(token);
    const current = authenticationOf(client)?.token?.claims;
    // Else what the socket was let into for one caller would serve another.
    if (current !== undefined && (claims.iss !== current.iss || claims.sub !== current.sub))
      throw new AuthError('CLAIM_INVALID', { claim: 'sub', expected: 'the subject that the socket belongs to' });
    const { renewed } = state;
    state.renewed = token;
    try {
      // A call of its own: what was found out for the one before it was about another token.
      const [controller, method] = [state.opening.getClass(), state.opening.getHandler() as () => unknown];
      state.opening = contextOf('ws', state.opening.getArgs(), { controller, method });
      await this.guard.canActivate(state.opening);
    } catch (error) {
      state.renewed = renewed;
      throw error;
    }
    return { expiresAt: claims.exp };
  }

  private refuse(client: object, error: unknown): void {
    const connection = socketConnection(client);
    try {
      if (error instanceof AuthError) {
        connection.close(error);
        return;
      }
      this.logger.error(error);
      connection.fail();
    } catch (failure) {
      // A socket that is gone already; nobody waits for `handleConnection`, so a throw would end the process.
      this.logger.debug(`A socket that was refused could not be closed: ${String(failure)}`);
    }
  }
}
