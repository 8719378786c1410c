import type { VerifiedAccessToken } from '../model/access-token.js';
import type { Explanation } from '../token/explain.js';
import type { KeySources } from '../token/tenant-key-source-cache.js';
import { TrustedIssuers } from '../token/trusted-issuers.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import type { MockedTokens } from './mock-caller.js';

/** Takes any text for a token of whoever calls. */
export class MockVerifier extends AccessTokenVerifier {
  constructor(
    private readonly callers: MockedTokens,
    sources: KeySources,
  ) {
    super(new TrustedIssuers([], sources), Date.now);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- so that it rejects, as the other does, and does not throw
  override async verify(token: string): Promise<VerifiedAccessToken> {
    return this.callers.next(token).token;
  }

  /** No check is made. */
  override explain(): Promise<readonly Explanation[]> {
    return Promise.resolve([]);
  }
}
