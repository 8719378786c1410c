import { NotFoundException } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { AccessTokenClaims } from '../model/access-token.js';
import { isSameCaller } from '../token/claims.js';

/** The sessions of one process are in its memory as well. */
const MAX_SESSIONS = 10_000;
const SESSION_HEADER = 'mcp-session-id';

/** Node's response, on which the SDK sets the header of a new session. */
interface Response {
  getHeader(name: string): unknown;
  writeHead(...given: unknown[]): unknown;
}

/** Binds each session of the protocol (before its revision 2026-07-28) to the caller that opened it. */
export class SessionOwners {
  private readonly owners = new LRUCache<string, AccessTokenClaims>({ max: MAX_SESSIONS });

  /**
   * @param session the header of the request.
   * @throws NotFoundException for a session that another caller opened, or none: the client opens a new one.
   */
  check(session: unknown, claims: AccessTokenClaims): void {
    const owner = typeof session === 'string' ? this.owners.get(session) : undefined;
    if (owner === undefined || !isSameCaller(owner, claims)) throw new NotFoundException('Session not found');
  }

  /** Records the session that the response of a request opens, if it opens one. */
  watch(response: Response, claims: AccessTokenClaims): void {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = (...given: unknown[]) => {
      const session = headerIn(given.at(-1)) ?? response.getHeader(SESSION_HEADER);
      if (typeof session === 'string') this.owners.set(session, claims);
      return writeHead(...given);
    };
  }
}

/** @param headers of `writeHead`: an object, or a list of names and values. */
function headerIn(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const flat = Array.isArray(headers) ? (headers as unknown[]).flat() : Object.entries(headers).flat();
  return flat.find((_value, index) => index % 2 === 1 && String(flat[index - 1]).toLowerCase() === SESSION_HEADER);
}
