import { Inject, Injectable, Logger, type Type } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { AcceptedToken } from '../../token/accepted-token.js';
import { challengeFor } from '../../token/challenge.js';
import { MAX_TOKEN_LENGTH } from '../../token/bearer.js';
import { AuthGuard } from '../auth.guard.js';
import { authenticationOf } from '../outcome.js';
import { isTransportException } from '../refusals/exceptions.js';
import { ConnectionExpiry } from '../transports/connection-expiry.js';
import { type HandlerFunction, nobody } from '../routes/handler-discovery.js';
import { JwtStrategy } from '../jwt.strategy.js';
import { AuthEvents } from '../auth-events.js';
import { hintOf, withHint } from '../refusals/refusal-hints.js';
import { contextOf } from '../request-context.js';
import type { HttpRequest } from '../transports/http.js';
import {
  closeIfUnused,
  forwardExceptions,
  markOpening,
  type Opening,
  openingOf,
  socketConnection,
  stateOfSocket,
  wsFacts,
  wsTransport,
} from '../transports/ws.js';

/** A namespace of socket.io, or its server. That of ws has no `use`. */
interface SocketIoNamespace {
  use?(middleware: (client: object, next: (refusal?: Error) => void) => void): unknown;
  readonly adapter?: { restoreSession?: (...session: never[]) => Promise<unknown> };
  /** Of a namespace whose name is a pattern. */
  readonly children?: ReadonlySet<SocketIoNamespace>;
  readonly server?: { on(event: 'new_namespace', callback: (namespace: SocketIoNamespace) => void): unknown };
}

/**
 * Guards the opening of sockets, which no guard of Nest is asked about: without it anybody may connect to a gateway, and
 * listen. `AuthenticatedGateway` does it for a whole gateway; by hand it is one line of `handleConnection`:
 *
 * ```ts
 * async handleConnection(client: Socket, request?: IncomingMessage) {
 *   if (!(await this.connections.admit(this, client, request))) return;
 * }
 * ```
 *
 * By then the socket is open, and gets what is sent to all. With socket.io it is better refused before, by one more line:
 * `afterInit(server: Namespace) { this.connections.guardNamespace(this, server); }`. With ws, send to the sockets that were
 * admitted, not to all that there are.
 */
@Injectable()
export class SocketAuthenticator {
  private readonly logger = new Logger(SocketAuthenticator.name);

  constructor(
    @Inject(AuthGuard) private readonly guard: AuthGuard,
    @Inject(JwtStrategy) private readonly strategy: JwtStrategy,
    @Inject(ConnectionExpiry) private readonly expiries: ConnectionExpiry,
    @Inject(AuthEvents) private readonly events: AuthEvents,
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
    try {
      await this.admissionOf(gateway, client, request);
      const token = authenticationOf(client)?.token;
      // The guard does so too, but socket.io has not connected yet when it is asked.
      if (token !== undefined) this.expiries.watch(socketConnection(client), token);
      return true;
    } catch (error) {
      this.refuse(client, error);
      return false;
    }
  }

  /**
   * With socket.io: has sockets checked before they are connected, so that none hears anything before. Who is refused gets a
   * `connect_error` whose `data` is what an `exception` event has. Does nothing with ws.
   *
   * `connectionStateRecovery` is not used in this namespace: by it socket.io gives whoever knows the id of a session its rooms
   * and what was sent to them, before anybody asks for a token.
   *
   * @param server what `afterInit` of the gateway is given.
   */
  guardNamespace(gateway: object, server: object): void {
    const namespace = server as SocketIoNamespace;
    restoreNothing(namespace);
    // A namespace with a pattern makes others as they are asked for.
    if (namespace.children !== undefined)
      namespace.server?.on('new_namespace', (child) => {
        if (namespace.children?.has(child)) restoreNothing(child);
      });
    namespace.use?.((client, next) => {
      this.admissionOf(gateway, client).then(
        () => {
          next();
        },
        (error: unknown) => {
          next(this.connectErrorOf(error));
          closeIfUnused(client);
        },
      );
    });
  }

