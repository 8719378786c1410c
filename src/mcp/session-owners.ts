import { NotFoundException } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { AccessTokenClaims } from '../model/access-token.js';
import { whenWritten, type WritableHead } from '../nest/transports/response-headers.js';
import { isSameCaller } from '../token/claims.js';

/** The sessions of one process are in its memory as well. */
const MAX_SESSIONS = 10_000;
const SESSION_HEADER = 'mcp-session-id';

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
  watch(response: WritableHead, claims: AccessTokenClaims): void {
    whenWritten(response, (headerOf) => {
      const session = headerOf(SESSION_HEADER);
      if (typeof session === 'string') this.owners.set(session, claims);
    });
  }
}
