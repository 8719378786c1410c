import { AuthError } from '../model/errors.js';
import { isJsonObject } from '../model/unknown-value.js';
import type { HttpRequest } from '../nest/transports/http.js';

/**
 * Returns the tools that a request calls.
 * @throws AuthError MCP_REQUEST_INVALID if the headers name something else than the body (SEP-2243): a proxy or a guard in front may
 * have decided by the headers.
 */
export function calledTools(request: HttpRequest): readonly string[] {
  const { method, headers, body } = request;
  if (method !== 'POST' && !isBodyRead(request)) return [];
  const messages = Array.isArray(body) ? (body as unknown[]) : [body];
  const calls = messages.map((message) => {
    if (!isMessage(message)) throw new AuthError('MCP_REQUEST_INVALID', { reason: 'the body is no JSON-RPC message' });
    const { params } = message;
    const parameters = isJsonObject(params) ? params : {};
    const member = typeof message.method === 'string' ? NAMES.get(message.method) : undefined;
    return { method: message.method, name: member && parameters[member] };
  });
  for (const header of ['method', 'name'] as const) {
    if (headers[`mcp-${header}`] === undefined) continue;
    if (calls.length !== 1 || calls[0]?.[header] !== statedIn(headers, header))
      throw new AuthError('MCP_REQUEST_INVALID', {
        reason: `the header Mcp-${header === 'name' ? 'Name' : 'Method'} differs from the body`,
      });
  }
  return calls.flatMap((call) => (call.method === 'tools/call' && typeof call.name === 'string' ? call.name : []));
}

/** Whether a parser has read the body. Before version 2, that of Express sets an empty object for content that it does not know. */
export function isBodyRead({ body }: HttpRequest): boolean {
  return body !== undefined && !(isJsonObject(body) && Object.keys(body).length === 0);
}

/** A request, a notification, or a response to a request of the server. */
function isMessage(value: unknown): value is Readonly<Record<string, unknown>> {
  return isJsonObject(value) && ['method', 'result', 'error'].some((name) => Object.hasOwn(value, name));
}

/** Returns the tool that a request calls according to its headers. {@link calledTools} compares them with the body later. */
export function statedTools({ method, headers }: HttpRequest): readonly string[] {
  const name = statedIn(headers, 'name');
  return method === 'POST' && statedIn(headers, 'method') === 'tools/call' && name !== undefined ? [name] : [];
}

function statedIn(headers: HttpRequest['headers'], name: 'method' | 'name'): string | undefined {
  const sent = headers[`mcp-${name}`];
  return typeof sent === 'string' ? decodeHeader(sent) : undefined;
}

/** The parameter that `Mcp-Name` repeats, by the method. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/** SEP-2243: a value that a header cannot have is sent as `=?base64?…?=`. */
function decodeHeader(value: string): string {
  const [, encoded] = /^=\?base64\?([\w+/=]*)\?=$/i.exec(value) ?? [];
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8');
}
