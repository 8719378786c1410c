import { type DynamicModule, Module } from '@nestjs/common';
import type { AuthModuleExtras } from '../nest/auth.module-definition.js';
import { AuthModule } from '../nest/auth.module.js';
import type { AuthOptions } from '../nest/auth-options.js';
import { resolveOptions } from '../options/resolve-options.js';
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
    return { module: AuthTestingModule, imports, exports: imports };
  }
}
