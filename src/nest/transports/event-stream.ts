import { type AuthRefusal, refusalFacts, toHttpException } from '../refusals/refusal.js';
import type { LongConnection } from './transport.js';

/** The parts of Node's response that are used. */
export interface RawResponse {
  readonly writableEnded: boolean;
  readonly headersSent: boolean;
  readonly closed?: boolean;
  readonly socket: { destroySoon?(): void; destroy?(): void } | null;
  /** HTTP/2 only, where one socket carries many responses. */
  readonly stream?: { destroy?(): void };
  getHeader(name: string): unknown;
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body: string, callback: () => void): unknown;
  once(event: 'close', callback: () => void): unknown;
  on(event: 'error', callback: () => void): unknown;
}

// A client that stopped reading must not keep its stream open.
const DESTROY_AFTER_MS = 1_000;

/**
 * A response of server-sent events, which continues after the guard admitted the request.
 * @param eventOf formats the last event of the stream.
 */
export function eventStream(response: RawResponse, eventOf = exceptionEvent): LongConnection {
  return {
    key: response,
    isClosed: () => response.closed === true || response.writableEnded,
    close(refusal) {
      // Read them now: Node removes the socket from a response that has ended.
      const { socket, stream } = response;
      // Nest continues to write what the handler emits, and Node turns that into an error without a listener.
      response.on('error', () => undefined);
      setTimeout(() => {
        (stream ?? socket)?.destroy?.();
      }, DESTROY_AFTER_MS).unref();
      const close = () => {
        if (stream === undefined) socket?.destroySoon?.();
      };
      if (response.headersSent) {
        // The challenge is not repeated: an event has no headers.
        response.end(eventOf({ ...refusal, challenges: [] }), close);
      } else {
        // The handler has not created its stream yet.
        response.writeHead(refusal.error.status, {
          'Content-Type': 'application/json; charset=utf-8',
          'WWW-Authenticate': refusal.challenges.join(', '),
        });
        response.end(JSON.stringify(toHttpException(refusal).getResponse()), close);
      }
    },
  };
}

function exceptionEvent(refusal: AuthRefusal): string {
  return `event: exception\ndata: ${JSON.stringify(refusalFacts(refusal))}\n\n`;
}
