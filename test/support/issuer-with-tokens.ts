import { bearer } from './app.js';
import { LocalIssuer, newKey } from './local-issuer.js';

/** An issuer for all tests of the file, and its tokens. */
export function issuerWithTokens() {
  const key = newKey();
  const otherKey = newKey('rsa', { kid: key.kid });
  const issuer = LocalIssuer.forFile([key]);
  const nowSeconds = () => Math.floor(Date.now() / 1000);
  // Issued a minute ago, because the clock of the tests may be stopped.
  const tokenOf = (claims: Record<string, unknown> = {}, by = key) =>
    issuer.token(by, 'RS256', { iat: nowSeconds() - 60, ...claims });
  /** The header of a request with a valid token. */
  const good = (claims?: Record<string, unknown>) => bearer(tokenOf(claims));
  const TOKENS = {
    none: () => undefined,
    good: () => tokenOf(),
    reader: () => tokenOf({ scope: 'read' }),
    writer: () => tokenOf({ scope: 'write' }),
    both: () => tokenOf({ scope: 'read write' }),
    bob: () => tokenOf({ sub: 'bob', scope: 'read write' }),
    forged: () => tokenOf({}, otherKey),
    malformed: () => 'not-a-token',
    expired: () => tokenOf({ exp: nowSeconds() - 60 }),
    foreign: () => tokenOf({ aud: 'https://other.example.com' }),
  };
  return { key, otherKey, issuer, nowSeconds, tokenOf, good, TOKENS };
}
