/** The sessions that an adapter of socket.io keeps for `connectionStateRecovery`. */
interface SessionStore {
  persistSession?(session: object): void;
  restoreSession?(sessionId: string, offset: string): Promise<unknown>;
}

/** A namespace of socket.io. */
export interface SocketIoNamespace {
  adapter: SessionStore;
  use(middleware: (client: object, next: (refusal?: Error) => void) => void): unknown;
  /** Present if the name of the namespace is a pattern. */
  readonly children?: ReadonlySet<SocketIoNamespace>;
  readonly server?: { on(event: 'new_namespace', callback: (namespace: SocketIoNamespace) => void): unknown };
}

/** Returns the namespace that `afterInit` received. For the default namespace, Nest passes the server of socket.io. */
export function namespaceOf(server: object): SocketIoNamespace | undefined {
  const { sockets } = server as { readonly sockets?: object };
  // The sockets of a namespace are a map.
  return [sockets, server].find(isNamespace);
}

function isNamespace(value: unknown): value is SocketIoNamespace {
  const { use, adapter } = (value ?? {}) as Partial<SocketIoNamespace>;
  return typeof use === 'function' && typeof adapter === 'object';
}

const withoutRecovery = new WeakSet<object>();

/**
 * Disables `connectionStateRecovery` for a namespace and those that are created from its pattern. Socket.io gives the rooms and missed
 * packets of a session to any client that knows the session id, before a middleware can require a token.
 */
export function disableRecovery(namespace: SocketIoNamespace): void {
  if (withoutRecovery.has(namespace)) return;
  withoutRecovery.add(namespace);
  let { adapter } = namespace;
  ignoreSessions(adapter);
  // `io.adapter(…)` replaces the adapters of all namespaces at any time.
  Object.defineProperty(namespace, 'adapter', {
    configurable: true,
    enumerable: true,
    get: () => adapter,
    set: (replacement: SessionStore) => {
      ignoreSessions(replacement);
      adapter = replacement;
    },
  });
  const { children, server } = namespace;
  if (children === undefined) return;
  children.forEach(disableRecovery);
  server?.on('new_namespace', (created) => {
    if (children.has(created)) disableRecovery(created);
  });
}

/** Disables it for the namespace of a socket of socket.io. */
export function disableRecoveryOf(client: object): void {
  const { nsp } = client as { readonly nsp?: unknown };
  if (isNamespace(nsp)) disableRecovery(nsp);
}

const NO_SESSIONS: SessionStore = {
  // A store that several namespaces share would restore the session in a namespace that is not guarded.
  persistSession: () => undefined,
  restoreSession: () => Promise.resolve(null),
};

/** Replaces methods of the instance, because each adapter class has its own. Read-only, so that later code cannot restore them. */
function ignoreSessions(adapter: SessionStore): void {
  for (const [name, value] of Object.entries(NO_SESSIONS))
    Object.defineProperty(adapter, name, { configurable: true, enumerable: false, writable: false, value });
}
