import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../model/access-token.js';
import { type Demand, NO_DEMAND, type Presented } from './authenticator.js';
import type { DecodedToken } from './jwt/compact.js';
import type { CachedToken } from './token-cache.js';
import type { TrustedIssuer } from './trusted-issuers.js';
import { FrozenAccessToken } from './verified-access-token.js';

/** The input of the checks of one token. It is created for each call. A fact is verified only after the checks before have passed. */
export class TokenFacts implements DecodedToken {
  readonly header: DecodedToken['header'];
  readonly claims: DecodedToken['claims'];
  private verified: VerifiedAccessToken | undefined;

  constructor(
    readonly token: string,
    { header, claims }: Pick<DecodedToken, 'header' | 'claims'>,
    readonly nowSeconds: number,
    readonly presented?: Presented,
    readonly demand: Demand = NO_DEMAND,
    readonly cached?: CachedToken,
  ) {
    this.header = header;
    this.claims = claims;
  }

  /** The verified token. Requires that the checks of the claims have passed, which prove their types. */
  verifiedToken(issuer: TrustedIssuer): VerifiedAccessToken {
    return (this.verified ??= new FrozenAccessToken(
      this.token,
      this.header as JoseHeader,
      this.claims as unknown as AccessTokenClaims,
      issuer,
      this.cached?.authorities,
    ));
  }
}
