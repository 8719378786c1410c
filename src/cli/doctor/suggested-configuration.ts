import { ConfigurationError } from '../../model/errors.js';
import { DEFAULTS } from '../../options/defaults.js';
import type { ResolvedIssuer } from '../../options/resolve-issuer.js';
import { isFetchableAddress } from '../../model/address.js';
import { resolveOptions } from '../../options/resolve-options.js';
import { recognizeIssuer, type RecognizedIssuer } from '../../presets/providers.js';
import { toTypeScript } from '../command-io.js';
import type { DoctorRequest } from './check-issuer.js';
import type { CheckReport } from './check-report.js';

export type SuggestedConfiguration = ReturnType<typeof suggestConfiguration>;

export function suggestConfiguration(request: DoctorRequest) {
  // Presets require an audience.
  const recognized = request.audience === null ? undefined : recognizeIssuer(request.issuer);
  const suggested = suggest(request, recognized);
  // A preset may write the issuer differently. It is used then only if a plain configuration would check less.
  const isUsable =
    (recognized !== undefined && recognized.provider.checksOnlyAudience !== true) ||
    suggested.issuers.length === 0 ||
    suggested.issuers.some(({ issuer }) => issuer === request.issuer);
  return isUsable ? suggested : suggest(request, undefined);
}

function suggest(request: DoctorRequest, recognized: RecognizedIssuer | undefined) {
  const { issuer, audience, jwksUri, metadataUri, headers, allowHttp, clockToleranceSeconds } = request;
  const uri = jwksUri ?? metadataUri;
  const needsHttp = URL.canParse(uri ?? issuer) && !isFetchableAddress(uri ?? issuer, false);
  const hidden = headers && Object.fromEntries(Object.keys(headers).map((name) => [name, '<value>']));
  const additions = {
    ...((uri ?? headers) !== undefined && {
      keys: {
        from: jwksUri === undefined ? 'discovery' : 'jwks',
        ...(uri !== undefined && { uri }),
        ...(hidden && { headers: hidden }),
      },
    }),
    ...(clockToleranceSeconds !== DEFAULTS.clockToleranceSeconds && { clockToleranceSeconds }),
    ...(allowHttp && needsHttp && { insecureAllowHttp: true }),
  };
  const parameters = parametersFor(recognized, request, (example, meaning = example) => `<${meaning}>`);
  const examples = parametersFor(recognized, request, (example) => example);
  let issuers: readonly ResolvedIssuer[] = [];
  let problem: string | undefined;
  try {
    const options = { ...(recognized?.provider.configure(examples) ?? examples), ...additions };
    issuers = resolveOptions(options as Parameters<typeof resolveOptions>[0]).issuers as typeof issuers;
    // Tokens without an audience: the value is another option of the preset, unless that is part of the issuer's name.
    const isUsed =
      recognized !== undefined && !((recognized.provider.audience.parameter ?? 'audience') in recognized.parts);
    const ignored = audience?.find((name) => !issuers.some((each) => each.audience?.includes(name) ?? isUsed));
    if (ignored !== undefined) {
      const hasNone = issuers.some((each) => each.audience === null);
      problem = `Omit --audience: tokens have ${hasNone ? 'no audience' : `the audience "${recognized?.usualAudience ?? ''}"`}`;
    }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    problem = error.problems.map(({ path, message }) => `${path} ${message}`).join('; ');
  }
  return {
    issuer,
    /** Returns the configuration as code. @param columns the width of a terminal. */
    toText: (columns?: number) => configurationText(recognized?.provider.name, parameters, additions, columns),
    provider: recognized?.provider,
    /** Whether the audience is given (also as null), or follows from the issuer. */
    hasAudience: audience !== undefined || recognized?.usualAudience !== undefined,
    hasPlaceholders: toTypeScript(parameters) !== toTypeScript(examples),
    /** The issuers of an application with this configuration, with examples for placeholders. Empty if they are invalid. */
    issuers,
    problem,
  };
}

function configurationText(preset: string | undefined, parameters: object, additions: object, columns?: number) {
  const call = `${preset ?? ''}(${toTypeScript(parameters, columns)})`;
  const added = Object.entries(additions).map(([name, value]) => `${name}: ${toTypeScript(value, columns)},`);
  const spread = [`...${call},`, ...added].join('\n').replace(/^/gm, '  ');
  const presetOptions = added.length === 0 ? call : `{\n${spread}\n}`;
  return [
    "import { AuthModule } from 'nestjs-resource-server';",
    ...(preset === undefined ? [] : [`import { ${preset} } from 'nestjs-resource-server/presets';`]),
    '',
    `AuthModule.forRoot(${preset === undefined ? toTypeScript({ ...parameters, ...additions }, columns) : presetOptions})`,
  ].join('\n');
}

function parametersFor(
  recognized: RecognizedIssuer | undefined,
  { issuer, audience }: Pick<DoctorRequest, 'issuer' | 'audience'>,
  fill: (example: string, meaning?: string) => string,
): Readonly<Record<string, unknown>> {
  const { provider, parts = { issuer }, usualAudience } = recognized ?? {};
  const { parameter = 'audience', example } = provider?.audience ?? { example: 'example' };
  const given = audience?.length === 1 ? audience[0] : audience;
  const unknown = usualAudience ?? fill(example, 'the audience of tokens for this API');
  const value = given === undefined ? unknown : given;
  return {
    ...parts,
    ...(value !== usualAudience && !(parameter in parts) && { [parameter]: value }),
    ...(provider?.callers && { [provider.callers.parameter]: [fill(provider.callers.example)] }),
  };
}

/** Adds the row of the configuration. Returns whether it can be shown. */
export function checkConfiguration({ problem, hasPlaceholders }: SuggestedConfiguration, report: CheckReport): boolean {
  const failed = report.select('problem').map(({ check }) => check);
  if (failed.length > 0) {
    const list = new Intl.ListFormat('en').format(failed);
    report.add('configuration', 'skipped', 'not known yet', `Fix ${list} and run doctor again for the configuration.`);
    return false;
  }
  if (problem !== undefined) {
    report.add('configuration', 'problem', 'an application with these values does not start', problem);
    return false;
  }
  const condition = hasPlaceholders ? ' after you replace the values in <…>' : '';
  report.add('configuration', 'ok', `an application starts with it${condition}`);
  return true;
}
