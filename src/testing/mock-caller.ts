import type { ExecutionContext } from '@nestjs/common';
import type { AccessTokenClaims, VerifiedAccessToken } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import { type MaybePromise, recovering } from '../model/maybe-promise.js';
import { callerOf, JwtStrategy } from '../nest/jwt.strategy.js';
import { GUEST, type Outcome } from '../nest/outcome.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { Rejected } from '../token/authenticator.js';
import { Authorities } from '../token/authorities.js';
import type { Explanation } from '../token/explain.js';
import type { Presented } from '../token/presented.js';
import { TrustedIssuers } from '../token/trusted-issuers.js';
import { createVerifiedAccessToken } from '../token/verified-access-token.js';
import { checkProperties, createClaims, COMMON_PROPERTIES, type TokenRequest } from './test-token.js';

/** The caller of each request, in a test that is not about tokens. */
export interface MockCaller extends Pick<TokenRequest, 'sub' | 'clientId' | 'scopes' | 'roles' | 'permissions'> {
  /** Claims of the token, which override all others. Other claims are as `issuer.token()` sets them. */
  readonly claims?: Partial<AccessTokenClaims>;
  /** The result of the `user` option; `null` and `false` refuse the caller (USER_REFUSED). Default: the claims. */
  readonly user?: unknown;
  /** Whether the caller has no token: routes that require one answer 401. Default false. */
  readonly isGuest?: boolean;
}

export const CALLER_PROPERTIES: readonly (keyof MockCaller)[] = [...COMMON_PROPERTIES, 'user', 'isGuest'];

/** Accepts any text as a token of the caller. */
export class MockVerifier extends AccessTokenVerifier {
  constructor(
    private readonly caller: MockCaller | (() => MockCaller),
    private readonly issuer: ResolvedIssuer,
  ) {
    super(new TrustedIssuers([], { create: noKeys, release: noKeys }), Date.now);
    // Throws for an invalid caller here, and not while it handles a request.
    if (typeof caller !== 'function') this.nextCall('');
  }

  /**
   * Returns the token and the user of the caller. Calls the function of the test, if there is one.
   * @returns undefined for a guest.
   */
  nextCall(text: string): { readonly token: VerifiedAccessToken; readonly user: unknown } | undefined {
    const caller = typeof this.caller === 'function' ? this.caller() : this.caller;
    checkProperties('The caller of mockAuth()', caller, CALLER_PROPERTIES);
    const { user, isGuest, ...request } = caller;
    const issued = createClaims(this.issuer, request, Math.floor(Date.now() / 1000));
    if (isGuest === true) return undefined;
    // As in a token, which cannot contain undefined.
    const claims = JSON.parse(JSON.stringify(issued)) as AccessTokenClaims;
    const authorities = new Authorities(claims, this.issuer.claimPaths);
    const token = createVerifiedAccessToken(text, { alg: 'ES256' }, claims, authorities, this.issuer);
    return { token, user: user === undefined ? claims : user };
  }

  override authenticate({ token: text }: Presented): MaybePromise<VerifiedAccessToken | Rejected> {
    return recovering<VerifiedAccessToken | Rejected>(
      () => this.nextCall(text)?.token ?? new Rejected(new AuthError('TOKEN_MISSING'), undefined),
      (error) => new Rejected(error, undefined),
    );
  }

  /** Makes no checks. */
  override explain(): Promise<readonly Explanation[]> {
    return Promise.resolve([]);
  }
}

/** Authenticates each call as the caller of the test, whatever token it presents. */
export class MockStrategy extends JwtStrategy {
  /** The outcome of each request and of each socket. All messages of a socket have the caller that opened it. */
  private readonly outcomes = new WeakMap<object, Outcome>();

  constructor(
    private readonly callers: MockVerifier,
    options: ResolvedOptions,
  ) {
    super(callers, options);
  }

  override authenticateCall(request: object, context: ExecutionContext): Outcome {
    const caller = context.getType() === 'ws' ? context.switchToWs().getClient<object>() : request;
    let outcome = this.outcomes.get(caller);
    if (outcome === undefined) this.outcomes.set(caller, (outcome = this.nextOutcome()));
    return outcome;
  }

  private nextOutcome(): Outcome {
    try {
      const call = this.callers.nextCall('mock');
      if (call === undefined) return GUEST;
      return callerOf(call.user, call.token);
    } catch (error) {
      return { kind: 'refused', error: error as Error };
    }
  }
}

function noKeys(): never {
  throw new AuthError('KEYS_UNAVAILABLE');
}
