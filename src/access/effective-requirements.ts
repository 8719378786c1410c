import { type Requirement, REQUIREMENT_KINDS } from '../requirement.js';

/** Where a requirement was written. */
export type RequirementPlace = 'handler' | 'class' | 'module';

export interface PlacedRequirement<Context = unknown> {
  readonly requirement: Requirement<Context>;
  readonly from: RequirementPlace;
}

/**
 * What holds for a handler: its own requirements beat those of its class of the same kind, unless they are to be added
 * (`merge`). What is only reported never takes the place of what is enforced. The module's always count.
 */
export function effectiveRequirements<Context>(
  places: Readonly<Record<RequirementPlace, readonly Requirement<Context>[]>>,
): readonly PlacedRequirement<Context>[] {
  const effective: PlacedRequirement<Context>[] = [];
  const add = (from: RequirementPlace, requirements: readonly Requirement<Context>[]) => {
    effective.push(...requirements.map((requirement) => ({ requirement, from })));
  };
  add('module', places.module);
  for (const kind of REQUIREMENT_KINDS) {
    const own = places.handler.filter((requirement) => requirement.kind === kind);
    const enforced = own.filter(({ reportOnly }) => !reportOnly);
    const beats = enforced.length > 0 && !own.some(({ merge }) => merge);
    if (!beats)
      add(
        'class',
        places.class.filter((requirement) => requirement.kind === kind),
      );
    add('handler', own);
  }
  return Object.freeze(effective);
}
