import { type DynamicModule, Module } from '@nestjs/common';
import type { TestingModuleBuilder } from '@nestjs/testing';
import type { KeySource } from '../keys/key-source.js';
import { AuthModule, EXPORTED } from '../nest/auth.module.js';
import type { AuthModuleExtras } from '../nest/auth.module-definition.js';
import { type AuthOptions, RESOLVED_OPTIONS } from '../nest/auth-options.js';
import { REMOTE_KEY_DEFAULTS } from '../options/resolve-keys.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { mockAuth, MockVerifier } from './mock-auth.js';
import type { TestIssuer } from './test-issuer.js';

/**
 * Connects an application to a test issuer: `AuthModule` verifies tokens with the keys of the test issuer instead of the keys of
 * its own issuers. Guards and options stay the same, so that every check applies.
 *
 * ```ts
 * const issuer = await TestIssuer.create();
 * const module = await withTestIssuer(Test.createTestingModule({ imports: [AppModule] }), issuer).compile();
 * ```
 *
 * The application sends no request to its issuers, and does not use its `keyStore`. `compile()` throws if the module does not
 * import `AuthModule`.
 */
export function withTestIssuer(builder: TestingModuleBuilder, issuer: TestIssuer): TestingModuleBuilder {
  const created: TestKeySources[] = [];
  const compile = builder.compile.bind(builder);
  builder.compile = async (...options) => {
    const module = await compile(...options).catch(async (error: unknown) => {
      // Nest does not shut down a module that does not compile.
      await Promise.all(created.map((sources) => sources.close()));
      throw error;
    });
    // Nest ignores the override of a provider that does not exist. Without AuthModule every route would be open.
    if (created.length === 0 || module.get(AccessTokenVerifier, { strict: false }) instanceof MockVerifier) {
      await module.close();
      throw new Error(
        'withTestIssuer found no AuthModule to connect to the test issuer. Either the tested module does not import AuthModule ' +
          '(mockAuth and AuthTestingModule need no withTestIssuer), or withTestIssuer was called again for the same builder: ' +
          'one test issuer serves all issuers that the application trusts.',
      );
    }
    return module;
  };
  return builder.overrideProvider(KeySourceRegistry).useFactory({
    factory: (options: ResolvedOptions) => {
      const sources = new TestKeySources(issuer, options);
      created.push(sources);
      return sources;
    },
    inject: [RESOLVED_OPTIONS],
  });
}

/** Modules for a test that does not import the module of the application. `withTestIssuer` tests the application's own. */
@Module({})
export class AuthTestingModule {
  /**
   * Returns an `AuthModule` that trusts a test issuer.
   * @param options override those of the issuer: `user`, `require`, `claimPaths` and so on.
   */
  static forIssuer(issuer: TestIssuer, options: Partial<AuthOptions & AuthModuleExtras> = {}): DynamicModule {
    const auth = AuthModule.forRoot({ ...issuer.options, ...options } as AuthOptions & AuthModuleExtras);
    const sources = {
      provide: KeySourceRegistry,
      useFactory: (resolved: ResolvedOptions) => new TestKeySources(issuer, resolved),
      inject: [RESOLVED_OPTIONS],
    };
    return { ...auth, providers: [...(auth.providers ?? []), sources] };
  }

  /**
   * Returns a global module that replaces `AuthModule`, for a feature module with its imports: they can inject everything that
   * `AuthModule` exports, and use `@UseGuards(AuthGuard)`.
   *
   * ```ts
   * Test.createTestingModule({ imports: [OrdersModule, AuthTestingModule.forCaller({ sub: 'alice', scopes: ['read:orders'] })] });
   * ```
   *
   * @param caller the arguments of `mockAuth`, which throws for the same reasons.
   */
  static forCaller(...caller: Parameters<typeof mockAuth>): DynamicModule {
    return { module: AuthTestingModule, global: true, providers: mockAuth(...caller), exports: EXPORTED };
  }
}

/** The keys of the test issuer, for every issuer that the application trusts. */
class TestKeySources extends KeySourceRegistry {
  constructor(
    private readonly issuer: TestIssuer,
    application: ResolvedOptions,
  ) {
    super({ ...application, fetch: issuer.fetch, keyStore: undefined, onProblem: () => undefined });
    issuer.connect(this, application);
  }

  override async close(): Promise<void> {
    this.issuer.applications.delete(this);
    await super.close();
  }

  override create(...[issuer, keys, kind]: Parameters<KeySourceRegistry['create']>): KeySource {
    // The test issuer answers this address. No DNS server resolves such a name (RFC 6761 §6.4).
    const remote = { from: 'jwks', uris: ['https://issuer.invalid/jwks'] } as const;
    return super.create(
      issuer,
      { ...REMOTE_KEY_DEFAULTS, ...keys, ...remote, fallback: undefined, headers: undefined },
      kind,
    );
  }
}
