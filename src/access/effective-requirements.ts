import { type Requirement, REQUIREMENT_KINDS } from '../model/requirement.js';

export type RequirementPlace = 'handler' | 'class' | 'module';

export interface PlacedRequirement<Context = unknown> {
  readonly requirement: Requirement<Context>;
  readonly from: RequirementPlace;
}

/**
 * Returns whether requirements of one kind replace those of the outer place: not with `merge`, and requirements that are only
 * reported never replace enforced ones.
 */
export function replaceOuter(own: readonly Pick<Requirement, 'merge' | 'reportOnly'>[]): boolean {
  return own.some(({ reportOnly }) => !reportOnly) && !own.some(({ merge }) => merge);
}

/**
 * Returns the requirements of a handler in the order in which they are checked: by kind, policies last, and then those that
 * are only reported, because they count only calls that are otherwise admitted. Requirements of the handler replace those
 * of its class of the same kind (see {@link replaceOuter}); those of the module always apply.
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
    if (!replaceOuter(places.handler.filter((requirement) => requirement.kind === kind))) add('class');
    add('handler');
  }
  return Object.freeze(
    effective.sort((one, other) => Number(one.requirement.reportOnly) - Number(other.requirement.reportOnly)),
  );
}
