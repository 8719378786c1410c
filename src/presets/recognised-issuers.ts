import type { IssuerOptions, IssuerResolver } from '../options/options.js';
import { PROVIDERS, recognizeIssuer } from './providers.js';

// For src/cli/doctor, until it reads the provider records.
export type PresetName =
  | 'auth0'
  | 'betterAuth'
  | 'clerk'
  | 'cognito'
  | 'entraId'
  | 'firebase'
  | 'github'
  | 'google'
  | 'keycloak'
  | 'logto'
  | 'okta'
  | 'supabase'
  | 'zitadel';

interface PresetFacts {
  readonly make: (options: never) => IssuerOptions | { readonly issuers: readonly IssuerOptions[] | IssuerResolver };
  readonly audienceParameter: string | undefined;
  readonly audienceClaim: string;
  readonly checksMore: true | undefined;
}

export const PRESETS = Object.fromEntries(
  PROVIDERS.map((provider) => [
    provider.name,
    {
      make: (options: never) => provider.configure(options),
      audienceParameter: provider.audience.parameter,
      audienceClaim: provider.audience.claim,
      checksMore: provider.checksMoreThanAudience,
    },
  ]),
) as unknown as Readonly<Record<PresetName, PresetFacts>>;

export interface RecognisedIssuer {
  readonly preset: PresetName;
  readonly parts: Readonly<Record<string, string>>;
  readonly usualAudience: string | undefined;
}

export function recognisedIssuer(issuer: string): RecognisedIssuer | undefined {
  const recognized = recognizeIssuer(issuer);
  return recognized && { ...recognized, preset: recognized.provider.name as PresetName };
}
