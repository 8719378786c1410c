import { type DynamicModule, Module } from '@nestjs/common';
import type { AuthModuleExtras } from '../nest/auth.module-definition.js';
import { AuthModule, EXPORTED } from '../nest/auth.module.js';
import { type AuthOptions, RESOLVED_OPTIONS } from '../nest/auth-options.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';
import { mockAuth } from './mock-auth.js';
import type { TestIssuer } from './test-issuer.js';
import { TestKeySources } from './with-test-issuer.js';

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
   * @param caller the arguments of `mockAuth`.
   * @throws Error as `mockAuth` does.
   */
  static forCaller(...caller: Parameters<typeof mockAuth>): DynamicModule {
    return { module: AuthTestingModule, global: true, providers: mockAuth(...caller), exports: EXPORTED };
  }
}
