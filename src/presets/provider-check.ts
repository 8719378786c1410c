import type { AccessTokenClaims } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import { type CheckOptions, PROVIDER_CHECK, type ProviderChecked } from '../options/options.js';

export interface ValidateOption {
  /** Your own check, called after those of the preset. As `validate` of `AuthModule`, it accepts only by returning `true`. */
  readonly validate?: CheckOptions['validate'];
}

/**
 * Returns the checks of a preset as issuer options.
 * @param requiredClaims checked twice, because an application can replace the option `requiredClaims` of the preset
 * @param check throws an AuthError to reject the token
 */
export function providerCheck(
  requiredClaims: readonly string[],
  validate: CheckOptions['validate'],
  check: (claims: AccessTokenClaims) => void = () => undefined,
): ProviderChecked & Pick<CheckOptions, 'requiredClaims' | 'validate'> {
  return {
    requiredClaims,
    [PROVIDER_CHECK]: ({ claims }) => {
      for (const claim of requiredClaims)
        if (!Object.hasOwn(claims, claim) || claims[claim] === null) throw new AuthError('CLAIM_MISSING', { claim });
      check(claims);
    },
    ...(validate !== undefined && { validate }),
  };
}

/**
 * Checks `aud` of tokens that may have none. RFC 7519 §4.1.3: a recipient that is not in `aud` must reject the token.
 * @param audience the names of this API in `aud`. Undefined: it has none, so every `aud` names another API.
 */
export function checkOptionalAudience({ aud }: AccessTokenClaims, audience: readonly string[] | undefined): void {
  const value: unknown = aud;
  if (value === undefined && audience === undefined) return;
  if (value === undefined) throw new AuthError('CLAIM_MISSING', { claim: 'aud' });
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (audience?.some((name) => names.includes(name)) === true) return;
  throw new AuthError('AUDIENCE_MISMATCH', { claim: 'aud', expected: audience ?? 'none' });
}

/** Checks that the claim is a string in the list. */
export function checkListed(claims: AccessTokenClaims, claim: string, list: readonly string[]): void {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined) throw new AuthError('CLAIM_MISSING', { claim });
  if (typeof value !== 'string' || !list.includes(value))
    throw new AuthError('CLAIM_INVALID', { claim, expected: list });
}
