import type { AuthError, AuthErrorCode, AuthErrorDetail } from '../model/errors.js';
import { findSimilarAddress } from '../model/similar-address.js';
import { SEVERAL_WORDS } from './bearer.js';
import { BY_VALIDATE } from './checks.js';
import { durationText } from './duration-text.js';

/** What to look at when a call was refused. For developers: never sent to a client unless `explainRefusals` says so. */
export const HINTS: Readonly<Record<AuthErrorCode, string>> = {
  TOKEN_MISSING:
    'Send `Authorization: Bearer <access token>`. Where the client did: a proxy may have dropped the header, or the token stands where `tokenFrom` does not look.',
  SCHEME_UNSUPPORTED: 'The header must begin with `Bearer `. DPoP and Basic are not understood.',
  TOKEN_MULTIPLE:
    'The token was sent twice: in two headers, or in two of the places that `tokenFrom` names. Send it once.',
  TOKEN_TOO_LARGE: 'Take claims out of the token (groups and permissions by the hundred, say); the limit is 32 KiB.',
  TOKEN_MALFORMED:
    'It is no JWT of three parts. Opaque tokens (Auth0 without an `audience`, Google) and encrypted ones (five parts) cannot be read; quotation marks or a line end may have been sent with it.',
  ALGORITHM_NOT_ALLOWED:
    'Have the issuer sign with an asymmetric algorithm that `algorithms` allows (RS256, ES256, …). HS256 and none are never accepted.',
  TYPE_NOT_ALLOWED:
    'It is no access token: an ID token, a refresh token or a logout token. Send the `access_token` of the token response; or `tokenTypes` is stricter than the issuer.',
  HEADER_CRITICAL: 'The token demands an extension (`crit`) that is not understood here. Have it issued without.',
  ISSUER_UNTRUSTED:
    'Write `issuer` exactly as `iss` has it: scheme, host, path and trailing slash. A token of another environment or tenant looks like this, too.',
  KEY_UNKNOWN:
    'The issuer does not publish the key that signed the token: it comes from another environment, was signed before the keys were rotated, or `keys.uri` leads elsewhere.',
  KEY_UNSUITABLE:
    'The key is published, but too weak, or for another use or algorithm than the token names: see `detail.reasons` in the log.',
  SIGNATURE_INVALID: 'The token was changed on its way, or signed by somebody else who names the same key.',
  TOKEN_EXPIRED:
    'Get a new token. When it is new, compare the clocks of this machine and the issuer (`clockToleranceSeconds`).',
  TOKEN_NOT_YET_VALID:
    'The issuer means it to be used later, or its clock and that of this machine differ by more than `clockToleranceSeconds`.',
  TOKEN_TOO_OLD: 'Get a new token: `maxTokenAgeSeconds` is shorter than the life that the issuer gives it.',
  AUDIENCE_MISMATCH:
    'The token is for another API. Have the client ask for this one (`audience`, `resource`, or a scope of it), or write into `audience` what the tokens for this API name.',
  CLAIM_MISSING:
    'The issuer does not put that claim into the token: configure it there, or do not require it. Where `aud` is missing, see `audienceClaim`.',
  CLAIM_INVALID:
    'A claim is not of the type that RFC 7519 gives it, or has a value that a preset or your own `validate` does not take.',
  BINDING_UNPROVEN:
    'The token is bound to a key of its client (`cnf`). Have it issued as a bearer token, without DPoP or mTLS.',
  PROOF_INVALID: 'The proof of possession does not fit the request: compare method, address and time.',
  PROOF_REPLAYED: 'Make a new proof for each request.',
  NONCE_REQUIRED: 'Repeat the request with the nonce of the response.',
  TOKEN_REVOKED: 'Get a new token: this one was revoked.',
  TOKEN_INACTIVE: 'Get a new token: the issuer says that this one is not active.',
  USER_REFUSED: 'The `user` option returned nothing for this token: the account does not exist here, or is locked.',
  SCOPE_INSUFFICIENT:
    'Have the client ask for the scope, and the issuer grant it. When the token has it, `claimPaths.scopes` looks elsewhere.',
  ROLE_INSUFFICIENT:
    'Give the user the role. When the token has it, `claimPaths.roles` looks elsewhere (Keycloak: `realm_access.roles`).',
  PERMISSION_INSUFFICIENT:
    'Give the user the permission. When the token has it, `claimPaths.permissions` looks elsewhere.',
  AUTHENTICATION_INSUFFICIENT:
    'The user must log in again, more strongly or more lately: send the client through `acr_values` and `max_age` of the challenge (RFC 9470).',
  AUTHORIZATION_DETAILS_INSUFFICIENT: 'The token has no `authorization_details` of that type that fit (RFC 9396).',
  POLICY_DENIED: 'A policy of the application said no.',
  ORIGIN_UNTRUSTED:
    'The token came in a cookie from a page of another origin: list it in `fromCookie(name, { origins })` if it is yours.',
  KEYS_UNAVAILABLE: 'The issuer cannot be reached from here, or what it answers is no key set: the log says why.',
  INTROSPECTION_UNAVAILABLE: 'The introspection endpoint cannot be reached from here: the log says why.',
  STORE_UNAVAILABLE: 'A store that a check needs cannot be reached: the log says why.',
};

