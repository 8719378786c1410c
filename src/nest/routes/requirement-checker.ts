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

interface CheckedCall extends RequirementSurroundings<ExecutionContext> {
  /** Undefined for a guest. */
  readonly token: VerifiedAccessToken | undefined;
}

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
    const { scope } = this.moduleRef.introspect(type);
    if (scope === Scope.DEFAULT) return this.moduleRef.get(type, { strict: false });
    const request = transportOf(context).requestOf(context);
    const contextId = ContextIdFactory.getByRequest(request as Parameters<typeof ContextIdFactory.getByRequest>[0]);
    this.moduleRef.registerRequestByContextId(request, contextId);
    return this.moduleRef.resolve(type, contextId, { strict: false });
  }
}

function check({ requirement, from }: PlacedRequirement<ExecutionContext>, call: CheckedCall): MaybePromise<void> {
  if (call.token !== undefined) return checkRequirement(requirement, call.token, call);
  // The requirements of the module apply to tokens. A guest is admitted where a decorator admits guests.
  if (from !== 'module') throw new AuthError('TOKEN_MISSING', { reason: 'the route has requirements' });
}

function classOf(error: unknown): string {
  return error instanceof Error ? error.name : 'not an Error';
}
