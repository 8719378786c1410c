import { ConfigurationError, type ConfigurationProblem } from '../../errors.js';
import type { IssuerOptions } from '../../options/options.js';
import { type PresetName, type ProviderRow, PROVIDERS } from './providers.js';

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
  for (const row of PROVIDERS) {
    const found = row.issuer.exec(issuer);
    if (found === null) continue;
    const provider = providerOf(row, found.groups ?? {});
    // One name in two spellings is not one issuer; but where anyone can get tokens, no other options may be printed.
    const names = provider.call(undefined).issuers.map((options) => options.issuer);
    if (names.length === 0 || names.includes(issuer) || row.isOpenToAnyone === true) return provider;
  }
  return undefined;
}

function providerOf(row: ProviderRow, groups: Readonly<Record<string, string | undefined>>): RecognisedProvider {
  const audienceParameter = 'audienceParameter' in row ? row.audienceParameter : 'audience';
  const usualAudience = row.usualAudience?.(groups);
  return {
    preset: row.preset,
    audienceParameter,
    audienceClaim: row.audienceClaim ?? 'aud',
    usualAudience,
    call: (audience) => {
      const isUsual = usualAudience !== undefined && (audience ?? [usualAudience]).join() === usualAudience;
      const parametersWith = (name: string, which: 'shown' | 'example') =>
        Object.fromEntries([
          ...Object.entries(row.place(groups)).filter(isGiven),
          ...(audienceParameter === undefined || isUsual
            ? []
            : [[audienceParameter, one(audience ?? [name])] as const]),
          ...Object.entries(row.blanks ?? {}).map(([blank, texts]) => [blank, texts[which]] as const),
        ]);
      const { problems, issuers } = made(row, parametersWith(row.exampleAudience ?? 'api', 'example'));
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

function isGiven(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

function one(audience: readonly string[]): string | readonly string[] {
  const [first] = audience;
  return first !== undefined && audience.length === 1 ? first : audience;
}

function made({ preset, make }: ProviderRow, given: object): Pick<PresetCall, 'problems' | 'issuers'> {
  try {
    const options = make(given as never);
    return { problems: [], issuers: 'issuers' in options ? options.issuers : [options] };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problems = error.problems.map(({ path, message }) => ({ path: path.replace(`${preset}().`, ''), message }));
    return { problems, issuers: [] };
  }
}
