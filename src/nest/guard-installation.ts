import { Inject, Injectable, Logger, type OnModuleInit, Scope, type Type } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Module } from '@nestjs/core/injector/module.js';
import { ConfigurationError } from '../model/errors.js';
import { AuthGuard } from './auth.guard.js';
import { RESOLVED_OPTIONS } from './auth-options.js';
import { JwtStrategy } from './jwt.strategy.js';
import { dependenciesOf, findProvider, providersOf } from './nest-internals.js';

/**
 * Makes sure that Nest calls the guard for every request, and before the guards of the application, which may read the user.
 * Depends on nothing that can be request-scoped, so that Nest always creates it.
 */
@Injectable()
export class GuardInstallation implements OnModuleInit {
  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
  ) {
    // Some versions of Nest start without a global guard that is not a singleton. Others refuse with an error of their own, later.
    for (const [module, wrapper] of this.guards()) {
      const chain = chainToRequest(module, wrapper);
      if (chain !== undefined) throw requestScoped(chain);
    }
    // Nest adds the guards of the root module before those of the modules that it imports.
    const add = config.addGlobalGuard.bind(config);
    config.addGlobalGuard = (guard) => {
      // An application may install a subclass itself, and a test may replace the guard by any object.
      const isOurs = guard instanceof AuthGuard || this.guards().some(([, wrapper]) => wrapper.instance === guard);
      if (isOurs) config.getGlobalGuards().unshift(guard);
      else add(guard);
    };
  }

  /** @throws ConfigurationError if several modules have a global guard, or if a provider looks like the strategy or guard but is not. */
  onModuleInit(): void {
    const instances = new Set<unknown>(this.guards().map(([, wrapper]) => wrapper.instance as unknown));
    const installed = new Set(this.config.getGlobalGuards().filter((guard) => instances.has(guard)));
    if (installed.size > 1) throw new ConfigurationError([{ path: 'AuthModule', message: SEVERAL }]);
    const problems = this.unusedClasses().map((path) => ({ path, message: UNUSED }));
    if (problems.length > 0) throw new ConfigurationError(problems);
    const [first] = providersOf(this.modules, GuardInstallation);
    const areSeveralGlobal = this.guards().filter(([module]) => module.isGlobal).length > 1;
    if (areSeveralGlobal && first?.[1].instance === this) new Logger('AuthModule').warn(SEVERAL_GLOBAL);
  }

  /** Returns the classes that `@nestjs/passport` would use, but `AuthModule` does not. */
  private unusedClasses(): readonly string[] {
    const own = providersOf(this.modules, RESOLVED_OPTIONS).map(([module]) => module);
    const used = own.flatMap(({ providers }) =>
      [JwtStrategy, AuthGuard].map((token) => providers.get(token)?.metatype),
    );
    // A test may replace the strategy or the guard by any object.
    if (!used.every((type) => isOwn(type, JwtStrategy) || isOwn(type, AuthGuard))) return [];
    const others = [...this.modules.values()].filter((module) => !own.includes(module));
    const providers = others.flatMap((module) => [...module.providers.values()]);
    return providers.flatMap(({ token, metatype, inject }) => {
      const type: unknown = Array.isArray(inject) ? undefined : metatype;
      const isReplacement = (token === JwtStrategy || token === AuthGuard) && type !== token;
      const isUnused = isOwn(type, JwtStrategy) && !used.some((each) => isOwn(each, type));
      return isReplacement || isUnused ? nameOf(type ?? token) : [];
    });
  }

  /** The guard of each `AuthModule`. */
  private guards() {
    return providersOf(this.modules, AuthGuard);
  }
}

/** Returns the names of the dependencies that lead from a provider to a request-scoped one. */
function chainToRequest(
  module: Module,
  wrapper: InstanceWrapper,
  visited = new Set<InstanceWrapper>(),
): readonly string[] | undefined {
  if (visited.has(wrapper)) return undefined;
  visited.add(wrapper);
  const { inject, scope } = wrapper;
  const metatype: unknown = wrapper.metatype;
  const own = nameOf(Array.isArray(inject) ? wrapper.token : (metatype ?? wrapper.token));
  if (scope === Scope.REQUEST) return own;
  for (const token of dependenciesOf(inject, metatype)) {
    const found = findProvider(token, module);
    const rest = found && chainToRequest(...found, visited);
    if (rest !== undefined) return [...own, ...rest];
  }
  return undefined;
}

/** Returns whether a class is another one, or extends it. */
function isOwn(type: unknown, base: unknown): type is Type {
  const { prototype } = Object(type) as { readonly prototype?: unknown };
  return typeof base === 'function' && (type === base || prototype instanceof base);
}

/** The tokens of this package are symbols, which tell a developer nothing. */
function nameOf(token: unknown): readonly string[] {
  if (typeof token === 'symbol') return [];
  return [typeof token === 'function' ? token.name : String(token)];
}

function requestScoped(chain: readonly string[]): ConfigurationError {
  const message =
    `needs one guard for all requests, but ${chain.join(' → ')} is created for each request, so that routes would be open; ` +
    'inject ModuleRef and resolve the dependency when it is needed, or use the request in `user`, `validate` or `tokenFrom`';
  return new ConfigurationError([{ path: 'AuthModule', message }]);
}

const SEVERAL =
  'is imported with options several times, so that each request would need a token that every one of them accepts; ' +
  "trust several issuers with the option `issuers`, or import the other modules with guard: 'manual' and isGlobal: false";

const SEVERAL_GLOBAL =
  'AuthModule is global several times: classes whose module imports none of them get one of them. Set isGlobal: false for all but one.';

const UNUSED =
  'is a provider, but AuthModule does not use it; pass the class to AuthModule: { strategy: … } or { guard: … }';
