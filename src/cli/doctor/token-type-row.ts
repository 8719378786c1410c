import { normalizeTokenType } from '../../options/resolve-issuer.js';
import { literal, quoted } from '../printable.js';
import { type CheckRow, ok, problem } from './check-row.js';
import type { Facts, Verdict } from './token-facts.js';

/** RFC 9068 §4, RFC 8725 §3.11. */
export function typeRow({ decoded, issuer }: Facts, { passed }: Verdict): CheckRow {
  const { typ } = decoded.header;
  if (passed === true) return ok('token.type', typ === undefined ? 'no typ' : quoted(typ));
  const expected = [...issuer.tokenTypes].map((type) => type ?? 'no typ').join(', ');
  const other = typeof typ === 'string' ? otherKind(normalizeTokenType(typ)) : undefined;
  const mend =
    other === undefined
      ? `Send the access token, not another kind of token; if it is one, and its issuer calls it that: tokenTypes: [${typeof typ === 'string' ? literal(typ) : '…'}].`
      : `It is ${other}, and no access token: send access_token of the token response.`;
  return problem('token.type', quoted(typ), mend, expected);
}

/** What is known to be no access token: to accept its type would be to accept it in the place of one. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [/logout/, 'a logout token (OpenID Connect Back-Channel Logout)'],
  [/dpop/, 'the proof that is sent beside a token (DPoP, RFC 9449)'],
  [/secevent|\bset\b/, 'a security event token (RFC 8417)'],
  [/(?:^|[^a-z])id(?:[^a-z]|$)|idtoken/, 'an ID token'],
  [/refresh|offline|^rt\b/, 'a refresh token'],
  [/authz-req|authorization-request/, 'a request to the authorization server (RFC 9101)'],
  [/client-?auth|assertion/, 'what a client proves itself with (RFC 7523)'],
  [/introspection/, 'an answer of token introspection (RFC 9701)'],
  [/attestation|proof|(?:^|[^a-z])(?:kb|pop)(?:[^a-z]|$)/, 'a proof of its sender'],
  [/sd-jwt|(?:^|[^a-z])v[cp](?:[^a-z]|$)|mdoc/, 'a credential of its holder'],
  [/statuslist|entity-statement|trust-mark|resolve-response|jwk-set|userinfo|jarm/, 'a document of a server'],
];

function otherKind(type: string): string | undefined {
  return OTHER_KINDS.find(([pattern]) => pattern.test(type))?.[1];
}
