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
  private readonly owners = new LRUCache<string, Identity>({ max: MAX_SESSIONS });

  /**
   * @param session the header of the request.
   * @param claims undefined for a guest.
   * @throws NotFoundException for a session that another caller opened, and for a caller's unknown session: the client opens a new one.
   */
  check(session: unknown, claims: AccessTokenClaims | undefined): void {
    const owner = typeof session === 'string' ? this.owners.get(session) : undefined;
    const isOwn = claims === undefined ? owner === undefined : owner !== undefined && isSameCaller(owner, claims);
    if (!isOwn) throw new NotFoundException('Session not found');
  }

  /** Records the session that the response of a request opens, if it opens one. */
  watch(response: WritableHead, claims: AccessTokenClaims): void {
    whenWritten(response, (headerOf) => {
      const session = headerOf(SESSION_HEADER);
      if (typeof session === 'string') this.owners.set(session, identityIn(claims));
    });
  }
}

/** The claims that `isSameCaller` compares. */
type Identity = Pick<AccessTokenClaims, 'iss' | 'sub' | 'client_id' | 'azp' | 'appid' | 'cid'>;

function identityIn({ iss, sub, client_id, azp, appid, cid }: AccessTokenClaims): Identity {
  return { iss, sub, client_id, azp, appid, cid };
}
