import { AuthError } from '../../model/errors.js';
import { DEFAULT_TOKEN_TYPES, normalizeTokenType, OTHER_TOKEN_TYPES } from '../../options/resolve-issuer.js';
import type { Check } from './check.js';
import { receivedMember } from './header.js';

/** RFC 8725 §3.11, RFC 9068 §4: a token that was issued for another purpose is not an access token. */
export const tokenTypeCheck = {
  name: 'type',
  reportOnly: 'tokenTypes',
  run({ header: { typ } }, { tokenTypes }) {
    checkType(typ, tokenTypes);
  },
  runReported({ header: { typ } }, { tokenTypes }) {
    checkType(typ, new Set([...DEFAULT_TOKEN_TYPES, ...tokenTypes]));
  },
  explain({ header: { typ } }, { tokenTypes }) {
    const kind = typeof typ === 'string' ? OTHER_TOKEN_TYPES.get(normalizeTokenType(typ)) : undefined;
    const hint = kind && `It is ${kind}, not an access token. Send the \`access_token\` of the token response.`;
    return { got: typ, expected: [...tokenTypes], hint };
  },
} as const satisfies Check;

function checkType(typ: unknown, types: ReadonlySet<unknown>): void {
  if (types.has(typ) || (typeof typ === 'string' && types.has(normalizeTokenType(typ)))) return;
  throw new AuthError('TYPE_NOT_ALLOWED', { member: 'typ', expected: [...types], received: receivedMember(typ) });
}

// Hashes that only an ID token has: OpenID Connect Core §3.1.3.6 and §3.3.2.11, FAPI 1.0 Advanced §5.1.1.
const ID_TOKEN_CLAIMS = ['at_hash', 'c_hash', 's_hash'];
/** Amazon Cognito. Other issuers have values of their own in `token_use`. */
const COGNITO = /^https:\/\/(?:issuer-)?cognito-idp\.[\w-]+\.amazonaws\.com\//;
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Keycloak's values of the claim `typ` in tokens that are not access tokens. */
const OTHER_TYPES: readonly unknown[] = ['Refresh', 'Offline', 'Logout'];
const LIKE_ID_TOKEN =
  "It may be an ID token: it has a `nonce`, or its only audience is its client, and it names no scope. Send the `access_token` of the token response. If the issuer's access tokens have the type `at+jwt`, set `tokenTypes: ['at+jwt']`.";

/**
 * Rejects ID tokens and logout tokens that have the same `iss`, `aud`, key and header `typ` as access tokens, by the claims that
 * only they have (`typ` of Keycloak and `token_use` of Cognito among them). An ID token without any of these claims
 * looks like an access token; `tokenTypes: ['at+jwt']` closes that gap.
 */
export const tokenPurposeCheck = {
  name: 'access-token',
  run({ claims }, { idTokens }) {
    const { iss, token_use: use, typ, events } = claims;
    if (idTokens === 'reject') {
      for (const claim of ID_TOKEN_CLAIMS) if (claim in claims) throw new AuthError('TYPE_NOT_ALLOWED', { claim });
      if (typ === 'ID') throw new AuthError('TYPE_NOT_ALLOWED', { claim: 'typ' });
      if (use !== undefined && use !== 'access' && COGNITO.test(iss as string))
        throw new AuthError('TYPE_NOT_ALLOWED', { claim: 'token_use', expected: 'access' });
    }
    if (OTHER_TYPES.includes(typ)) throw new AuthError('TYPE_NOT_ALLOWED', { claim: 'typ' });
    if (typeof events === 'object' && events !== null && LOGOUT_EVENT in events)
      throw new AuthError('TYPE_NOT_ALLOWED', { claim: 'events' });
  },
  explain({ claims: { scope, scp, client_id: client, nonce, azp, aud } }, { idTokens }) {
    if (idTokens === 'accept') return {};
    const isForClient = azp !== undefined && azp === [aud].flat().join(' ');
    const isSimilar = (scope ?? scp ?? client) === undefined && (nonce !== undefined || isForClient);
    return isSimilar ? { warning: LIKE_ID_TOKEN } : {};
  },
} as const satisfies Check;
