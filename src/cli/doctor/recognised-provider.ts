import { ConfigurationError, type ConfigurationProblem } from '../../model/errors.js';
import type { IssuerOptions } from '../../options/options.js';
import { type PresetName, PRESETS, recognisedIssuer, type RecognisedIssuer } from '../../presets/recognised-issuers.js';
import { BLANKS } from './preset-blanks.js';

/** Who issues tokens under this name, and which function of `nestjs-resource-server/presets` knows it. */
export interface RecognisedProvider {
  readonly preset: PresetName;
  /** Undefined where the preset takes none. */
  readonly audienceParameter: string | undefined;
  /** Where its tokens name whom they are for. */
  readonly audienceClaim: string;
  /** What tokens name where nobody said anything else; undefined where that has to be said. */
  readonly usualAudience: string | undefined;
  /** @param audience undefined: there is a blank in its place. */
  call(audience: readonly string[] | undefined): PresetCall;
}

export interface PresetCall {
  /** As they are to be written, with the blanks. */
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
  /** What the preset has against them. */
  readonly problems: readonly ConfigurationProblem[];
  /** What it makes of them, with an example in place of each blank. */
  readonly issuers: readonly IssuerOptions[];
}

export const AUDIENCE_BLANK = '<what tokens for this API name in aud>';

export function recognisedProvider(issuer: string): RecognisedProvider | undefined {
  const recognised = recognisedIssuer(issuer);
  if (recognised === undefined) return undefined;
  const provider = providerOf(recognised);
  // One name in two spellings is not one issuer; but where the preset checks more, no other options may be printed.
  const names = provider.call(undefined).issuers.map((options) => options.issuer);
  const isItself = names.length === 0 || names.includes(issuer);
  return isItself || PRESETS[recognised.preset].checksMore === true ? provider : undefined;
}

function providerOf({ preset, parts, usualAudience }: RecognisedIssuer): RecognisedProvider {
  const { audienceParameter, audienceClaim } = PRESETS[preset];
  const { exampleAudience = 'api', blanks = {} } = BLANKS[preset] ?? {};
  return {
    preset,
    audienceParameter,
    audienceClaim,
    usualAudience,
    call: (audience) => {
      const isUsual = usualAudience !== undefined && (audience ?? [usualAudience]).join() === usualAudience;
      const parametersWith = (name: string, which: 'shown' | 'example') =>
        Object.fromEntries([
          ...Object.entries(parts),
          ...(audienceParameter === undefined || isUsual
            ? []
            : [[audienceParameter, one(audience ?? [name])] as const]),
          ...Object.entries(blanks).map(([blank, texts]) => [blank, texts[which]] as const),
        ]);
      const { problems, issuers } = made(preset, parametersWith(exampleAudience, 'example'));
      const refused =
        audienceParameter === undefined && !isUsual
          ? [
              {
                path: 'audience',
                message: `is not asked for: tokens name ${JSON.stringify(usualAudience)}; leave it out`,
              },
            ]
          : [];
      return { parameters: parametersWith(AUDIENCE_BLANK, 'shown'), problems: [...problems, ...refused], issuers };
    },
  };
}

function one(audience: readonly string[]): string | readonly string[] {
  const [first] = audience;
  return first !== undefined && audience.length === 1 ? first : audience;
}

function made(preset: PresetName, given: object): Pick<PresetCall, 'problems' | 'issuers'> {
  try {
    const options = PRESETS[preset].make(given as never);
    if (!('issuers' in options)) return { problems: [], issuers: [options] };
    // A function is what `tenants` makes, which no issuer's name says.
    return { problems: [], issuers: typeof options.issuers === 'function' ? [] : options.issuers };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problems = error.problems.map(({ path, message }) => ({ path: path.replace(`${preset}().`, ''), message }));
    return { problems, issuers: [] };
  }
}