/** What the facts of a refusal say about where to look. */
const SHARPER: Partial<Record<AuthErrorCode, (detail: AuthErrorDetail) => string | undefined>> = {
  TOKEN_MULTIPLE: ({ reason }) =>
    reason === SEVERAL_WORDS
      ? 'There is a space or a comma in the token: `Bearer ` may stand there twice (a form that adds it by itself got it pasted, too), or two headers were joined.'
      : undefined,
  TOKEN_MALFORMED: ({ reason }) =>
    typeof reason === 'string' ? `${capitalized(reason)}. ${HINTS.TOKEN_MALFORMED}` : undefined,
  CLAIM_MISSING: ({ claim }) => {
    if (claim === 'exp')
      return 'The token has no `exp`: one that never expires is not accepted. Have the issuer set it.';
    return typeof claim === 'string' ? `The token has no \`${claim}\`. ${HINTS.CLAIM_MISSING}` : undefined;
  },
  CLAIM_INVALID: ({ claim, reason }) => {
    if (typeof claim === 'string') return `It is about \`${claim}\`. ${HINTS.CLAIM_INVALID}`;
    return reason === BY_VALIDATE ? `${capitalized(reason)}: it did not return true.` : undefined;
  },
  TYPE_NOT_ALLOWED: ({ claim, member }) => {
    if (typeof claim === 'string') return `\`${claim}\` gives it away. ${HINTS.TYPE_NOT_ALLOWED}`;
    return member === 'typ'
      ? 'Its `typ` is none that `tokenTypes` takes: it is no access token (an ID token, a logout token), or `tokenTypes` is stricter than the issuer.'
      : undefined;
  },
  KEYS_UNAVAILABLE: ({ reason }) =>
    typeof reason === 'string' ? `${HINTS.KEYS_UNAVAILABLE} In short: ${reason}.` : undefined,
  POLICY_DENIED: ({ policy }) =>
    typeof policy === 'string' ? `The policy ${policy} of the application said no.` : undefined,
};

/** How to mend what a token was refused for. */
export function hintFor({ code, detail }: AuthError): string {
  return SHARPER[code]?.(detail) ?? HINTS[code];
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const WORDS = ['undefined', 'null', '[object Object]'];

/** What is no token, though its client takes it for one. */
export function formHint(text: unknown): string | undefined {
  if (typeof text !== 'string') return 'A token is a text.';
  if (/^bearer\s/i.test(text)) return 'Take `Bearer ` away: the token begins after it.';
  if (/^["'].*["']$/s.test(text)) return 'Take the quotation marks away.';
  if (text.trim() !== text) return 'Take the space, or the line end, before or after the token away.';
  if (WORDS.includes(text))
    return `The client sent the word ${JSON.stringify(text)}: where it keeps its token there is none.`;
  const parts = text.split('.').length;
  if (parts === 5)
    return 'It has five parts: it is encrypted (JWE), and nobody but the issuer can read it. Have it send signed tokens.';
  return undefined;
}

/** The commonest mistake of all: an address that differs in its last slash, its case or its scheme. */
export function spellingHint(found: unknown, wanted: readonly string[]): string | undefined {
  const texts = [found].flat().filter((value): value is string => typeof value === 'string');
  const similar = findSimilarAddress(wanted, texts);
  return (
    similar &&
    `The token has ${JSON.stringify(similar.named)}, the options ${JSON.stringify(similar.configured)}: write it exactly as the token has it, with or without the last slash.`
  );
}

// As seconds, some 3,000 years ahead.
export const LEAST_MILLISECONDS = 1e11;

export function expiryHint(exp: unknown, nowSeconds: number): string | undefined {
  if (typeof exp !== 'number') return undefined;
  if (!Number.isFinite(exp)) return undefined;
  if (exp > LEAST_MILLISECONDS)
    return '`exp` is in milliseconds: the issuer must give seconds since 1970 (RFC 7519 §4.1.4).';
  return `It expired ${durationText(nowSeconds - exp)} ago. ${HINTS.TOKEN_EXPIRED}`;
}

export function notYetHint(
  claims: Readonly<Record<string, unknown>>,
  nowSeconds: number,
  toleranceSeconds: number,
): string | undefined {
  for (const claim of ['nbf', 'iat']) {
    const { [claim]: time } = claims;
    if (typeof time !== 'number' || !Number.isFinite(time) || time <= nowSeconds + toleranceSeconds) continue;
    if (time > LEAST_MILLISECONDS) return `\`${claim}\` is in milliseconds: the issuer must give seconds since 1970.`;
    return `\`${claim}\` is ${durationText(time - nowSeconds)} ahead: the issuer means it to be used later, or its clock and that of this machine differ by more than \`clockToleranceSeconds\`.`;
  }
  return undefined;
}
