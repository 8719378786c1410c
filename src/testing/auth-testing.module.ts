import { type DynamicModule, Module, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { AuthModuleExtras } from '../nest/auth.module-definition.js';
import { AuthModule, EXPORTED } from '../nest/auth.module.js';
import type { AuthOptions } from '../nest/auth-options.js';
import { resolveOptions } from '../options/resolve-options.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';
import { mockAuth } from './mock-auth.js';
import type { TestIssuer } from './test-issuer.js';

/** For a module that is made for the test. The application's own is plugged in by `withTestIssuer`. */
@Module({})
export class AuthTestingModule {
  /**
   * `AuthModule` with a test's issuer.
   * @param options beside those of the issuer: `user`, `require`, `claimPaths` and so on.
   */
  static forIssuer(issuer: TestIssuer, options: Partial<AuthOptions & AuthModuleExtras> = {}): DynamicModule {
    const { guard, isGlobal, ...own } = options;
    const all = { ...issuer.options, ...own } as AuthOptions;
    // So that its tokens are made for these options, too.
    issuer.serve(resolveOptions(all));
    const imports = [AuthModule.forRoot({ ...all, guard, isGlobal })];
    return { module: AuthTestingModule, imports, exports: imports, providers: [toldOfChanges(issuer)] };
  }

  /**
   * `mockAuth` as a global module, in the place of `AuthModule`: for a feature module with its imports, whose controllers,
   * services and gateways have injected what `AuthModule` exports, or `@UseGuards(AuthGuard)`.
   *
   * ```ts
   * Test.createTestingModule({ imports: [OrdersModule, AuthTestingModule.forCaller({ sub: 'alice', scopes: ['read:orders'] })] });
   * ```
   *
   * @param caller what `mockAuth` takes.
   * @throws Error as `mockAuth` does.
   */
  static forCaller(...caller: Parameters<typeof mockAuth>): DynamicModule {
    return { module: AuthTestingModule, global: true, providers: mockAuth(...caller), exports: EXPORTED };
  }
}

/** As `withTestIssuer` does: else what a test did before would decide what the next one sees. */
function toldOfChanges(issuer: TestIssuer): Provider {
  return {
    provide: Symbol('nestjs-resource-server:told-of-changes'),
    useFactory: (moduleRef: ModuleRef): OnApplicationShutdown => {
      const untold = issuer.onChange(() => {
        for (const sources of moduleRef.get(KeySourceRegistry, { strict: false, each: true })) sources.forgetPauses();
      });
      return { onApplicationShutdown: untold };
    },
    inject: [ModuleRef],
  };
}
