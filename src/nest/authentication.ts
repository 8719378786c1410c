import type { VerifiedAccessToken } from '../access-token.js';

/** Who is calling, as far as strategy and guard found out. */
export interface Authentication {
  readonly user: unknown;
  /** Undefined for a guest. */
  readonly token: VerifiedAccessToken | undefined;
}

// Not on the request: there, anything that writes `request.user` could put words into the guard's mouth.
const authentications = new WeakMap<object, Authentication>();

export function rememberAuthentication(request: object, authentication: Authentication): void {
  authentications.set(request, authentication);
}

/** Undefined on an open route. */
export function authenticationOf(request: object): Authentication | undefined {
  return authentications.get(request);
}
