import { Inject, Injectable, Logger, type Type } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { MAX_TOKEN_LENGTH } from '../../token/jwt/compact.js';
import { expiresAtSeconds } from '../../token/verified-access-token.js';
import { AuthEvents } from '../auth-events.js';
import { AuthGuard } from '../auth.guard.js';
import { RESOLVED_OPTIONS } from '../auth-options.js';
import { createContext, handlerName } from '../nest-internals.js';
import { JwtStrategy } from '../jwt.strategy.js';
import { copyCall, outcomeOf } from '../outcome.js';
import { type AuthRefusal, factsText, isTransportException, messageFacts, refusalOf } from '../refusals/refusal.js';
import { explainRefusal } from '../refusals/refusal-hints.js';
import type { HandlerFunction } from '../routes/found-handler.js';
import { ConnectionExpiry } from '../transports/connection-expiry.js';
import type { HttpRequest } from '../transports/http.js';
import { closeIfUnused, forwardExceptions, socketConnection, toWsException } from './socket-connection.js';
import { disableRecovery, disableRecoveryOf, namespaceOf } from './session-recovery.js';
import { RouteMetadata } from '../routes/route-metadata.js';
import { holdMessages, OpeningContext, standInFor, stateOf } from './socket-state.js';

// For one socket.
const MAX_PENDING_RENEWALS = 4;

/**
 * Authenticates sockets when they are opened. Nest calls no guard for that: without it any client may connect to a gateway and receive
 * broadcasts. `AuthenticatedGateway` calls it for a whole gateway. Without it, call it in `handleConnection`:
 *
 * ```ts
 * async handleConnection(client: Socket, request?: IncomingMessage) {
 *   if (!(await this.connections.admit(this, client, request))) return;
 * }
 * ```
 *
 * At that time the socket is open and receives broadcasts. With socket.io, refuse it earlier with one more line:
 * `afterInit(server: Namespace) { this.connections.guardNamespace(this, server); }`. With ws, send to admitted sockets only.
 */
@Injectable()
export class SocketAuthenticator {
  private readonly logger = new Logger(SocketAuthenticator.name);

  constructor(
    @Inject(AuthGuard) private readonly guard: AuthGuard,
    @Inject(JwtStrategy) private readonly strategy: JwtStrategy,
    @Inject(RouteMetadata) private readonly routes: RouteMetadata,
    @Inject(ConnectionExpiry) private readonly expiry: ConnectionExpiry,
    @Inject(AuthEvents) private readonly events: AuthEvents,
    @Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'realm' | 'explainRefusals'>,
  ) {}

  /**
   * Authenticates an opened socket as a call of the gateway class, with its decorators: `@Public()`, `@OptionalAuth()`,
   * `@RequireScopes()` and so on. Messages that arrive meanwhile wait: at most 100, and 4 MiB together. After that, and when a client is
   * refused, the client receives an `exception` event, and its socket is closed: with 4400, 4401 or 4403 (ws), or by `disconnect`
   * (socket.io).
   *
   * @param gateway whose decorators apply: `this`, in a gateway.
   * @param request that opened the socket. Required with ws, where it is the second parameter of `handleConnection` and the
   * only place that can carry the token.
   * @returns whether the socket is admitted. Never rejects, because nothing handles a rejection of `handleConnection`.
   */
  async admit(gateway: object, client: object, request?: unknown): Promise<boolean> {
    try {
      await this.admissionTo(gateway, client, request);
      await stateOf(client).overflow;
      const connection = socketConnection(client);
      // The gateway's `handleDisconnect` was already called.
      if (connection.isClosed()) return false;
      const outcome = outcomeOf(client);
      // Not earlier: with socket.io the client is not connected until its namespaces have admitted it.
      if (outcome?.kind === 'caller' && outcome.token !== undefined) this.expiry.watch(connection, outcome.token);
      return true;
    } catch (error) {
      this.close(client, error);
      return false;
    }
  }

  /**
   * With socket.io: authenticates sockets before they are connected, so that a refused client receives nothing. It gets a
   * `connect_error` whose `data` has the facts of an `exception` event. Does nothing with ws.
   *
   * Disables `connectionStateRecovery` for this namespace, whatever adapter it has or gets, because socket.io gives the rooms and
   * missed packets of a session to any client that knows the session id, before a token is required.
   *
   * @param server the argument of the gateway's `afterInit`.
   */
  guardNamespace(gateway: object, server: object): void {
    const namespace = namespaceOf(server);
    if (namespace === undefined) return;
    disableRecovery(namespace);
    namespace.use((client, next) => {
      const refuse = (error: unknown) => {
        closeIfUnused(client);
        return this.connectErrorOf(error);
      };
      void this.admissionTo(gateway, client)
        .then(() => undefined, refuse)
        .then(next);
    });
  }

