import type { ExecutionContext } from '@nestjs/common';
import type { AccessTokenClaims, VerifiedAccessToken } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import { transportOf } from '../nest/transports/transport-of.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { Rejected } from '../token/authenticator.js';
import { Authorities } from '../token/authorities.js';
import type { Explanation } from '../token/explain.js';
import type { Presented } from '../token/presented.js';
import { TrustedIssuers } from '../token/trusted-issuers.js';
import { createVerifiedAccessToken } from '../token/verified-access-token.js';
import { checkMembers } from './known-members.js';
import { claimsOf, type TokenRequest } from './test-token.js';

/** The caller of each request, in a test that is not about tokens. */
export interface MockCaller extends Pick<TokenRequest, 'sub' | 'clientId' | 'scopes' | 'roles' | 'permissions'> {
  /** Claims of the token, which override all others. Other claims are as `issuer.token()` sets them. */
  readonly claims?: Partial<AccessTokenClaims>;
  /** What the `user` option would return; `null` and `false` refuse (USER_REFUSED). Default: the claims. */
  readonly user?: unknown;
  /** Whether the caller has no token: routes that require one answer 401. */
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

/** Accepts any text as a token of the caller. */
export class MockVerifier extends AccessTokenVerifier {
  private readonly users = new WeakMap<VerifiedAccessToken, unknown>();
  private readonly presented = new WeakMap<object, { readonly text: string | undefined }>();
  private readonly tokens = new Map<string, VerifiedAccessToken>();

  constructor(
    private readonly caller: MockCaller | (() => MockCaller),
    private readonly issuer: ResolvedIssuer,
  ) {
    super(new TrustedIssuers([], { create: noKeys, release: noKeys }), Date.now);
    // Reports a mistake here instead of in the response of a request.
    if (typeof caller !== 'function') this.claimsOf(caller);
  }

  /** The value of `tokenFrom`: the token that the request would have. The caller is determined once for each request. */
  readonly present = (context: ExecutionContext): string | undefined => {
    const request = transportOf(context).requestOf(context);
    let known = this.presented.get(request);
    if (known === undefined) {
      const text = `mock-${String(this.tokens.size + 1)}`;
      const token = this.next(text);
      if (token !== undefined) this.tokens.set(text, token);
      this.presented.set(request, (known = { text: token && text }));
    }
    return known.text;
  };

  /** The value of the `user` option. */
  readonly userOf = (token: VerifiedAccessToken): unknown => this.users.get(token);

  override authenticate({ token: text }: Presented): VerifiedAccessToken | Rejected {
    try {
      const token = this.tokens.get(text) ?? this.next(text);
      return token ?? new Rejected(new AuthError('TOKEN_MISSING'), undefined);
    } catch (error) {
      return new Rejected(error, undefined);
    }
  }

  /** Makes no check. */
  override explain(): Promise<readonly Explanation[]> {
    return Promise.resolve([]);
  }

  /** @returns undefined for a guest. */
  private next(text: string): VerifiedAccessToken | undefined {
    const caller = typeof this.caller === 'function' ? this.caller() : this.caller;
    const claims = this.claimsOf(caller);
    if (caller.isGuest === true) return undefined;
    const authorities = new Authorities(claims, this.issuer.claimPaths);
    const token = createVerifiedAccessToken(text, { alg: 'ES256' }, claims, authorities, this.issuer);
    this.users.set(token, caller.user === undefined ? claims : caller.user);
    return token;
  }

  private claimsOf(caller: MockCaller): AccessTokenClaims {
    checkMembers('The caller of mockAuth()', caller, CALLER_MEMBERS);
    const { user: _user, isGuest: _isGuest, ...request } = caller;
    const claims = claimsOf(this.issuer, request, Math.floor(Date.now() / 1000));
    // A token cannot contain undefined.
    const present = Object.entries(claims).filter(([, value]) => value !== undefined);
    return Object.fromEntries(present) as unknown as AccessTokenClaims;
  }
}

function noKeys(): never {
  throw new AuthError('KEYS_UNAVAILABLE');
}
