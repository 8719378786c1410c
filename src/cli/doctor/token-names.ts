import { type DecodedToken, decodeCompact } from '../../token/jwt/compact.js';
import { refusalOf } from './explain-token.js';

/** Whom a token names, before anything of it is checked. */
export interface TokenNames {
  readonly issuer: string | undefined;
  readonly audience: readonly string[];
}

/** Undefined for what cannot be read. */
export function tokenNames(token: string, audienceClaim: string): TokenNames | undefined {
  let decoded: DecodedToken | undefined;
  refusalOf(() => (decoded = decodeCompact(token)));
  if (decoded === undefined) return undefined;
  const { iss, [audienceClaim]: audience } = decoded.claims;
  return {
    issuer: typeof iss === 'string' ? iss : undefined,
    audience: [audience].flat().filter((name): name is string => typeof name === 'string'),
  };
}
