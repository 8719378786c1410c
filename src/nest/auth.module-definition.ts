import { ConfigurableModuleBuilder, type Provider, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard } from './auth.guard.js';
import type { ModuleExtras } from '../options/options.js';
import type { AuthOptions } from './auth-options.js';

/** What is decided where the module is imported: beside `useFactory`, not in what a factory returns. */
export type AuthModuleExtras = ModuleExtras<Type<AuthGuard>>;

/** For `useClass` and `useExisting` of `forRootAsync`. */
export interface AuthOptionsCreator {
  createAuthOptions(): AuthOptions | Promise<AuthOptions>;
}

/** The options as they were given. */
export const AUTH_OPTIONS = Symbol('nestjs-resource-server:options');
/** {@link AuthModuleExtras} as they were given. */
export const AUTH_EXTRAS = Symbol('nestjs-resource-server:extras');

// useExisting: with useClass, no override of a test reaches the guard.
const GLOBAL_GUARD: Provider = { provide: APP_GUARD, useExisting: AuthGuard };

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = new ConfigurableModuleBuilder<AuthOptions>(
  {
    optionsInjectionToken: AUTH_OPTIONS,
  },
)
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createAuthOptions')
  .setExtras<AuthModuleExtras>({ guard: 'global', isGlobal: true }, (definition, extras) => ({
    ...definition,
    global: extras.isGlobal !== false,
    providers: [
      ...(definition.providers ?? []),
      { provide: AUTH_EXTRAS, useValue: extras },
      // Whatever is not exactly 'manual' closes the application, and is then complained about at start.
      ...(extras.guard === 'manual' ? [] : [GLOBAL_GUARD]),
      ...(isGuardClass(extras.guard) ? [{ provide: AuthGuard, useClass: extras.guard }] : []),
    ],
  }))
  .build();

export function isGuardClass(guard: unknown): guard is Type<AuthGuard> {
  return typeof guard === 'function' && guard.prototype instanceof AuthGuard;
}
