import type { AccessTokenClaims, VerifiedAccessToken } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { AcceptedToken } from '../token/accepted-token.js';
import { checkMembers } from './known-members.js';
import { claimsOf, type TokenRequest } from './test-token.js';

/** Who calls, in a test that is not about tokens. */
export interface MockCaller extends Pick<TokenRequest, 'sub' | 'clientId' | 'scopes' | 'roles' | 'permissions'> {
  /** Of the token that nobody sends; they beat all others. What is left out is as `issuer.token()` has it. */
  readonly claims?: Partial<AccessTokenClaims>;
  /** What the `user` option would make of it; `null` and `false` refuse (USER_REFUSED). Default the claims. */
  readonly user?: unknown;
  /** Nobody: closed routes answer 401. */
  readonly isGuest?: boolean;
}

export const CALLER_MEMBERS: Readonly<Record<keyof MockCaller, true>> = {
  sub: true,
  clientId: true,
  scopes: true,
  roles: true,
  permissions: true,
  claims: true,
  user: true,
  isGuest: true,
};

interface MockedToken {
  readonly token: VerifiedAccessToken;
  readonly user: unknown;
}

/** What callers have in the place of a token. */
export class MockedTokens {
  constructor(
    private readonly caller: MockCaller | (() => MockCaller),
    private readonly issuer: ResolvedIssuer,
  ) {
    // So that a mistake is told where it was made, and not by the answer to a request.
    if (typeof caller !== 'function') this.claimsOf(caller);
  }

  /**
   * @param text of the token.
   * @throws AuthError TOKEN_MISSING for a guest.
   * @throws what a function throws that says who calls.
   */
  next(text: string): MockedToken {
    const { caller } = this;
    const current = typeof caller === 'function' ? caller() : caller;
    const claims = this.claimsOf(current);
    if (current.isGuest === true) throw new AuthError('TOKEN_MISSING');
    const token = new AcceptedToken(text, { alg: 'ES256' }, claims, this.issuer);
    return { token, user: current.user === undefined ? claims : current.user };
  }

  private claimsOf(caller: MockCaller): AccessTokenClaims {
    checkMembers('The caller of mockAuth()', caller, CALLER_MEMBERS);
    const { user: _user, isGuest: _isGuest, ...request } = caller;
    const claims = claimsOf(this.issuer, request, Math.floor(Date.now() / 1000));
    // As in a token, where it could not stand.
    const there = Object.entries(claims).filter(([, value]) => value !== undefined);
    return Object.fromEntries(there) as unknown as AccessTokenClaims;
  }
}
