import type { Discovery } from './discovery.js';
import { isDowngrade, isSameButForSpelling, knownSpellings } from './other-spellings.js';

/**
 * As the issuer writes itself, where that is the same one but for the spelling. Undefined: it has no metadata, or they name
 * another one, which may be another tenant, or must not be trusted in its place.
 * @param jwksUri where it is given, the metadata are not needed, and have no say in who the issuer is.
 */
export function nameOf(
  issuer: string,
  discovery: Discovery | undefined,
  jwksUri: string | undefined,
): string | undefined {
  const named = discovery?.found?.metadata.issuer;
  if (named === issuer) return issuer;
  const other = jwksUri === undefined ? undefined : issuer;
  if (typeof named !== 'string' || !URL.canParse(named)) return other;
  // Microsoft's endpoints for any tenant (`{tenantid}`) issue no tokens of their own.
  if (named.includes('{') || isDowngrade(issuer, named)) return undefined;
  return isSameButForSpelling(named, issuer) || knownSpellings(issuer).includes(named) ? named : other;
}
