import { ConfigurationError, type ConfigurationProblem } from '../model/errors.js';
import type { ResourceServerOptions } from '../options/options.js';
import { resolveOptions } from '../options/resolve-options.js';
import * as presets from '../presets.js';
import type { IssuerParts, Provider } from '../presets/provider.js';
import { PROVIDERS, recognizeIssuer } from '../presets/providers.js';

export interface ProviderSetup {
  readonly label: string;
  readonly preset: Exclude<keyof typeof presets, 'requiredEnv'>;
  readonly variables: ReturnType<typeof variablesOf>;
  /** Options of the preset that are not variables. */
  readonly constants: IssuerParts;
  /** Claims that the preset requires in addition to those of every token: members of an object, as source text. */
  readonly tokenClaims: readonly string[];
  /** Members of the JOSE header that the preset requires, as source text. */
  readonly tokenMembers: readonly string[];
  /** The request header of the token. Default `Authorization`. */
  readonly tokenHeader?: string;
}

/** Any other authorization server, by `fromEnv()`. */
const OTHER: Omit<Provider, 'name' | 'configure' | 'recognize'> = {
  label: 'the authorization server',
  recognizeCustomDomain: (issuer) => ({ issuer }),
  exampleIssuer: 'https://issuer.example.com',
  variables: { issuer: 'AUTH_ISSUER', audience: 'AUTH_AUDIENCE' },
  comments: { issuer: 'The exact `iss` of the tokens.', audience: '`aud` of tokens for this API.' },
  audience: { example: 'https://api.example.com' },
};

/** The values of `--provider`, which are also in schema.json. */
export const PROVIDER_NAMES: readonly string[] = [...PROVIDERS.map(({ name }) => name), 'other'];

// The values are written into source files and into .env.example.
const UNSAFE = /["'`\\$\r\n]/;

/**
 * Without an issuer or audience, the provider's example is used. An issuer may lack `https://` or have an extra slash if the
 * preset writes the issuer itself.
 */
export function setupOf(name: string, issuer: string | undefined, audience: string | undefined): ProviderSetup {
  if (!PROVIDER_NAMES.includes(name))
    throw new Error(`--provider is ${JSON.stringify(name)}. Write one of ${PROVIDER_NAMES.join(', ')}.`);
  const source = PROVIDERS.find((provider) => provider.name === name) ?? OTHER;
  const address = issuer === undefined || source === OTHER ? issuer : completeAddress(issuer);
  if (address !== undefined && (!/^https?:\/\/\S+$/.test(address) || UNSAFE.test(address)))
    throw new Error(`--issuer is ${JSON.stringify(issuer)}. Write an address that begins with https://.`);
  if (audience !== undefined && (/\s/.test(audience) || UNSAFE.test(audience)))
    throw new Error(`--audience is ${JSON.stringify(audience)}. Write it without spaces and quotation marks.`);
  const parts = readParts(name, source, address ?? source.exampleIssuer);
  const audienceOption = source.audience.parameter ?? 'audience';
  const given = { [audienceOption]: audience, ...(issuer !== undefined && parts) };
  const variables = variablesOf(source, parts, given);
  const unsafe = variables.find(({ value }) => UNSAFE.test(value));
  if (unsafe !== undefined)
    throw new Error(
      `--issuer contains ${JSON.stringify(unsafe.value)}, which cannot be part of a source file. Omit it, and set it in .env.`,
    );
  const setup = {
    label: source.label,
    preset: source === OTHER ? 'fromEnv' : (name as ProviderSetup['preset']),
    variables,
    constants: Object.fromEntries(Object.entries(parts).filter(([part]) => !(part in source.variables))),
    tokenClaims: source.exampleClaims ?? [],
    tokenMembers: source.exampleHeader ?? [],
  };
  const [place] = checkSetup(setup).tokenFrom ?? [];
  return place !== undefined && 'from' in place && place.from === 'header'
    ? { ...setup, tokenHeader: place.name }
    : setup;
}

function variablesOf(
  { variables, comments = {}, usualOptions, audience, callers }: typeof OTHER,
  parts: IssuerParts,
  given: IssuerParts,
) {
  const { parameter: audienceOption = 'audience' } = audience;
  const usual: IssuerParts = { [audienceOption]: audience.usual?.(given), ...usualOptions };
  const callerExample = callers && { [callers.parameter]: callers.example };
  const examples: IssuerParts = { ...parts, [audienceOption]: audience.example, ...callerExample };
  return Object.entries(variables).map(([parameter, name]) => {
    const value = given[parameter] ?? usual[parameter];
    return {
      name,
      parameter,
      option: parameter === audienceOption ? 'audience' : 'issuer',
      /** The variable holds one item of a list. */
      isList: parameter === callers?.parameter,
      comment: comments[parameter],
      value: value ?? examples[parameter] ?? '',
      /** The developer must replace the value. */
      isExample: value === undefined,
    };
  });
}

function readParts(name: string, source: typeof OTHER, issuer: string): IssuerParts {
  const { provider, parts } = recognizeIssuer(issuer) ?? {};
  if (provider?.name === name && parts !== undefined) return parts;
  if (provider !== undefined && provider.checksOnlyAudience !== true) {
    const reason = provider.callers
      ? 'from which anyone can get a token for any audience'
      : 'whose tokens need more checks than those of issuer and audience';
    throw new Error(
      `--issuer=${issuer} is an issuer of ${provider.label}, ${reason}. Use --provider=${provider.name}, not ${name}.`,
    );
  }
  const custom = source.recognizeCustomDomain?.(issuer);
  if (custom !== undefined) return custom;
  throw new Error(
    `--issuer=${issuer} is not an issuer of ${source.label}, for example ${source.exampleIssuer}. If it is correct, use --provider=other.`,
  );
}

function completeAddress(issuer: string): string {
  const withScheme = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:\/|$)/.test(issuer) ? `https://${issuer}` : issuer;
  return withScheme.replace(/\/+$/, '');
}

