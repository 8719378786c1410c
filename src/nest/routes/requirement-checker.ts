import { type ExecutionContext, Inject, Injectable, Logger, type Type } from '@nestjs/common';
import { ContextIdFactory, ModuleRef, ModulesContainer } from '@nestjs/core';
import { checkRequirement, type RequirementSurroundings } from '../../access/check-requirement.js';
import type { PlacedRequirement } from '../../access/effective-requirements.js';
import { ReportedRefusals } from '../../access/reported-refusals.js';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import { AuthError, ConfigurationError } from '../../model/errors.js';
import { isPromise, type MaybePromise, recovering } from '../../model/maybe-promise.js';
import type { Policy, PolicyClass } from '../../model/policy.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { clientOf } from '../../token/claims.js';
import { RESOLVED_OPTIONS } from '../auth-options.js';
import { findProvider, type FoundProvider, handlerName, providersOf } from '../nest-internals.js';
import { transportOf } from '../transports/transport-of.js';
import type { RouteRules } from './route-metadata.js';

interface CheckedCall extends RequirementSurroundings<ExecutionContext> {
  /** Undefined for a guest. */
  readonly token: VerifiedAccessToken | undefined;
}

/** Checks what a route requires of its caller. */
@Injectable()
export class RequirementChecker {
  private readonly logger = new Logger('AuthGuard');
  /** The policies of the handlers of each class. */
  private readonly policies = new Map<Type, Map<Type, FoundProvider>>();

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'clock'>,
    @Inject(ReportedRefusals) private readonly reported: ReportedRefusals,
  ) {}

  /**
   * @param token undefined for a guest, who fails every requirement of a decorator. The requirements of the module do not apply to guests.
   * @returns undefined if nothing has to be waited for.
   * @throws AuthError
   */
  check(rules: RouteRules, token: VerifiedAccessToken | undefined, context: ExecutionContext): MaybePromise<void> {
    if (rules.requirements.length === 0) return;
    const call: CheckedCall = {
      context,
      token,
      nowSeconds: this.settings.clock() / 1000,
      requiredScopes: rules.requiredScopes,
      resolvePolicy: (policy) => this.resolvePolicy(policy, context),
    };
    return this.checkRest(rules.requirements.values(), call);
  }

  /**
   * Checks one requirement after the other, synchronously as long as each result is known.
   * @param rest of an array: its iterator has no `return`, so that the next loop continues where a promise ended this one.
   */
  private checkRest(
    rest: IterableIterator<PlacedRequirement<ExecutionContext>>,
    call: CheckedCall,
  ): MaybePromise<void> {
    for (const placed of rest) {
      const result = placed.requirement.reportOnly ? this.report(placed, call) : check(placed, call);
      if (isPromise(result)) return result.then(() => this.checkRest(rest, call));
    }
  }

  private report(placed: PlacedRequirement<ExecutionContext>, call: CheckedCall): MaybePromise<void> {
    const { token, context } = call;
    return recovering(
      () => check(placed, call),
      (error) => {
        const handler = handlerName(context);
        if (error instanceof AuthError) this.reported.add(error, token && clientOf(token.claims), handler);
        // A policy in trial must not fail the call.
        else this.logger.warn(`A requirement of ${handler} that is only reported failed: ${classOf(error)}`);
      },
    );
  }

  private async resolvePolicy(
    policy: PolicyClass<ExecutionContext>,
    context: ExecutionContext,
  ): Promise<Policy<ExecutionContext>> {
    const type = policy as Type<Policy<ExecutionContext>>;
    const ofClass = this.policies.get(context.getClass()) ?? new Map<Type, FoundProvider>();
    this.policies.set(context.getClass(), ofClass);
    const found = ofClass.get(type) ?? findPolicy(this.modules, type, context.getClass());
    const [module, wrapper] = found;
    ofClass.set(type, found);
    const moduleRef = module.getProviderByKey<ModuleRef>(ModuleRef).instance;
    if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) return moduleRef.get(type, { strict: true });
    const request = transportOf(context).requestOf(context);
    const contextId = ContextIdFactory.getByRequest(request as Parameters<typeof ContextIdFactory.getByRequest>[0]);
    moduleRef.registerRequestByContextId(request, contextId);
    return moduleRef.resolve(type, contextId, { strict: true });
  }
}

/**
 * Finds the provider of a policy class: the one that a handler's class could inject, or the only one of the application.
 * @param type of the handler. Undefined for a policy of the module.
 * @throws ConfigurationError if there is none, or if it is not clear which.
 */
export function findPolicy(modules: ModulesContainer, policy: Type, type?: Type): FoundProvider {
  const homes = [...modules.values()].filter(
    ({ controllers, providers }) => type && (controllers.has(type) || providers.has(type)),
  );
  const found = homes.map((home) => findProvider(policy, home)).filter((each) => each !== undefined);
  const candidates = found.length > 0 ? found : providersOf(modules, policy);
  const [first] = candidates;
  if (first !== undefined && candidates.every(([, wrapper]) => wrapper === first[1])) return first;
  const message =
    first === undefined
      ? 'is a policy but not a provider; list it in the `providers` of a module'
      : 'is a policy that several modules provide; provide it in one module, and export it to the others';
  throw new ConfigurationError([{ path: policy.name, message }]);
}

function check({ requirement, from }: PlacedRequirement<ExecutionContext>, call: CheckedCall): MaybePromise<void> {
  if (call.token !== undefined) return checkRequirement(requirement, call.token, call);
  // The requirements of the module apply to tokens. A guest is admitted where a decorator admits guests.
  if (from !== 'module') throw new AuthError('TOKEN_MISSING', { reason: 'the route has requirements' });
}

function classOf(error: unknown): string {
  return error instanceof Error ? error.name : 'not an Error';
}
