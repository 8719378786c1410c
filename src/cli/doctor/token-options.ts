import { ConfigurationError } from '../../model/errors.js';
import { resolveOptions } from '../../options/resolve-options.js';
import type { ResolvedIssuer } from '../../options/resolve-issuer.js';
import type { DoctorRequest } from './doctor-request.js';
import type { RecognisedProvider } from './recognised-provider.js';

/** By what a token is checked. */
export interface TokenOptions {
  /** The options that the API would have, of which the name is the one that was asked for. */
  readonly issuer: ResolvedIssuer;
  /** Undefined: whom a token is for is only told. */
  readonly audience: readonly string[] | undefined;
}

/** The audience is that of the preset, where one knows the issuer: it may accept more than one name, or have one of its own. */
export function tokenOptions(
  issuer: string,
  { audience, clockToleranceSeconds }: Pick<DoctorRequest, 'audience' | 'clockToleranceSeconds'>,
  provider: RecognisedProvider | undefined,
): TokenOptions {
  const asked = audience?.map((name) => name.trim());
  const expected = asked === undefined ? usualOf(provider) : (acceptedBy(provider, asked, issuer) ?? asked);
  const resolve = (name: string, names: readonly string[]) =>
    resolveOptions({
      issuer: name,
      audience: names,
      audienceClaim: provider?.audienceClaim,
      // The keys were fetched before; nothing is fetched from here.
      keys: { from: 'jwks', uri: 'https://keys.invalid/' },
      clockToleranceSeconds,
    }).issuers as readonly [ResolvedIssuer];
  try {
    const [resolved] = resolve(issuer, expected ?? ['of no token']);
    return { issuer: resolved, audience: expected };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    // What is wrong with them is said by the row `configuration`; the rest of the token is looked at all the same.
    const [resolved] = resolve('https://issuer.invalid', ['of no token']);
    return { issuer: { ...resolved, issuer }, audience: undefined };
  }
}

function usualOf(provider: RecognisedProvider | undefined): readonly string[] | undefined {
  return provider?.usualAudience === undefined ? undefined : [provider.usualAudience];
}

function acceptedBy(
  provider: RecognisedProvider | undefined,
  asked: readonly string[],
  issuer: string,
): readonly string[] | undefined {
  const issuers = provider?.call(asked).issuers ?? [];
  const own = issuers.find((options) => options.issuer === issuer) ?? issuers[0];
  return own === undefined ? undefined : [own.audience].flat();
}
