import type { PresetName } from '../../presets/recognised-issuers.js';

/** What the user has to fill in: printed so that it is seen, and something of the form that the preset asks for. */
interface Blank {
  readonly shown: readonly string[];
  readonly example: readonly string[];
}

export interface PresetBlanks {
  /** An audience of the form that the preset asks for. Default any text. */
  readonly exampleAudience?: string;
  /** What it asks for beside the audience and what stands in the issuer's name. */
  readonly blanks?: Readonly<Record<string, Blank>>;
}

export const BLANKS: Readonly<Partial<Record<PresetName, PresetBlanks>>> = {
  entraId: { exampleAudience: '00000000-0000-0000-0000-000000000000' },
  google: { blanks: { emails: { shown: ['<the service account that may call>'], example: ['a@example.com'] } } },
  zitadel: { exampleAudience: '1' },
  clerk: { exampleAudience: 'https://example.com' },
  github: { blanks: { repositories: { shown: ['<owner>/<repository>'], example: ['owner/repository'] } } },
};
