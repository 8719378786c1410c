import { type DynamicModule, Logger, Module } from '@nestjs/common';
import type { AuthModuleExtras, AuthOptions } from '../options/options.js';
import { keySourceFactory } from '../remote/key-sources.js';
import { OPTION_NAMES, resolveOptions, type ResolvedOptions } from '../options/resolve-options.js';
import { TrustedIssuers } from '../token/trusted-issuers.js';
import { AccessTokenVerifier } from '../token/verify.js';
import { AuthGuard } from './auth.guard.js';
import { ASYNC_OPTIONS_TYPE, AUTH_EXTRAS, AUTH_OPTIONS, ConfigurableModuleClass } from './auth.module-definition.js';
import { JwtStrategy } from './jwt.strategy.js';

const RESOLVED_OPTIONS = Symbol('nestjs-resource-server:resolved-options');

/**
 * Makes the application an OAuth 2.0 resource server (RFC 6749 §1.1): every route is closed until a valid access token
 * opens it. Exports `JwtStrategy`, `AuthGuard` and `AccessTokenVerifier`.
 *
 * Imported without `forRoot`, the application does not start.
 */
@Module({
  providers: [
    {
      provide: RESOLVED_OPTIONS,
      useFactory: (options: AuthOptions, extras: AuthModuleExtras) => startWith(resolveOptions(options, extras)),
      inject: [AUTH_OPTIONS, AUTH_EXTRAS],
    },
    {
      provide: AccessTokenVerifier,
      useFactory: (options: ResolvedOptions) =>
        new AccessTokenVerifier(
          new TrustedIssuers(
            options.issuers,
            keySourceFactory(options, (problem) => {
              new Logger('AuthModule').warn(problem);
            }),
          ),
          options.clock,
        ),
      inject: [RESOLVED_OPTIONS],
    },
    {
      provide: JwtStrategy,
      useFactory: (verifier: AccessTokenVerifier, options: ResolvedOptions) => new JwtStrategy(verifier, options),
      inject: [AccessTokenVerifier, RESOLVED_OPTIONS],
    },
    AuthGuard,
  ],
  exports: [JwtStrategy, AuthGuard, AccessTokenVerifier],
})
export class AuthModule extends ConfigurableModuleClass {
  /**
   * @param options are checked when the application starts: all that is wrong with them in one `ConfigurationError`.
   */
  static override forRoot(options: AuthOptions & AuthModuleExtras): DynamicModule {
    return super.forRoot(plainOptions(options));
  }

  /**
   * For options that other providers know (`ConfigService`, say): `useFactory` with `inject`, or `useClass` or
   * `useExisting` with a class that has `createAuthOptions()`.
   */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}

/**
 * Nest copies what an object has of its own. An object of a class may have a check as a method or a getter, which must not
 * get lost; so what is known by name is read by name. Without options it is said at start what is missing.
 */
function plainOptions(options: AuthOptions & AuthModuleExtras): AuthOptions & AuthModuleExtras {
  const given = Object.assign({}, options);
  for (const name of OPTION_NAMES) {
    const value: unknown = Reflect.get(Object(options) as object, name);
    if (value !== undefined) Object.assign(given, { [name]: value });
  }
  return given;
}

function startWith(options: ResolvedOptions): ResolvedOptions {
  if (options.insecureAllowHttp) {
    new Logger('AuthModule').warn('insecureAllowHttp is on: keys that come over http can be replaced on the way');
  }
  return options;
}
