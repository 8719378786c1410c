import { ConfigurableModuleBuilder, type Provider, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { EXTRA_DEFAULTS } from '../options/resolve-options.js';
import type { ModuleExtras } from '../options/options.js';
import { AuthGuard } from './auth.guard.js';
import type { AuthOptions } from './auth-options.js';
import { JwtStrategy } from './jwt.strategy.js';

/** The options that stand next to `useFactory`, because the module needs them before the factory runs. */
export type AuthModuleExtras = ModuleExtras<Type<AuthGuard>, Type<JwtStrategy>>;

/** For `useClass` and `useExisting` of `forRootAsync`. */
export interface AuthOptionsCreator {
  createAuthOptions(): AuthOptions | Promise<AuthOptions>;
}

/** The injection token of the options as they were given. */
export const AUTH_OPTIONS = Symbol('nestjs-resource-server:options');
/** The injection token of {@link AuthModuleExtras} as they were given. */
export const AUTH_EXTRAS = Symbol('nestjs-resource-server:extras');

/** `useExisting`, because with `useClass` no override of a test reaches the guard. */
export const GLOBAL_GUARD: Provider = { provide: APP_GUARD, useExisting: AuthGuard };

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = new ConfigurableModuleBuilder<AuthOptions>(
  {
    optionsInjectionToken: AUTH_OPTIONS,
  },
)
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createAuthOptions')
  .setExtras<AuthModuleExtras>(EXTRA_DEFAULTS, (definition, extras) => ({
    ...definition,
    global: extras.isGlobal !== false,
    providers: [
      ...(definition.providers ?? []),
      { provide: AUTH_EXTRAS, useValue: extras },
      // A value that is not exactly 'manual' closes the application, and is reported at start.
      ...(extras.guard === 'manual' ? [] : [GLOBAL_GUARD]),
      ...(isReplacement('guard', extras.guard) ? [{ provide: AuthGuard, useClass: extras.guard }] : []),
      ...(isReplacement('strategy', extras.strategy) ? [{ provide: JwtStrategy, useClass: extras.strategy }] : []),
    ],
  }))
  .build();

export function isReplacement(name: 'guard' | 'strategy', value: unknown): value is Type {
  return typeof value === 'function' && value.prototype instanceof (name === 'guard' ? AuthGuard : JwtStrategy);
}
