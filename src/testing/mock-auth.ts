import type { Provider } from '@nestjs/common';
import { APP_GUARD, ModuleRef } from '@nestjs/core';
import { ReportedRefusals } from '../access/reported-refusals.js';
import type { AccessTokenClaims } from '../access-token.js';
import { AuthError } from '../errors.js';
import { AuthGuard } from '../nest/auth.guard.js';
import { Expiries } from '../nest/expiries.js';
import { type AuthenticationOutcome, JwtStrategy } from '../nest/jwt.strategy.js';
import { RefusalEvents } from '../nest/refusal-events.js';
import { Requirements } from '../nest/requirements.js';
import { RouteAccesses } from '../nest/route-access.js';
import { RouteNames } from '../nest/route-names.js';
import type { ClaimPaths } from '../options/options.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { resolveOptions } from '../options/resolve-options.js';
import { AcceptedToken } from '../token/accepted-token.js';
import type { AccessTokenVerifier } from '../token/verify.js';
import { DEFAULT_AUDIENCE, DEFAULT_ISSUER } from './test-issuer.js';

/** Who calls, in a test that is not about tokens. */
export interface MockCaller {
  /** Of the token that nobody sends. Default: those of a good one of `test-user`. */
  readonly claims?: Partial<AccessTokenClaims>;
  /** What the `user` option would make of it. Default the claims. */
  readonly user?: unknown;
  /** Where the claims say what the caller may do, if the application has paths of its own. */
  readonly claimPaths?: ClaimPaths;
  /** Nobody: closed routes answer 401. */
  readonly isGuest?: boolean;
}

/**
 * For the test of one controller, in the place of `AuthModule`: every request comes from the same caller, whether it has a
 * token or not. The guard and the decorators are the real ones: who lacks a scope gets 403.
 *
 * ```ts
 * Test.createTestingModule({
 *   controllers: [OrdersController],
 *   providers: [Orders, ...mockAuth({ claims: { sub: 'alice', scope: 'read:orders' } })],
 * });
 * ```
 *
 * Nothing is verified: what an application does with tokens is tested with `TestIssuer`.
 */
export function mockAuth(caller: MockCaller = {}): Provider[] {
  const strategy = new MockStrategy(caller);
  const reported = new ReportedRefusals();
  return [
    { provide: JwtStrategy, useValue: strategy },
    { provide: RouteAccesses, useValue: new RouteAccesses([]) },
    {
      provide: Requirements,
      useFactory: (moduleRef: ModuleRef) => new Requirements(moduleRef, Date.now, reported),
      inject: [ModuleRef],
    },
    RouteNames,
    RefusalEvents,
    { provide: Expiries, useValue: new Expiries(Date.now, 0) },
    AuthGuard,
    { provide: APP_GUARD, useExisting: AuthGuard },
  ];
}

const HOUR_SECONDS = 3_600;

class MockStrategy extends JwtStrategy {
  constructor(private readonly caller: MockCaller) {
    // It is never asked.
    super(undefined as unknown as AccessTokenVerifier, { realm: undefined, user: undefined, tokenFrom: [] });
  }

  override outcomeOf(): Promise<AuthenticationOutcome> {
    const { caller } = this;
    if (caller.isGuest === true) {
      const info = new AuthError('TOKEN_MISSING');
      return Promise.resolve({ error: null, user: false, info, status: info.status });
    }
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: DEFAULT_ISSUER,
      aud: DEFAULT_AUDIENCE,
      sub: 'test-user',
      iat: now,
      exp: now + HOUR_SECONDS,
      ...caller.claims,
    };
    const token = new AcceptedToken('', { alg: 'ES256' }, claims, issuerOf(caller));
    return Promise.resolve({ error: null, user: caller.user ?? claims, info: token, status: undefined });
  }

  override isAnonymous(): boolean {
    return this.caller.isGuest === true;
  }
}

function issuerOf({ claimPaths }: MockCaller): ResolvedIssuer {
  const { issuers } = resolveOptions({ issuer: DEFAULT_ISSUER, audience: DEFAULT_AUDIENCE, claimPaths });
  const [issuer] = issuers as readonly [ResolvedIssuer];
  return issuer;
}
