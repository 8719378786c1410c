import type { AuthErrorCode } from '../model/errors.js';
import type { IssuerOptions, IssuerResolver } from '../options/options.js';

/** Everything that this package knows about one identity provider. */
export interface Provider<Options extends object = object> {
  /** The name of the preset function in `nestjs-resource-server/presets` and of the choice in `nest add --provider`. */
  readonly name: string;
  readonly label: string;
  /** The preset function. It throws a ConfigurationError if an option is missing or invalid. */
  configure(options: Options): IssuerOptions | { readonly issuers: readonly IssuerOptions[] | IssuerResolver };
  /** Returns the options that are part of the issuer's name, or undefined if the name can belong to another provider. */
  recognize(issuer: string): IssuerParts | undefined;
  /** Reads the options from an issuer under a custom domain, which only the developer can attribute to this provider. */
  recognizeCustomDomain?(issuer: string): IssuerParts | undefined;
  readonly exampleIssuer: string;
  readonly audience: ProviderAudience;
  /** The environment variables that hold the options in an application set up by `nest add`. */
  readonly environment: readonly EnvironmentVariable[];
  /** Claims that a token needs in addition to the standard ones, with values that the example configuration accepts. */
  readonly exampleClaims?: Readonly<Record<string, ExampleClaim>>;
  /** The preset rejects tokens that the options `issuer` and `audience` alone would accept. */
  readonly checksMoreThanAudience?: true;
  /** Anyone can get a token for any audience, so the preset requires a list of callers. */
  readonly issuesToAnyone?: true;
  /** Returns other issuers to try if the issuer at this address has no metadata. Empty for addresses of other providers. */
  alternativeIssuers?(address: URL): readonly string[];
  /** Instructions for a token that was rejected with this code. */
  readonly advice?: Readonly<Partial<Record<AuthErrorCode, Advice>>>;
}

/** Options of a preset that are part of the issuer's name. The preset may reject them. */
export type IssuerParts = Readonly<Record<string, string | undefined>>;

interface ProviderAudience {
  /** The preset's option. Absent if the preset takes none, because the audience follows from the issuer. */
  readonly parameter?: string;
  /** The claim that names the recipient of a token. */
  readonly claim: string;
  readonly example: string;
  /** Returns the audience of tokens unless the developer configured another one. */
  usual?(parts: IssuerParts): string | undefined;
  /** Returns whether tokens of this provider have the audience regardless of the API that they are for. */
  isCommon?(audience: string, issuer?: string): boolean;
}

export type EnvironmentVariable = {
  readonly name: string;
  /** The preset's option that the variable holds. */
  readonly parameter: string;
  /** Written above the variable in `.env.example`. */
  readonly comment?: string;
} & (
  | {
      readonly from: 'issuer' | 'audience';
      /** A value that most applications keep. Without it, the value of the example must be replaced. */
      readonly usual?: string;
    }
  | {
      /** The value follows neither from the issuer nor from the audience. */
      readonly from: 'example';
      readonly example: string;
      /** Describes the value, for `<…>` in a printed configuration. */
      readonly placeholder: string;
      /** The option is a list, of which the variable holds one item. */
      readonly isList: boolean;
    }
);

/** The value of a claim, or the environment variable that holds it. */
export type ExampleClaim = string | number | boolean | { readonly variable: string };

type Advice = string | ((facts: AdviceFacts) => string | undefined);

export interface AdviceFacts {
  /** The configured issuer. */
  readonly issuer: string;
  /** The issuer that the token or the metadata names. It is not verified. */
  readonly named?: string;
}

/** Returns instructions for this error. Addresses from the token are normalized URLs, which are safe to print. */
export function adviceOf(provider: Provider, code: AuthErrorCode, facts: AdviceFacts): string | undefined {
  const advice = provider.advice?.[code];
  return typeof advice === 'function' ? advice(facts) : advice;
}

/** Returns the named groups of the pattern, or undefined if the issuer does not match. */
export function matchIssuer(pattern: RegExp, issuer: string): IssuerParts | undefined {
  const match = pattern.exec(issuer);
  return match === null ? undefined : { ...match.groups };
}

/** The variable for the audience of the preset. */
export function audienceVariable(
  parameter: string,
  comment: string,
  { name = 'AUTH_AUDIENCE', usual }: { readonly name?: string; readonly usual?: string } = {},
): EnvironmentVariable {
  return { name, parameter, comment, from: 'audience', usual };
}
