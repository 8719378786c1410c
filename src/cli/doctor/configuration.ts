import { ConfigurationError, type ConfigurationProblem } from '../../model/errors.js';
import type { IssuerOptions, ResourceServerOptions } from '../../options/options.js';
import { resolveOptions } from '../../options/resolve-options.js';
import type { PresetName } from '../../presets/recognised-issuers.js';
import { AUDIENCE_BLANK, type PresetCall, type RecognisedProvider, recognisedProvider } from './recognised-provider.js';
import { type Writable, written, writtenMembers, writtenObject } from './written.js';

export interface ConfigurationFacts {
  /** As tokens name it. */
  readonly issuer: string;
  readonly audience: readonly string[] | undefined;
  /** Only where keys do not come by the metadata of the issuer's own name. */
  readonly keys: { readonly from: 'discovery' | 'jwks'; readonly uri: string } | undefined;
  /** Only where it is not the default. */
  readonly clockToleranceSeconds: number | undefined;
  readonly allowHttp: boolean;
}

export interface Configuration {
  /** What to paste into the application's root module. */
  readonly text: string;
  readonly preset: PresetName | undefined;
  /** What is wrong with the arguments, in most cases so that the application would not start; the text is marked then. */
  readonly problems: readonly ConfigurationProblem[];
}

const MARK = '// Not to be pasted as it stands: see the problem "configuration".\n';

export function configurationOf(facts: ConfigurationFacts): Configuration {
  const provider = recognisedProvider(facts.issuer);
  const call = provider?.call(facts.audience);
  const problems = call === undefined || call.problems.length === 0 ? problemsOf(facts, call) : call.problems;
  const text = provider === undefined || call === undefined ? plainText(facts) : presetText(facts, provider, call);
  return { text: `${problems.length > 0 ? MARK : ''}${text}`, preset: provider?.preset, problems };
}

// What stands to be filled in is no problem.
const NOT_SAID = 'not said yet';

/** As the application is told at start. */
function problemsOf({ issuer, audience, keys, ...facts }: ConfigurationFacts, call: PresetCall | undefined) {
  const besides = besidesOf(facts);
  const own = keys === undefined ? {} : { keys };
  const options: ResourceServerOptions =
    call === undefined
      ? { issuer, audience: audience ?? NOT_SAID, ...own, ...besides }
      : { issuers: call.issuers.map((one): IssuerOptions => ({ ...one, ...own })), ...besides };
  try {
    resolveOptions(options);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems;
  }
}

type Besides = Pick<ConfigurationFacts, 'clockToleranceSeconds' | 'allowHttp'>;

function besidesOf({ clockToleranceSeconds, allowHttp }: Besides) {
  return {
    ...(clockToleranceSeconds !== undefined && { clockToleranceSeconds }),
    ...(allowHttp && { insecureAllowHttp: true }),
  };
}

const IMPORT = "import { AuthModule } from 'nestjs-resource-server';";

function plainText({ issuer, audience, keys, ...facts }: ConfigurationFacts): string {
  const [first = AUDIENCE_BLANK, ...others] = audience ?? [];
  const members: Record<string, Writable> = {
    issuer,
    audience: others.length === 0 ? first : [first, ...others],
    ...(keys !== undefined && { keys }),
    ...besidesOf(facts),
  };
  return `${IMPORT}\n\nAuthModule.forRoot(${written(members)})`;
}

/** The keys stand beside what the preset says, and not in its place: it may be all that keeps strangers out. */
function presetText(
  { keys, ...facts }: ConfigurationFacts,
  { preset }: RecognisedProvider,
  { parameters }: PresetCall,
): string {
  const called = `${preset}(${written(parameters)})`;
  const besides = writtenMembers(besidesOf(facts));
  const imports = `${IMPORT}\nimport { ${preset} } from 'nestjs-resource-server/presets';`;
  if (keys === undefined) {
    const options = besides.length === 0 ? called : writtenObject([`...${called}`, ...besides]);
    return `${imports}\n\nAuthModule.forRoot(${options})`;
  }
  const [own = ''] = writtenMembers({ keys });
  const parts =
    preset === 'entraId'
      ? // It makes several issuers, of which each has keys.
        [`issuers: ${called}.issuers.map((issuer) => (${writtenObject(['...issuer', own])}))`]
      : [`...${called}`, own];
  return `${imports}\n\nAuthModule.forRoot(${writtenObject([...parts, ...besides])})`;
}
