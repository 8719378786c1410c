import { isPolicyReference, NOT_A_POLICY } from '../model/policy.js';
import { isJsonObject } from '../model/json-object.js';
import { AUTHORITY_KINDS, problemOfMaxAge, problemOfNames, type Requirement } from '../model/requirement.js';
import type { OptionReader } from './option-reader.js';

const NONE: readonly Requirement<never>[] = Object.freeze([]);

export function readRequire(reader: OptionReader): readonly Requirement<never>[] {
  if (reader.record.require === undefined) return NONE;
  const require = reader.optionalChild('require');
  require.allowOnly([...AUTHORITY_KINDS, 'acr', 'policy', 'reportOnly']);
  const common = { merge: true, reportOnly: require.optional('reportOnly', 'boolean') ?? false };
  const requirements: Requirement<never>[] = [];
  for (const kind of AUTHORITY_KINDS) {
    const names = require.stringList(kind, { nonEmpty: true });
    if (names === undefined) continue;
    const problem = problemOfNames(kind, names);
    if (problem !== undefined && names.length > 0) require.problem(kind, problem);
    requirements.push({ kind, names, ...common });
  }
  if (require.record.acr !== undefined) requirements.push({ ...readAcr(require), ...common });
  const { policy } = require.record;
  if (policy !== undefined) {
    if (isPolicyReference(policy)) requirements.push({ kind: 'policy', policy, ...common });
    else require.problem('policy', NOT_A_POLICY);
  }
  if (requirements.length === 0) require.problem('', 'requires nothing; leave it out, or name scopes, roles, …');
  return Object.freeze(requirements.map((requirement) => Object.freeze(requirement)));
}

function readAcr(require: OptionReader) {
  if (!isJsonObject(require.record.acr)) {
    require.problem(
      'acr',
      "must be an object with values, maxAgeSeconds, or both: { values: ['mfa'], maxAgeSeconds: 300 }",
    );
    return { kind: 'acr' as const, values: [], maxAgeSeconds: undefined };
  }
  const acr = require.optionalChild('acr');
  acr.allowOnly(['values', 'maxAgeSeconds']);
  const values = acr.stringList('values') ?? [];
  const { maxAgeSeconds } = acr.record;
  const problems = { values: problemOfNames('acr', values), maxAgeSeconds: problemOfMaxAge(maxAgeSeconds) };
  for (const [name, problem] of Object.entries(problems)) if (problem !== undefined) acr.problem(name, problem);
  if (values.length === 0 && maxAgeSeconds === undefined)
    acr.problem('', 'must have values, or maxAgeSeconds, or both');
  return { kind: 'acr' as const, values, maxAgeSeconds: maxAgeSeconds as number | undefined };
}
