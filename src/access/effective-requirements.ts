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
  // By kinds, so that policies, which may ask a database, come last.
  for (const kind of REQUIREMENT_KINDS) {
    const of = (place: RequirementPlace) => places[place].filter((requirement) => requirement.kind === kind);
    const own = of('handler');
    const enforced = own.filter(({ reportOnly }) => !reportOnly);
    const beatsClass = enforced.length > 0 && !own.some(({ merge }) => merge);
    for (const from of ['module', 'class', 'handler'] as const) {
      if (from === 'class' && beatsClass) continue;
      effective.push(...of(from).map((requirement) => ({ requirement, from })));
    }
  }
  return Object.freeze(effective);
}