  /**
   * Gives an open socket a new token, for what comes after: the connection is closed when that one expires. It must be of
   * the same issuer and subject as the one that the socket was opened with (without a subject: of the same client), and
   * allow what each gateway requires that the socket was opened to.
   *
   * @returns when it expires, or is too old (`maxTokenAgeSeconds`), in seconds since 1970.
   * @throws AuthError when it is refused; the socket then stays open with the token that it has.
   */
  async renew(client: object, token: unknown): Promise<{ readonly expiresAt: number }> {
    const state = stateOfSocket(client);
    const { renewal } = state;
    const startedAt = performance.now();
    try {
      // Before it waits for its turn: what waits is held in memory.
      const text = tokenIn(token);
      if (state.renewals >= MAX_RENEWALS) throw new AuthError('TOKEN_MULTIPLE', { waiting: state.renewals });
      state.renewals += 1;
      // One after the other: each is compared with what the one before it made of the socket.
      const answer = Promise.resolve(renewal)
        .then(() => this.renewed(client, text))
        .finally(() => (state.renewals -= 1));
      state.renewal = answer.catch(() => undefined);
      return await answer;
    } catch (error) {
      const isPlain = error instanceof AuthError && !isTransportException(error);
      // Not by the guard, which tells of its own.
      if (isPlain) {
        const method = Reflect.get(this, 'renew') as HandlerFunction;
        const context = contextOf('ws', [client], { controller: SocketAuthenticator, method });
        this.events.refused({ context, token: undefined, startedAt }, error);
      }
      if (!isPlain) throw error;
      const told = this.strategy.explainsRefusals ? withHint(error, hintOf(error, [], undefined)) : error;
      throw await wsTransport.exceptionOf(told, undefined);
    }
  }

  /** The classes of the gateways that a socket was opened to, in the order in which they were asked. */
  gatewaysOf(client: object): readonly unknown[] {
    return [...stateOfSocket(client).admissions.keys()];
  }

  /** Found out once for each gateway. @throws why it is refused */
  private admissionOf(gateway: object, client: object, request?: unknown): Promise<unknown> {
    const state = stateOfSocket(client);
    if (typeof request === 'object' && request !== null) state.request ??= request as HttpRequest;
    const controller = gateway.constructor as Type;
    const known = state.admissions.get(controller);
    if (known !== undefined) return known.outcome;
    if (state.admissions.size === 0) forwardExceptions(client);
    const context = contextOf('ws', [client, request], { controller, method: openingHandlerOf(gateway) });
    const outcome = this.check(context, state.opening).then(() => {
      letIn(client, state.opening);
      state.owner ??= authenticationOf(client)?.token;
    });
    state.admissions.set(controller, { context, outcome });
    return outcome;
  }

  private async check(context: ReturnType<typeof contextOf>, opening: Opening): Promise<void> {
    markOpening(context, opening);
    // A subclass may say no in Nest's way.
    if (!(await this.guard.canActivate(context))) throw new AuthError('POLICY_DENIED');
  }

  private async renewed(client: object, token: string): Promise<{ readonly expiresAt: number }> {
    const state = stateOfSocket(client);
    const admissions = [...state.admissions.values()];
    await Promise.all(admissions.map(({ outcome }) => outcome));
    const opening = openingOf(client, token);
    // Calls of their own: what was found out for those before was about another token.
    const contexts = admissions.map(({ context }) => {
      const [controller, method] = [context.getClass(), context.getHandler() as () => unknown];
      return contextOf('ws', context.getArgs(), { controller, method });
    });
    const [first] = contexts;
    if (first === undefined) throw new AuthError('TOKEN_MISSING', { reason: 'the socket was not admitted' });
    markOpening(first, opening);
    const { error, info } = await this.strategy.outcomeOf(opening.client, first);
    if (error !== null) throw error;
    if (info === undefined || info instanceof AuthError) throw info ?? new AuthError('TOKEN_MISSING');
    // Here, too: where all openings are public the guard does not look.
    wsTransport.checkCaller(first, info);
    for (const context of contexts) await this.check(context, opening);
    letIn(client, opening);
    state.owner ??= info;
    state.renewed = token;
    this.expiries.renew(socketConnection(client), info);
    return { expiresAt: AcceptedToken.expiresAt(info) };
  }

  /** As socket.io has its client told. */
  private connectErrorOf(error: unknown): Error {
    if (error instanceof AuthError)
      return Object.assign(new Error(error.message), {
        data: wsFacts(error, challengeFor(error, this.strategy.realm)),
      });
    this.logger.error(error);
    return new Error('Internal server error');
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

function restoreNothing({ adapter }: SocketIoNamespace): void {
  if (adapter?.restoreSession !== undefined) adapter.restoreSession = () => Promise.resolve(null);
}

// Of one socket, that wait for their turn.
const MAX_RENEWALS = 4;

function tokenIn(sent: unknown): string {
  if (typeof sent !== 'string') throw new AuthError('TOKEN_MALFORMED', { reason: 'not a string' });
  if (sent.length > MAX_TOKEN_LENGTH) throw new AuthError('TOKEN_TOO_LARGE', { limit: MAX_TOKEN_LENGTH });
  return sent;
}

/** What the guard found out is the socket's from now on. */
function letIn(client: object, opening: Opening): void {
  Object.assign(client, opening.client);
}

/** Whose decorators hold for the opening. Not the gateway's own member, which may stand in front of its class's. */
function openingHandlerOf(gateway: object): HandlerFunction {
  const { handleConnection } = gateway.constructor.prototype as { handleConnection?: unknown };
  return typeof handleConnection === 'function' ? (handleConnection as HandlerFunction) : nobody;
}
