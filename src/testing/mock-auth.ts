import { type ExecutionContext, Logger, type Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { AccessTokenClaims, VerifiedAccessToken } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import { type MaybePromise, recovering } from '../model/maybe-promise.js';
import { parseJson } from '../model/unknown-value.js';
import { AuthModule, AUTH_PROVIDERS } from '../nest/auth.module.js';
import { GLOBAL_GUARD } from '../nest/auth.module-definition.js';
import { RESOLVED_OPTIONS, type RequireOptions } from '../nest/auth-options.js';
import { callerOf, JwtStrategy } from '../nest/jwt.strategy.js';
import { GUEST, type Outcome } from '../nest/outcome.js';
import type { ClaimPaths, ScopeImplications } from '../options/options.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { resolveOptions } from '../options/resolve-options.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { type Presented, Rejected } from '../token/authenticator.js';
import type { Explanation } from '../token/explain.js';
import { type KeySources, TrustedIssuers } from '../token/trusted-issuers.js';
import { FrozenAccessToken } from '../token/verified-access-token.js';
import { checkProperties, COMMON_PROPERTIES, createClaims, DEFAULTS, type TokenRequest } from './test-token.js';

/** The caller of each request, in a test that is not about tokens. */
export interface MockCaller extends Pick<TokenRequest, 'sub' | 'clientId' | 'scopes' | 'roles' | 'permissions'> {
  /** Claims of the token, which override all others. Other claims are as `issuer.token()` sets them. */
  readonly claims?: Partial<AccessTokenClaims>;
  /** The result of the `user` option; `null` and `false` refuse the caller (USER_REFUSED). Default: the claims. */
  readonly user?: unknown;
  /** Whether the caller has no token: routes that require one answer 401. Default false. */
  readonly isGuest?: boolean;
}

/** The options of an application that apply although no token is verified. */
export interface MockAuthOptions {
  /** Where the claims contain scopes, roles and permissions. Default as in `AuthModule`. */
  readonly claimPaths?: ClaimPaths;
  /** The scopes that others include. Default: none. */
  readonly scopeImplications?: ScopeImplications;
  /** The requirements of every route, as the `require` option of `AuthModule`. Default: none. */
  readonly require?: RequireOptions;
}

const CALLER_PROPERTIES: readonly (keyof MockCaller)[] = [...COMMON_PROPERTIES, 'user', 'isGuest'];
const OPTIONS: readonly (keyof MockAuthOptions)[] = ['claimPaths', 'scopeImplications', 'require'];

/**
 * Replaces `AuthModule` in the test of one controller: every request comes from the same caller, with or without a token. The guard
 * and the decorators are the real ones, so that a caller without a required scope gets 403.
 *
 * ```ts
 * Test.createTestingModule({
 *   controllers: [OrdersController],
 *   providers: [Orders, ...mockAuth({ sub: 'alice', scopes: ['read:orders'] })],
 * });
 * ```
 *
 * Everything that `AuthModule` exports can be injected in that module. For modules that it imports use
 * `AuthTestingModule.forCaller`. `AccessTokenVerifier` accepts any text as a token of this caller.
 *
 * No token is verified. To test what an application does with tokens, use `TestIssuer`.
 *
 * @param caller a function is called once for each request, once for each socket, and for each `AccessTokenVerifier.verify()`.
 * @param options can also be properties of a caller that is not a function.
 * @throws ConfigurationError for an unknown or invalid property.
 * @throws Error with `NODE_ENV=production`, and, when the module is created, if it also imports `AuthModule` or was not made by
 * `Test.createTestingModule`.
 */
export function mockAuth(
  caller: (MockCaller & MockAuthOptions) | (() => MockCaller) = {},
  options: MockAuthOptions = {},
): Provider[] {
  // eslint-disable-next-line no-restricted-properties -- there is no other way to detect production
  if (process.env.NODE_ENV === 'production')
    throw new Error('mockAuth admits every request and is for tests: it does not work with NODE_ENV=production');
  const isFunction = typeof caller === 'function';
  const argument: MockCaller & MockAuthOptions = isFunction ? options : { ...options, ...caller };
  checkProperties('The argument of mockAuth()', argument, isFunction ? OPTIONS : [...CALLER_PROPERTIES, ...OPTIONS]);
  const { claimPaths, scopeImplications, require, ...identity } = argument;
  const resolved = resolveOptions({ ...DEFAULTS, claimPaths, scopeImplications, require });
  const [issuer] = resolved.issuers as readonly [ResolvedIssuer];
  const verifier = new MockVerifier(isFunction ? caller : () => identity, issuer);
  // Throws for an invalid caller here, and not while it handles a request.
  if (!isFunction) verifier.nextCall('');
  return [
    ...AUTH_PROVIDERS,
    { provide: RESOLVED_OPTIONS, useValue: resolved },
    { provide: AccessTokenVerifier, useValue: verifier },
    {
      provide: JwtStrategy,
      useFactory: (modules: ModulesContainer) => {
        const types = Array.from(modules.values(), ({ metatype }) => metatype);
        // The name of the root module of `@nestjs/testing`. Without it, this may be an application that is in use.
        if (!types.some(({ name }) => name === 'RootTestModule'))
          throw new Error('mockAuth admits every request. It works only in a module of Test.createTestingModule().');
        new Logger('mockAuth').warn('No token is verified: every request comes from the caller of mockAuth');
        if (types.some((type) => type === AuthModule || type.prototype instanceof AuthModule))
          throw new Error(
            'mockAuth replaces AuthModule, but the tested module imports AuthModule as well, whose guard refuses requests ' +
              'without a token. Remove one of them, or use a TestIssuer (withTestIssuer).',
          );
        return new MockStrategy(verifier, resolved);
      },
      inject: [ModulesContainer],
    },
    GLOBAL_GUARD,
  ];
}

/** Accepts any text as a token of the caller. */
export class MockVerifier extends AccessTokenVerifier {
  constructor(
    private readonly nextCaller: () => MockCaller,
    private readonly issuer: ResolvedIssuer,
  ) {
    // It trusts no issuer, and so needs no keys.
    super(new TrustedIssuers([], {} as KeySources), Date.now);
  }

  /**
   * Returns the token and the user of the caller. Calls the function of the test, if there is one.
   * @returns undefined for a guest.
   */
  nextCall(text: string): { readonly token: VerifiedAccessToken; readonly user: unknown } | undefined {
    const caller = this.nextCaller();
    checkProperties('The caller of mockAuth()', caller, CALLER_PROPERTIES);
    const { user, isGuest, ...request } = caller;
    const issued = createClaims(this.issuer, request, Math.floor(Date.now() / 1000));
    if (isGuest === true) return undefined;
    // As in a token, which cannot contain undefined.
    const claims = parseJson(JSON.stringify(issued)) as AccessTokenClaims;
    const token = new FrozenAccessToken(text, { alg: 'ES256' }, claims, this.issuer);
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
class MockStrategy extends JwtStrategy {
  declare protected readonly verifier: MockVerifier;
  /** The outcome of each request and of each socket. All messages of a socket have the caller that opened it. */
  private readonly outcomes = new WeakMap<object, MaybePromise<Outcome>>();

  override authenticateCall(request: object, context: ExecutionContext): MaybePromise<Outcome> {
    const connection = context.getType() === 'ws' ? context.switchToWs().getClient<object>() : request;
    const known = this.outcomes.get(connection);
    if (known !== undefined) return known;
    const outcome = recovering<Outcome>(
      () => {
        const call = this.verifier.nextCall('mock');
        return call === undefined ? GUEST : callerOf(call.user, call.token);
      },
      (error) => ({ kind: 'refused', error: error as Error }),
    );
    this.outcomes.set(connection, outcome);
    return outcome;
  }
}
