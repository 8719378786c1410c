import type * as presets from '../presets.js';
import {
  audienceVariable,
  type ExampleClaim,
  type IssuerParts,
  matchIssuer,
  type Provider,
} from '../presets/provider.js';
import { PROVIDERS, recognizeIssuer } from '../presets/providers.js';

/** The preset of the generated application, with its environment variables and options. */
export interface ProviderSetup {
  readonly label: string;
  /** A function of `nestjs-resource-server/presets` that returns options. */
  readonly preset: Exclude<keyof typeof presets, 'requiredEnv'>;
  readonly variables: readonly Variable[];
  /** Options of the preset that are not variables. */
  readonly constants: readonly { readonly parameter: string; readonly value: string }[];
  /** Claims that the preset requires in addition to those of every token: members of an object, as source text. */
  readonly tokenClaims: readonly string[];
}

/** An environment variable with its value or an example of it. */
interface Variable {
  readonly name: string;
  readonly value: string;
  /** The developer must replace the value. */
  readonly isExample: boolean;
  readonly comment: string | undefined;
  /** The option of the preset that the variable holds. */
  readonly parameter: string;
  /** The option is a list, of which the variable holds one item. */
  readonly isList: boolean;
  /** The command line option that provides the value. Undefined if it is always an example. */
  readonly option: 'issuer' | 'audience' | undefined;
}

/** Any other authorization server, by `fromEnv()`. */
const OTHER: Omit<Provider, 'name' | 'configure' | 'recognize'> = {
  label: 'the authorization server',
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>.+)$/, issuer),
  exampleIssuer: 'https://issuer.example.com',
  audience: { parameter: 'audience', claim: 'aud', example: 'https://api.example.com' },
  environment: [
    { name: 'AUTH_ISSUER', parameter: 'issuer', from: 'issuer', comment: 'The exact `iss` of the tokens.' },
    audienceVariable('audience', '`aud` of tokens for this API.'),
  ],
};

/** The values of `--provider`, which are also in schema.json. */
export const PROVIDER_NAMES: readonly string[] = [...PROVIDERS.map(({ name }) => name), 'other'];

// The values are written into source files and into .env.example.
const UNSAFE = /["'`\\$\r\n]/;

/**
 * Derives the set-up of an application. Without an issuer or audience, the provider's example is used. An issuer may lack `https://` or
 * have an extra slash if the preset writes the issuer itself.
 * @throws Error if the provider is unknown, or the issuer belongs to another one
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
  const variables = source.environment.map((variable): Variable => {
    const { name: variableName, parameter, comment } = variable;
    const common = { name: variableName, parameter, comment };
    if (variable.from === 'example')
      return { ...common, value: variable.example, isExample: true, isList: variable.isList, option: undefined };
    const { from: option, usual } = variable;
    const value =
      option === 'issuer' ? (parts[parameter] ?? usual ?? '') : (audience ?? usual ?? source.audience.example);
    const isExample = usual === undefined && (option === 'issuer' ? issuer : audience) === undefined;
    return { ...common, value, isExample, isList: false, option };
  });
  const unsafe = variables.find(({ value }) => UNSAFE.test(value));
  if (unsafe !== undefined)
    throw new Error(
      `--issuer contains ${JSON.stringify(unsafe.value)}, which cannot be part of a source file. Omit it, and set it in .env.`,
    );
  const constants = Object.entries(parts).flatMap(([parameter, value]) =>
    value === undefined || variables.some((variable) => variable.parameter === parameter) ? [] : [{ parameter, value }],
  );
  const claims = Object.entries(source.exampleClaims ?? {});
  return {
    label: source.label,
    preset: source === OTHER ? 'fromEnv' : (name as ProviderSetup['preset']),
    variables,
    constants,
    tokenClaims: claims.map(([claim, value]) => `${claim}: ${sourceOf(value)}`),
  };
}

function readParts(name: string, source: typeof OTHER, issuer: string): IssuerParts {
  const { provider, parts } = recognizeIssuer(issuer) ?? {};
  if (provider?.name === name && parts !== undefined) return parts;
  if (provider?.checksMoreThanAudience === true) {
    const reason = provider.issuesToAnyone
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

function sourceOf(claim: ExampleClaim): string {
  if (typeof claim === 'object') return `process.env.${claim.variable}`;
  return typeof claim === 'string' ? `'${claim}'` : String(claim);
}

function completeAddress(issuer: string): string {
  const withScheme = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:\/|$)/.test(issuer) ? `https://${issuer}` : issuer;
  return withScheme.replace(/\/+$/, '');
}
