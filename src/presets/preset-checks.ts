import type { AccessTokenClaims } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import { type CheckOptions, PROVIDER_CHECK, type ProviderChecked } from '../options/options.js';

/** What presets that check more than claims' names take, too. */
export interface OwnCheck {
  /** Your own check, after those of the preset. As `validate` of `AuthModule`: only `true` accepts the token. */
  readonly validate?: CheckOptions['validate'];
}

/**
 * The check of a preset is under a symbol, so that no `validate` beside the preset replaces it.
 * @param check throws an AuthError to refuse.
 * @param required claims that must be there: also where a list beside the preset takes the place of its `requiredClaims`.
 */
export function withOwnCheck(
  check: (claims: AccessTokenClaims) => void,
  own: CheckOptions['validate'],
  required: readonly string[] = [],
): ProviderChecked & Pick<CheckOptions, 'validate'> {
  return {
    [PROVIDER_CHECK]: ({ claims }) => {
      for (const claim of required)
        if (!Object.hasOwn(claims, claim) || claims[claim] === null) throw new AuthError('CLAIM_MISSING', { claim });
      check(claims);
    },
    ...(own !== undefined && { validate: own }),
  };
}

/**
 * For tokens that need not have `aud`. RFC 7519 §4.1.3: where it is there, whoever is not named must refuse.
 * @param audience undefined: no API has a name of its own there, so a token that names one is for somebody else.
 */
export function checkOptionalAudience({ aud }: AccessTokenClaims, audience: readonly string[] | undefined): void {
  const named: unknown = aud;
  if (named === undefined && audience === undefined) return;
  if (named === undefined) throw new AuthError('CLAIM_MISSING', { claim: 'aud' });
  const names: readonly unknown[] = Array.isArray(named) ? named : [named];
  if (audience?.some((name) => names.includes(name)) === true) return;
  throw new AuthError('AUDIENCE_MISMATCH', { claim: 'aud', expected: audience ?? 'none' });
}

/** Whether the claim is a string of the list. */
export function checkListed(claims: AccessTokenClaims, claim: string, list: readonly string[]): void {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined) throw new AuthError('CLAIM_MISSING', { claim });
  if (typeof value !== 'string' || !list.includes(value))
    throw new AuthError('CLAIM_INVALID', { claim, expected: list });
}