  /**
   * Replaces the token of an open socket: the socket closes when the new token expires. The token must have the same issuer and
   * subject as the one that opened the socket (without a subject: the same client), and meet the requirements of each gateway
   * that the socket was opened to.
   *
   * @returns when the token expires, or reaches `maxTokenAgeSeconds`, in seconds since 1970.
   * @throws AuthError if the token is refused. The socket stays open with its earlier token.
   */
  async renew(client: object, token: unknown): Promise<{ readonly expiresAt: number }> {
    const state = stateOf(client);
    const startedAt = performance.now();
    try {
      // Checked before the message waits for its turn, because a waiting message stays in memory.
      if (typeof token !== 'string') throw new AuthError('TOKEN_MALFORMED', { reason: 'not a string' });
      if (token.length > MAX_TOKEN_LENGTH) throw new AuthError('TOKEN_TOO_LARGE', { limit: MAX_TOKEN_LENGTH });
      if (state.pendingRenewals >= MAX_PENDING_RENEWALS)
        throw new AuthError('TOKEN_MULTIPLE', { waiting: state.pendingRenewals });
      state.pendingRenewals += 1;
      // One after the other: each is compared with the result of the one before.
      const renewal = Promise.resolve(state.renewal)
        .then(() => this.renewNow(client, token))
        .finally(() => (state.pendingRenewals -= 1));
      state.renewal = renewal.catch(() => undefined);
      holdMessages(state, state.renewal);
      return await renewal;
    } catch (error) {
      // The guard converts and reports its own refusals.
      if (!(error instanceof AuthError) || isTransportException(error)) throw error;
      const method = Reflect.get(this, 'renew') as HandlerFunction;
      const context = createContext('ws', [client], { controller: SocketAuthenticator, method });
      this.events.emit({ context, token: undefined, startedAt }, error);
      this.logger.debug(`Refused ${handlerName(context)}: ${error.code} ${factsText(error.detail)}`);
      const hint = this.settings.explainRefusals ? explainRefusal(error, [], undefined) : undefined;
      throw await toWsException({ error, challenges: [], hint });
    }
  }

  /** The gateway classes that a socket was opened to, in the order in which they were called. */
  gatewaysOf(client: object): readonly unknown[] {
    return [...stateOf(client).admissions.keys()];
  }

  /** Runs once for each gateway. @throws the refusal */
  private admissionTo(gateway: object, client: object, request?: unknown): Promise<unknown> {
    const state = stateOf(client);
    if (typeof request === 'object' && request !== null) state.request ??= request as HttpRequest;
    const gatewayClass = gateway.constructor as Type;
    const known = state.admissions.get(gatewayClass);
    if (known !== undefined) return known;
    if (state.admissions.size === 0) forwardExceptions(client);
    // A gateway may call `admit` without `guardNamespace`.
    disableRecoveryOf(client);
    const admission = this.check(new OpeningContext(client, gatewayClass, state.standIn)).then(() => {
      copyToSocket(client, state.standIn);
    });
    state.admissions.set(gatewayClass, admission);
    holdMessages(state, admission);
    return admission;
  }

  private async check(context: OpeningContext): Promise<void> {
    // A subclass of the guard may refuse by returning false.
    if (!(await this.guard.canActivate(context))) throw new AuthError('POLICY_DENIED');
  }

  private async renewNow(client: object, token: string): Promise<{ readonly expiresAt: number }> {
    const state = stateOf(client);
    const gateways = [...state.admissions.keys()];
    await Promise.all(state.admissions.values());
    const standIn = standInFor(client);
    // New contexts, because the results of the earlier ones are about another token.
    const contexts = gateways.map((gateway) => new OpeningContext(client, gateway, standIn, token));
    const [first] = contexts;
    if (first === undefined) throw new AuthError('TOKEN_MISSING', { reason: 'the socket was not admitted' });
    const outcome = await this.strategy.authenticateCall(standIn, first, this.routes.ofCall(first).resource);
    if (outcome.kind === 'refused') throw outcome.error;
    if (outcome.kind === 'guest' || outcome.token === undefined) throw new AuthError('TOKEN_MISSING');
    const connection = socketConnection(client);
    // The guard does not check it if all openings are public.
    connection.checkOwner(outcome.token);
    for (const context of contexts) await this.check(context);
    copyToSocket(client, standIn);
    state.owner ??= outcome.token;
    state.renewedToken = token;
    this.expiry.renew(connection, outcome.token);
    return { expiresAt: expiresAtSeconds(outcome.token) };
  }

  private connectErrorOf(error: unknown): Error {
    const refusal = this.refusalOf(error);
    if (refusal === undefined) return new Error('Internal server error');
    return Object.assign(new Error(refusal.error.message), { data: messageFacts(refusal) });
  }

  private close(client: object, error: unknown): void {
    try {
      socketConnection(client).close(this.refusalOf(error));
    } catch (failure) {
      // The socket may have just closed. Nothing handles an error of `handleConnection`, so it would end the process.
      this.logger.debug(`A refused socket could not be closed: ${String(failure)}`);
    }
  }

  /** Returns undefined for an error of this application, which is logged. */
  private refusalOf(error: unknown): AuthRefusal | undefined {
    if (!(error instanceof AuthError)) {
      this.logger.error(error);
      return undefined;
    }
    // Unless a subclass of the guard threw the error, it has the facts that the guard added.
    const hint = isTransportException(error) ? error.getError().hint : undefined;
    return refusalOf<AuthError>(error, this.settings, hint);
  }
}

/** Copies the user and the record of a stand-in to the socket. Its caller becomes the owner. */
function copyToSocket(client: object, standIn: object): void {
  copyCall(standIn, client);
  const outcome = outcomeOf(client);
  if (outcome?.kind === 'caller') stateOf(client).owner ??= outcome.token;
}
