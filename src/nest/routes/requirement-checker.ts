import { type ExecutionContext, Inject, Injectable, Logger, Scope, type Type } from '@nestjs/common';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import { checkRequirement, type RequirementSurroundings } from '../../access/check-requirement.js';
import type { PlacedRequirement } from '../../access/effective-requirements.js';
import { ReportedRefusals } from '../../access/reported-refusals.js';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import { AuthError } from '../../model/errors.js';
import { isPromise, type MaybePromise, recovering } from '../../model/maybe-promise.js';
import type { Policy, PolicyClass } from '../../model/policy.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { clientOf } from '../../token/claims.js';
import { RESOLVED_OPTIONS } from '../auth-options.js';
import { handlerName } from '../nest-internals.js';
import { transportOf } from '../transports/transport-of.js';
import type { RouteRules } from './route-metadata.js';

type Surroundings = RequirementSurroundings<ExecutionContext>;

/** Checks what a route requires of its caller. */
@Injectable()
export class RequirementChecker {
  private readonly logger = new Logger('AuthGuard');

  constructor(
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
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
    const surroundings: Surroundings = {
      context,
      nowSeconds: this.settings.clock() / 1000,
      requiredScopes: rules.requiredScopes,
      resolvePolicy: (policy) => this.resolvePolicy(policy, context),
    };
    return this.checkFrom(0, rules.requirements, token, surroundings);
  }

  /** Checks one requirement after the other, synchronously as long as each result is known. */
  private checkFrom(
    start: number,
    requirements: readonly PlacedRequirement<ExecutionContext>[],
    token: VerifiedAccessToken | undefined,
    surroundings: Surroundings,
  ): MaybePromise<void> {
    for (const [index, placed] of requirements.entries()) {
      if (index < start) continue;
      const result = placed.requirement.reportOnly
        ? this.report(placed, token, surroundings)
        : check(placed, token, surroundings);
      if (isPromise(result)) return result.then(() => this.checkFrom(index + 1, requirements, token, surroundings));
    }
  }

  private report(
    placed: PlacedRequirement<ExecutionContext>,
    token: VerifiedAccessToken | undefined,
    surroundings: Surroundings,
  ): MaybePromise<void> {
    return recovering(
      () => check(placed, token, surroundings),
      (error) => {
        const handler = handlerName(surroundings.context);
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
    const { scope } = this.moduleRef.introspect(type);
    if (scope === Scope.DEFAULT) return this.moduleRef.get(type, { strict: false });
    const request = transportOf(context).requestOf(context);
    const contextId = ContextIdFactory.getByRequest(request as Parameters<typeof ContextIdFactory.getByRequest>[0]);
    this.moduleRef.registerRequestByContextId(request, contextId);
    return this.moduleRef.resolve(type, contextId, { strict: false });
  }
}

function check(
  { requirement, from }: PlacedRequirement<ExecutionContext>,
  token: VerifiedAccessToken | undefined,
  surroundings: Surroundings,
): MaybePromise<void> {
  if (token !== undefined) return checkRequirement(requirement, token, surroundings);
  // The requirements of the module apply to tokens. A guest is admitted where a decorator admits guests.
  if (from !== 'module') throw new AuthError('TOKEN_MISSING', { reason: 'the route has requirements' });
}

function classOf(error: unknown): string {
  return error instanceof Error ? error.name : 'not an Error';
}
