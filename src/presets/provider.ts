import type { AuthErrorCode } from '../model/errors.js';
import type { IssuerOptions, IssuerResolver } from '../options/options.js';
import type { TokenPlace } from '../options/token-places.js';

/** Options of `AuthModule`. `tokenFrom` is for tokens that a proxy sends in a header of its own. */
export type ProviderConfiguration =
  | (IssuerOptions & { readonly tokenFrom?: readonly TokenPlace[] })
  | { readonly issuers: readonly IssuerOptions[] | IssuerResolver };

export interface Provider<Options extends object = object> {
  /** The name of the preset function in `nestjs-resource-server/presets` and of the choice in `nest add --provider`. */
  readonly name: string;
  /** The name of the provider for people. */
  readonly label: string;
  /** The preset function. */
  configure(options: Options): ProviderConfiguration;
  /** Returns the options that are part of the issuer's name, or undefined if the name can belong to another provider. */
  recognize(issuer: string): IssuerParts | undefined;
  /** Reads the options from an issuer under a custom domain, which only the developer can attribute to this provider. */
  recognizeCustomDomain?(issuer: string): IssuerParts | undefined;
  /** An issuer as the preset returns it, which begins with https:// and belongs to no other preset. */
  readonly exampleIssuer: string;
  /** The environment variables that hold the options in an application set up by `nest add`, by option. No other preset has them. */
  readonly variables: Readonly<Record<string, string>>;
  /** What to write above the variables in `.env.example`, by option. */
  readonly comments?: Readonly<Record<string, string>>;
  readonly audience: ProviderAudience;
  /** Values that most applications keep, by option. Without one, the value of an example must be replaced. */
  readonly usualOptions?: Readonly<Record<string, string>>;
  /** The list of callers that the preset requires, because anyone can get a token for any audience. */
  readonly callers?: { readonly parameter: string; readonly example: string };
  /** Claims that a token needs in addition to `iss`, `aud`, `sub` and `exp`: members of an object, as source text (`"sid: 'session'"`). */
  readonly exampleClaims?: readonly string[];
  /** Members that the JOSE header of a token needs in addition: members of an object, as source text. */
  readonly exampleHeader?: readonly string[];
  /** The preset accepts every token that the options `issuer` and `audience` alone would accept. */
  readonly checksOnlyAudience?: true;
  /** Returns other issuers to try if the issuer at this address has no metadata. Empty for addresses of other providers. */
  alternativeIssuers?(address: URL): readonly string[];
  /** Instructions for a token that was rejected with this code. */
  readonly advice?: Readonly<Partial<Record<AuthErrorCode, Advice>>>;
}

/** Options of a preset that are part of the issuer's name. The preset may reject them. */
export type IssuerParts = Readonly<Record<string, string | undefined>>;

interface ProviderAudience {
  /** The preset's option, which may also be part of the issuer's name. Default `audience`. */
  readonly parameter?: string;
  readonly example: string;
  /** Returns the audience of tokens unless the developer configured another one. */
  usual?(parts: IssuerParts): string | undefined;
  /** Returns whether tokens of this provider have the audience regardless of the API that they are for. */
  isCommon?(audience: string, issuer?: string): boolean;
}

type Advice = string | ((facts: AdviceFacts) => string | undefined);

export interface AdviceFacts {
  readonly issuer: string;
  /** The issuer that the token or the metadata names. It is not verified. */
  readonly named?: string;
}

/** Returns instructions for this error. Addresses from the token are normalized URLs, which are safe to print. */
export function adviceOf(provider: Provider, code: AuthErrorCode, facts: AdviceFacts): string | undefined {
  const advice = provider.advice?.[code];
  return typeof advice === 'function' ? advice(facts) : advice;
}

export function matchIssuer(pattern: RegExp, issuer: string): IssuerParts | undefined {
  const match = pattern.exec(issuer);
  return match === null ? undefined : { ...match.groups };
}
