import { io } from 'socket.io-client';

/** What came of a call: `200`, `403 SCOPE_INSUFFICIENT`, or `refused TOKEN_MISSING` where there is no status. */
export interface Outcome {
  readonly got: string;
  readonly why: string;
}

interface Refusal {
  readonly code?: string;
  readonly message?: string;
}

/** A socket that is left alone must not keep the demo from ending. */
const PATIENCE_MS = 5_000;

const headersWith = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

export async function callHttp(api: string, method: string, path: string, token?: string): Promise<Outcome> {
  const response = await fetch(api + path, {
    method,
    headers: { 'content-type': 'application/json', ...headersWith(token) },
    body: method === 'POST' ? JSON.stringify({ item: 'a lamp' }) : null,
  });
  const body = (await response.json()) as Refusal;
  if (response.ok) return { got: String(response.status), why: JSON.stringify(body) };
  return { got: `${String(response.status)} ${body.code ?? ''}`, why: body.message ?? '' };
}

export async function callGraphql(api: string, query: string, token?: string): Promise<Outcome> {
  const response = await fetch(`${api}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headersWith(token) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as {
    data?: unknown;
    errors?: readonly { message: string; extensions: { code: string } }[];
  };
  const [error] = errors ?? [];
  if (error !== undefined) return { got: `refused ${error.extensions.code}`, why: error.message };
  return { got: String(response.status), why: JSON.stringify(data) };
}

/** Opens a socket and, if it is let in, sends one message. */
export function callSocket(api: string, message?: string, token?: string): Promise<Outcome> {
  const socket = io(`${api}/orders`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token },
  });
  let deadline: NodeJS.Timeout | undefined;
  return new Promise<Outcome>((resolve, reject) => {
    socket.on('connect_error', (error: Error & { data?: Refusal }) => {
      // With `data` it is the API that refuses; else nobody is there.
      if (error.data === undefined) reject(error);
      else resolve({ got: `refused ${error.data.code ?? ''}`, why: error.data.message ?? '' });
    });
    socket.on('connect', () => {
      if (message === undefined) resolve({ got: 'connected', why: '' });
      else socket.emit(message, 'a lamp');
    });
    socket.onAny((event: string, data: Refusal) => {
      if (event === 'exception') resolve({ got: `refused ${data.code ?? ''}`, why: data.message ?? '' });
      else resolve({ got: event, why: JSON.stringify(data) });
    });
    deadline = setTimeout(() => {
      resolve({ got: 'no answer', why: `for ${String(PATIENCE_MS)} ms` });
    }, PATIENCE_MS);
  }).finally(() => {
    clearTimeout(deadline);
    socket.close();
  });
}
