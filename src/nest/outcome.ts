import type { VerifiedAccessToken } from '../model/access-token.js';

/** Who is calling, as far as strategy and guard found out. */
export interface Authentication {
  readonly user: unknown;
  /** Undefined for a guest. */
  readonly token: VerifiedAccessToken | undefined;
}

/**
 * Under a symbol of our own: anything that writes `request.user` could else put words into the guard's mouth. Not in a
 * WeakMap, which costs the garbage collector more than the whole verification of a token that comes again.
 */
const AUTHENTICATION = Symbol('nestjs-resource-server:authentication');

interface Authenticated {
  [AUTHENTICATION]?: Authentication;
}

export function rememberAuthentication(request: object, authentication: Authentication): void {
  (request as Authenticated)[AUTHENTICATION] = authentication;
}

/** Undefined on an open route. */
export function authenticationOf(request: object): Authentication | undefined {
  return (request as Authenticated)[AUTHENTICATION];
}
