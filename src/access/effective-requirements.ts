import { type Requirement, REQUIREMENT_KINDS } from '../model/requirement.js';

/** Where a requirement was written. */
export type RequirementPlace = 'handler' | 'class' | 'module';

export interface PlacedRequirement<Context = unknown> {
  readonly requirement: Requirement<Context>;
  readonly from: RequirementPlace;
}

/**
 * Whether requirements of one kind take the place of what stands further out. Not where they are to be added (`merge`);
 * and what is only reported never takes the place of what is enforced.
 */
export function takePlace(own: readonly Pick<Requirement, 'merge' | 'reportOnly'>[]): boolean {
  return own.some(({ reportOnly }) => !reportOnly) && !own.some(({ merge }) => merge);
}

/**
 * What holds for a handler, in the order in which it is asked: kind by kind, policies last; after them what is only reported,
 * since a call that is refused has not passed. Its own requirements beat
 * those of its class of the same kind (see {@link takePlace}); the module's always count.
 */
export function effectiveRequirements<Context>(
  places: Readonly<Record<RequirementPlace, readonly Requirement<Context>[]>>,
): readonly PlacedRequirement<Context>[] {
  const effective: PlacedRequirement<Context>[] = [];
  for (const kind of REQUIREMENT_KINDS) {
    const add = (from: RequirementPlace) => {
      for (const requirement of places[from]) if (requirement.kind === kind) effective.push({ requirement, from });
    };
    add('module');
    if (!takePlace(places.handler.filter((requirement) => requirement.kind === kind))) add('class');
    add('handler');
  }
  return Object.freeze(
    effective.sort((one, other) => Number(one.requirement.reportOnly) - Number(other.requirement.reportOnly)),
  );
}
