import { io } from 'socket.io-client';

export interface CallResult {
  /** `200`, `403 SCOPE_INSUFFICIENT`, or `refused TOKEN_MISSING` if the transport has no status. */
  readonly outcome: string;
  /** The message of a refusal, or the response. */
  readonly detail: string;
}

interface Refusal {
  readonly code?: string;
  readonly message?: string;
}

/** A socket without a response must not keep the demo from ending. */
const SOCKET_TIMEOUT_MS = 5_000;

const authorization = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

export async function callHttp(api: string, method: string, path: string, token?: string): Promise<CallResult> {
  const response = await fetch(api + path, {
    method,
    headers: { 'content-type': 'application/json', ...authorization(token) },
    body: method === 'POST' ? JSON.stringify({ item: 'a lamp' }) : null,
  });
  const body = (await response.json()) as Refusal;
  if (response.ok) return { outcome: String(response.status), detail: JSON.stringify(body) };
  return { outcome: `${String(response.status)} ${body.code ?? ''}`, detail: body.message ?? '' };
}

export async function callGraphql(api: string, query: string, token?: string): Promise<CallResult> {
  const response = await fetch(`${api}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization(token) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as {
    data?: unknown;
    errors?: readonly { message: string; extensions: { code: string } }[];
  };
  const [error] = errors ?? [];
  if (error !== undefined) return { outcome: `refused ${error.extensions.code}`, detail: error.message };
  return { outcome: String(response.status), detail: JSON.stringify(data) };
}

/** Opens a socket and, if it is admitted, sends one message. */
export function callSocket(api: string, message?: string, token?: string): Promise<CallResult> {
  const socket = io(`${api}/orders`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token },
  });
  let timer: NodeJS.Timeout | undefined;
  return new Promise<CallResult>((resolve, reject) => {
    socket.on('connect_error', (error: Error & { data?: Refusal }) => {
      // Without `data`, the API did not respond at all.
      if (error.data === undefined) reject(error);
      else resolve(refused(error.data));
    });
    socket.on('connect', () => {
      if (message === undefined) resolve({ outcome: 'connected', detail: '' });
      else socket.emit(message, 'a lamp');
    });
    socket.onAny((event: string, data: Refusal) => {
      resolve(event === 'exception' ? refused(data) : { outcome: event, detail: JSON.stringify(data) });
    });
    timer = setTimeout(() => {
      resolve({ outcome: 'no response', detail: `within ${String(SOCKET_TIMEOUT_MS)} ms` });
    }, SOCKET_TIMEOUT_MS);
  }).finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

function refused({ code = '', message = '' }: Refusal): CallResult {
  return { outcome: `refused ${code}`, detail: message };
}
