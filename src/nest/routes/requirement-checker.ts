import { type ExecutionContext, Logger, Scope, type Type } from '@nestjs/common';
import { ContextIdFactory, type ModuleRef } from '@nestjs/core';
import { checkRequirement, type RequirementSurroundings } from '../../access/check-requirement.js';
import type { PlacedRequirement } from '../../access/effective-requirements.js';
import type { ReportedRefusals } from '../../access/reported-refusals.js';
import type { Policy, PolicyClass } from '../../model/policy.js';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import { AuthError } from '../../model/errors.js';
import { AcceptedToken } from '../../token/accepted-token.js';
import { clientOf } from '../../token/claims.js';
import { handlerName } from '../request-context.js';
import type { Route } from './route-metadata.js';
import { transportOf } from '../transports/transport-of.js';

// On the context itself: a WeakMap would cost the garbage collector more than the checks.
const CHECKED = Symbol('nestjs-resource-server:checked');
const GUEST = Symbol('nestjs-resource-server:guest');

interface CheckedContext extends ExecutionContext {
  /** The token that met all that the route requires. */
  readonly [CHECKED]?: VerifiedAccessToken | typeof GUEST;
}

/** Checks what a route requires of its caller. */
export class RequirementChecker {
  private readonly logger = new Logger('AuthGuard');

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly clock: () => number,
    private readonly reported: ReportedRefusals,
  ) {}

  /**
   * @param token undefined for a guest, who meets none of them but the module's.
   * @returns undefined where nothing is to be waited for.
   * @throws AuthError
   */
  check(route: Route, token: VerifiedAccessToken | undefined, context: ExecutionContext): void | Promise<void> {
    // The global guard may be followed by one on the class, with the same context: what a policy loads is loaded once, and
    // what is only reported is counted once.
    const checked = context as CheckedContext;
    if (checked[CHECKED] === (token ?? GUEST)) return;
    const surroundings: RequirementSurroundings<ExecutionContext> = {
      context,
      nowSeconds: this.clock() / 1000,
      clockToleranceSeconds: token === undefined ? 0 : AcceptedToken.clockToleranceOf(token),
      requiredScopes: route.requiredScopes,
      resolvePolicy: (policy) => this.resolvePolicy(policy, context),
    };
    const checking = this.checkFrom(0, route.requirements, token, surroundings);
    if (checking === undefined) Reflect.set(checked, CHECKED, token ?? GUEST);
    else return checking.then(() => void Reflect.set(checked, CHECKED, token ?? GUEST));
  }

  /** One after the other, and without a wait where there is nothing to be waited for. */
  private checkFrom(
    start: number,
    requirements: readonly PlacedRequirement<ExecutionContext>[],
    token: VerifiedAccessToken | undefined,
    surroundings: RequirementSurroundings<ExecutionContext>,
  ): void | Promise<void> {
    for (let index = start; ; index += 1) {
      const placed = requirements[index];
      if (placed === undefined) return;
      const checking = placed.requirement.reportOnly
        ? this.report(placed, token, surroundings)
        : check(placed, token, surroundings);
      if (checking !== undefined)
        return checking.then(() => this.checkFrom(index + 1, requirements, token, surroundings));
    }
  }

  private async report(
    placed: PlacedRequirement<ExecutionContext>,
    token: VerifiedAccessToken | undefined,
    surroundings: RequirementSurroundings<ExecutionContext>,
  ): Promise<void> {
    try {
      await check(placed, token, surroundings);
    } catch (error) {
      const { context } = surroundings;
      const handler = handlerName(context);
      if (error instanceof AuthError) this.reported.add(error, token && clientOf(token.claims), handler);
      // A policy that is only tried out must not cost anybody an answer.
      else this.logger.warn(`A requirement of ${handler} that is only reported failed: ${nameOf(error)}`);
    }
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
  surroundings: RequirementSurroundings<ExecutionContext>,
): void | Promise<void> {
  if (token !== undefined) return checkRequirement(requirement, token, surroundings);
  // The module's requirements are for tokens; a guest comes where a decorator lets guests in.
  if (from !== 'module') throw new AuthError('TOKEN_MISSING', { reason: 'the route requires something of its caller' });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'no Error';
}
