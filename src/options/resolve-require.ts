import { isPolicyReference, NOT_A_POLICY } from '../model/policy.js';
import { AUTHORITY_KINDS, MAX_AUTHENTICATION_AGE_SECONDS, type Requirement } from '../model/requirement.js';
import type { OptionReader } from './option-reader.js';
import { number, readGroup, withDefault } from './option-table.js';

const ACR_OPTIONS = {
  values: withDefault([], (reader, name) => reader.names(name, 'acr') ?? []),
  maxAgeSeconds: number(0, MAX_AUTHENTICATION_AGE_SECONDS, undefined),
};

export function readRequire(reader: OptionReader): readonly Requirement<never>[] {
  if (!reader.has('require')) return Object.freeze([]);
  const before = reader.problemCount;
  const require = reader.optionalChild('require');
  require.allowOnly([...AUTHORITY_KINDS, 'acr', 'policy', 'reportOnly']);
  const common = { merge: true, reportOnly: require.flag('reportOnly') };
  const requirements: Requirement<never>[] = [];
  for (const kind of AUTHORITY_KINDS) {
    const names = require.names(kind, kind, { nonEmpty: true });
    if (names !== undefined) requirements.push({ kind, names, ...common });
  }
  if (require.record.acr !== undefined) requirements.push({ ...readAcr(require), ...common });
  const { policy } = require.record;
  if (isPolicyReference(policy)) requirements.push({ kind: 'policy', policy, ...common });
  else if (policy !== undefined) require.problem('policy', NOT_A_POLICY);
  if (requirements.length === 0 && reader.problemCount === before)
    require.problem('', `requires nothing. Set one of ${AUTHORITY_KINDS.join(', ')}, acr or policy, or remove it.`);
  return Object.freeze(requirements.map((requirement) => Object.freeze(requirement)));
}

function readAcr(require: OptionReader) {
  const before = require.problemCount;
  const reader = require.optionalChild('acr');
  const { values, maxAgeSeconds } = readGroup(reader, ACR_OPTIONS);
  if (values.length === 0 && maxAgeSeconds === undefined && require.problemCount === before)
    reader.problem('', "requires nothing. Set values, maxAgeSeconds or both: { values: ['mfa'], maxAgeSeconds: 300 }.");
  return { kind: 'acr' as const, values, maxAgeSeconds };
}