function checkSetup(setup: ProviderSetup): ResourceServerOptions {
  try {
    const options = optionsOf(setup);
    resolveOptions(options);
    return options;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const lines = error.problems.map((problem) => `  - ${describe(problem, setup)}`);
    throw new Error(
      `No file was changed, because an application for ${setup.label} would not start with these options:\n${[...new Set(lines)].join('\n')}\nOmit the options that you do not know yet: .env.example then lists what to fill in.`,
      { cause: error },
    );
  }
}

/** Returns the options that the generated module passes to `AuthModule` if the variables have their values. */
export function optionsOf(setup: ProviderSetup): ResourceServerOptions {
  const { preset, variables, constants } = setup;
  const env = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  if (preset === 'fromEnv') return presets.fromEnv(env);
  const call = presets[preset] as (options: object) => ResourceServerOptions;
  return call({ ...presets.requiredEnv(variableNames(setup), env), ...constants });
}

/** Returns the argument of `requiredEnv()`. */
export function variableNames({ variables }: ProviderSetup): Readonly<Record<string, string | readonly string[]>> {
  return Object.fromEntries(variables.map(({ parameter, name, isList }) => [parameter, isList ? [name] : name]));
}

function describe({ path, message }: ConfigurationProblem, { variables }: ProviderSetup): string {
  const name = /(\w+)(?:\[\d+\])?$/.exec(path)?.[1] ?? '';
  const variable = variables.find((candidate) => candidate.parameter === name || candidate.name === name);
  const option = (variable?.option ?? name) === 'audience' ? 'audience' : 'issuer';
  return name === option ? `--${option}: ${message}` : `--${option} (${name}): ${message}`;
}

const INTRODUCTION = [
  '# Copy this file to .env and load it with one of these commands:',
  '# nest start --env-file .env, or node --env-file=.env dist/main.js',
];

/** Variables that have a value keep it. Examples are in angle brackets, with which the application does not start. */
export function envExample(before: string, setup: ProviderSetup): string {
  const present = withGivenValues(before, setup);
  const newline = present.includes('\r\n') ? '\r\n' : '\n';
  const missing = setup.variables.filter(({ name }) => valueIn(present, name) === undefined);
  if (missing.length === 0) return present;
  const lines = [
    ...(present.trim() === '' ? [] : [present.trimEnd(), '']),
    `# nestjs-resource-server: tokens of ${setup.label}`,
    ...(present.includes('--env-file') ? [] : INTRODUCTION),
    ...missing.flatMap(({ name, value, isExample, comment }) => [
      ...(comment === undefined ? [] : [`# ${comment}`]),
      `${name}=${isExample ? `<${value}>` : quoted(value)}`,
    ]),
    '',
  ];
  return lines.join(newline);
}

/** Returns the names of the variables that were given and have another value already. */
export function keptVariables(present: string, setup: ProviderSetup): readonly string[] {
  const kept = givenVariables(setup).filter(({ name, value }) => {
    const earlier = valueIn(present, name) ?? value;
    return earlier !== value && !EXAMPLE.test(earlier);
  });
  return kept.map(({ name }) => name);
}

/** Replaces the examples of an earlier run by the given values. */
function withGivenValues(text: string, setup: ProviderSetup): string {
  return givenVariables(setup).reduce(
    (result, { name, value }) =>
      result.replace(assignmentOf(name), (line, start: string, earlier: string) =>
        EXAMPLE.test(earlier) ? start + quoted(value) : line,
      ),
    text,
  );
}

const EXAMPLE = /^<.*>$/;

const givenVariables = ({ variables }: ProviderSetup) => variables.filter(({ isExample }) => !isExample);

/** Matches the line of a variable in a file for `--env-file`: what precedes the value, and the value. */
function assignmentOf(name: string): RegExp {
  return new RegExp(`^([ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*)(.*?)(?=[ \\t\\r]*$)`, 'm');
}

/** Returns the value of a variable without quotes, or undefined if it is not set. */
function valueIn(text: string, name: string): string | undefined {
  return assignmentOf(name)
    .exec(text)?.[2]
    ?.replace(/^(["'])(.*)\1$/, '$2');
}

/** Without quotes, a hash starts a comment and a space ends the value. */
function quoted(value: string): string {
  return /[\s#]/.test(value) ? `"${value}"` : value;
}
