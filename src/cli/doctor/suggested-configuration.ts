import { isFetchableAddress } from '../../model/address.js';
import { ConfigurationError, type ConfigurationProblem } from '../../model/errors.js';
import type { IssuerOptions } from '../../options/options.js';
import type { ResolvedIssuer } from '../../options/resolve-issuer.js';
import { resolveOptions } from '../../options/resolve-options.js';
import type { Provider } from '../../presets/provider.js';
import { recognizeIssuer, type RecognizedIssuer } from '../../presets/providers.js';
import type { DoctorRequest } from './check-issuer.js';
import { objectLiteral, properties, toTypeScript, type Writable } from './to-typescript.js';

/** The configuration of an application for one issuer. */
export interface SuggestedConfiguration {
  /** TypeScript for the root module. */
  readonly text: string;
  /** The provider whose preset is used. */
  readonly provider: Provider | undefined;
  /** Whether the audience is given, or follows from the issuer. */
  readonly hasAudience: boolean;
  readonly hasPlaceholders: boolean;
  /** The issuers of an application with this configuration, with examples for placeholders. Empty if there are problems. */
  readonly issuers: readonly ResolvedIssuer[];
  /** Why the application would not start. */
  readonly problems: readonly ConfigurationProblem[];
}

export function suggestConfiguration(request: DoctorRequest): SuggestedConfiguration {
  const audience = request.audience?.map((name) => name.trim());
  const recognized = recognizeExactly(request.issuer);
  const call = recognized === undefined ? plainCall(request.issuer, audience) : presetCall(recognized, audience);
  const additions = additionalOptions(request);
  return {
    text: configurationText(recognized?.provider.name, call, additions),
    provider: recognized?.provider,
    hasAudience: audience !== undefined || recognized?.usualAudience !== undefined,
    hasPlaceholders: /['[]<[^']*>'/.test(toTypeScript(call.parameters)),
    ...(call.problems.length > 0 ? { issuers: [], problems: call.problems } : resolve(call.issuers, additions)),
  };
}

function additionalOptions({ issuer, jwksUri, allowHttp, clockToleranceSeconds }: DoctorRequest) {
  const isHttp = (address: string) => /^http:/i.test(address) && !isFetchableAddress(address, false);
  return {
    ofIssuer: { ...(jwksUri !== undefined && { keys: { from: 'jwks' as const, uri: jwksUri } }) },
    ofModule: {
      ...(clockToleranceSeconds !== 5 && { clockToleranceSeconds }),
      ...(allowHttp && [issuer, jwksUri ?? issuer].some(isHttp) && { insecureAllowHttp: true }),
    },
  };
}

type AdditionalOptions = ReturnType<typeof additionalOptions>;

function configurationText(preset: string | undefined, call: OptionsCall, additions: AdditionalOptions): string {
  const expression = preset === undefined ? '' : `${preset}(${toTypeScript(call.parameters)})`;
  const keys = properties(additions.ofIssuer);
  const base =
    call.isList && keys.length > 0
      ? // The preset returns several issuers, and each has its own keys.
        [`issuers: ${expression}.issuers.map((issuer) => (${objectLiteral(['...issuer', ...keys])}))`]
      : [...(preset === undefined ? properties(call.parameters) : [`...${expression}`]), ...keys];
  const parts = [...base, ...properties(additions.ofModule)];
  return [
    "import { AuthModule } from 'nestjs-resource-server';",
    ...(preset === undefined ? [] : [`import { ${preset} } from 'nestjs-resource-server/presets';`]),
    '',
    `AuthModule.forRoot(${parts.join() === `...${expression}` ? expression : objectLiteral(parts)})`,
  ].join('\n');
}

function resolve(issuers: readonly IssuerOptions[], { ofIssuer, ofModule }: AdditionalOptions) {
  try {
    const resolved = resolveOptions({ issuers: issuers.map((options) => ({ ...options, ...ofIssuer })), ...ofModule });
    return { issuers: resolved.issuers as readonly ResolvedIssuer[], problems: [] };
  } catch (error) {
    return { issuers: [], problems: problemsOf(error, /^issuers\[\d+\]\./) };
  }
}

function problemsOf(error: unknown, prefix: RegExp): readonly ConfigurationProblem[] {
  if (!(error instanceof ConfigurationError)) throw error;
  return error.problems.map(({ path, message }) => ({ path: path.replace(prefix, ''), message }));
}

/** The arguments of the configuration, and the options that follow from them. */
interface OptionsCall {
  /** With placeholders. */
  readonly parameters: Readonly<Record<string, Writable>>;
  /** With examples for placeholders. */
  readonly issuers: readonly IssuerOptions[];
  /** Whether the preset returns a list of issuers. */
  readonly isList: boolean;
  readonly problems: readonly ConfigurationProblem[];
}

const AUDIENCE = 'the audience of tokens for this API';

function plainCall(issuer: string, audience: readonly string[] | undefined): OptionsCall {
  const parameters = { issuer, audience: oneOrMore(audience) ?? `<${AUDIENCE}>` };
  return { parameters, issuers: [{ issuer, audience: audience ?? 'example' }], isList: false, problems: [] };
}

function oneOrMore(values: readonly string[] | undefined): string | readonly string[] | undefined {
  return values?.length === 1 ? values[0] : values;
}

function presetCall(
  { provider, parts, usualAudience }: RecognizedIssuer,
  audience: readonly string[] | undefined,
): OptionsCall {
  const { parameter, example } = provider.audience;
  const needsAudience = usualAudience === undefined || (audience ?? [usualAudience]).join() !== usualAudience;
  const parametersWith = (text: (value: { placeholder: string; example: string }) => string) => ({
    ...parts,
    ...(needsAudience && parameter && { [parameter]: oneOrMore(audience) ?? text({ placeholder: AUDIENCE, example }) }),
    ...Object.fromEntries(
      provider.environment
        .filter((variable) => variable.from === 'example')
        .map((variable) => [variable.parameter, variable.isList ? [text(variable)] : text(variable)]),
    ),
  });
  const call = { parameters: parametersWith(({ placeholder }) => `<${placeholder}>`), issuers: [], isList: false };
  if (needsAudience && parameter === undefined) {
    const message = `is not an option of ${provider.name}(): tokens have the audience ${JSON.stringify(usualAudience)}. Omit it`;
    return { ...call, problems: [{ path: 'audience', message }] };
  }
  try {
    const options = provider.configure(parametersWith((value) => value.example));
    if (!('issuers' in options)) return { ...call, issuers: [options], problems: [] };
    // `issuers` is a function only for a list of tenants, which no issuer's name contains.
    return { ...call, issuers: options.issuers as readonly IssuerOptions[], isList: true, problems: [] };
  } catch (error) {
    return { ...call, problems: problemsOf(error, /^\w+\(\)\./) };
  }
}

/** A preset may write the issuer differently. It is used then only if a plain configuration would check less. */
function recognizeExactly(issuer: string): RecognizedIssuer | undefined {
  const recognized = recognizeIssuer(issuer);
  if (recognized === undefined || recognized.provider.checksMoreThanAudience === true) return recognized;
  const { issuers } = presetCall(recognized, undefined);
  return issuers.length === 0 || issuers.some((options) => options.issuer === issuer) ? recognized : undefined;
}
