import type { AuthError, AuthErrorCode, AuthErrorDetail } from '../model/errors.js';
import { isSimilarAddress } from '../model/address.js';
import { quoted } from '../model/printable-text.js';
import { SEVERAL_WORDS } from './token-extractor.js';

/** The `reason` of a refusal when `validate` does not return `true`. */
export const REJECTED_BY_VALIDATE = 'rejected by the `validate` option';

/** Instructions for developers, for each code. Sent to clients only if `explainRefusals` is on. */
const HINTS: Readonly<Record<AuthErrorCode, string>> = {
  TOKEN_MISSING:
    'Send `Authorization: Bearer <access token>`. If the client does, a proxy may remove the header, or the token is in a place that `tokenFrom` does not list.',
  SCHEME_UNSUPPORTED: 'The header must begin with `Bearer `. DPoP and Basic are not supported.',
  TOKEN_MULTIPLE: 'The token was sent twice: in two headers, or in two of the places of `tokenFrom`. Send it once.',
  TOKEN_TOO_LARGE: 'The limit is 32 KiB. Remove claims from the token, for example hundreds of groups or permissions.',
  MESSAGES_TOO_MANY:
    'The client sends messages before its socket is admitted, or before `authenticated` answers its new token. Let it wait for that.',
  MCP_REQUEST_INVALID:
    'The body of the request must be one JSON-RPC message, or a list of them, and `Mcp-Method` and `Mcp-Name` must name what it calls. Keep the body parser of Nest.',
  TOKEN_MALFORMED:
    'It is not a JWT of three parts. Opaque tokens (Auth0 without an `audience`, Google) and encrypted tokens (five parts) cannot be read. Quotation marks or a line end may have been sent with the token.',
  ALGORITHM_NOT_ALLOWED:
    'Configure the issuer to sign with an asymmetric algorithm that `algorithms` allows (RS256, ES256, …). HS256 and none are never accepted.',
  TYPE_NOT_ALLOWED:
    'It is not an access token but an ID token, a refresh token or a logout token; send the `access_token` of the token response. Otherwise `tokenTypes` is stricter than the issuer.',
  HEADER_CRITICAL: 'The token requires an extension (`crit`) that is not supported. Issue it without the extension.',
  ISSUER_UNTRUSTED:
    'Write `issuer` exactly as `iss` has it: scheme, host, path and trailing slash. The token may come from another environment or tenant.',
  KEY_UNKNOWN:
    'The issuer does not publish the key that signed the token. The token comes from another environment, was signed before a key rotation, or `keys.uri` is the address of another key set.',
  KEY_UNSUITABLE: 'The key is published but too weak, or meant for another use or algorithm than the token names.',
  SIGNATURE_INVALID: 'The token was modified, or signed with another key that has the same key id.',
  TOKEN_EXPIRED:
    'Get a new token. If it is new, compare the clocks of this machine and of the issuer (`clockToleranceSeconds`).',
  TOKEN_NOT_YET_VALID:
    'The issuer wants it to be used later, or its clock and the clock of this machine differ by more than `clockToleranceSeconds`.',
  TOKEN_TOO_OLD: 'Get a new token. `maxTokenAgeSeconds` is shorter than the lifetime that the issuer sets.',
  AUDIENCE_MISMATCH:
    'The token is for another API. Request a token for this API (`audience`, `resource` or one of its scopes), or set `audience` to the `aud` of tokens for this API.',
  CLAIM_MISSING: 'The issuer does not put that claim into the token. Configure it there, or do not require it.',
  CLAIM_INVALID:
    'A claim does not have the type that RFC 7519 defines, or a value that a preset or your `validate` option accepts.',
  BINDING_UNPROVEN:
    'The token is bound to a key of its client (`cnf`). Issue it as a bearer token, without DPoP or mutual TLS.',
  USER_REFUSED:
    'The `user` option returned nothing for this token: the account does not exist in this application, or is locked.',
  SCOPE_INSUFFICIENT:
    'Let the client request the scope and the issuer grant it. If the token has it, set `claimPaths.scopes` to its claim.',
  ROLE_INSUFFICIENT:
    'Assign the role to the user. If the token has it, set `claimPaths.roles` to its claim (Keycloak: `realm_access.roles`).',
  PERMISSION_INSUFFICIENT:
    'Assign the permission to the user. If the token has it, set `claimPaths.permissions` to its claim.',
  AUTHENTICATION_INSUFFICIENT:
    'The user must sign in again, with a stronger or a more recent authentication: pass `acr_values` and `max_age` of the challenge to the authorization request (RFC 9470).',
  AUTHORIZATION_DETAILS_INSUFFICIENT: 'The token has no matching `authorization_details` of that type (RFC 9396).',
  POLICY_DENIED: 'A policy of the application denied access.',
  ORIGIN_UNTRUSTED:
    'The token came in a cookie from a page of another origin. If the page is yours, list it in `fromCookie(name, { origins })`.',
  KEYS_UNAVAILABLE: 'The issuer is unreachable from here, or does not answer with a key set. The log has the reason.',
};

/** More exact hints, derived from the facts of a refusal. */
const DETAILED_HINTS: Partial<Record<AuthErrorCode, (detail: AuthErrorDetail) => string | undefined>> = {
  TOKEN_MULTIPLE: ({ reason }) =>
    reason === SEVERAL_WORDS
      ? 'The token contains a space or a comma: `Bearer ` may have been written twice (some forms add it to a pasted token), or two headers were joined.'
      : undefined,
  TOKEN_MALFORMED: ({ reason }) =>
    typeof reason === 'string' ? `${capitalized(reason)}. ${HINTS.TOKEN_MALFORMED}` : undefined,
  CLAIM_MISSING({ claim }) {
    if (claim === 'exp')
      return 'The token has no `exp`. A token that never expires is not accepted; configure the issuer to set it.';
    if (claim === 'aud')
      return 'The token has no `aud`. Configure the issuer to set it. If it cannot, compare another claim (`audienceClaim`), or accept tokens for any API with audience: null.';
    if (claim === 'iss')
      return 'The token has no `iss`. Configure the issuer to set it. If it cannot, set issuer: null and `keys`.';
    return typeof claim === 'string' ? `The token has no \`${claim}\`. ${HINTS.CLAIM_MISSING}` : undefined;
  },
  CLAIM_INVALID({ claim, reason }) {
    if (typeof claim === 'string') return `The claim is \`${claim}\`. ${HINTS.CLAIM_INVALID}`;
    return reason === REJECTED_BY_VALIDATE ? `${capitalized(reason)}: it did not return true.` : undefined;
  },
  TYPE_NOT_ALLOWED({ claim, member }) {
    if (typeof claim === 'string') return `Its \`${claim}\` shows it. ${HINTS.TYPE_NOT_ALLOWED}`;
    return member === 'typ'
      ? 'Its `typ` is not in `tokenTypes`. It is not an access token (an ID token, a logout token), or `tokenTypes` is stricter than the issuer.'
      : undefined;
  },
  SIGNATURE_INVALID: ({ reason }) =>
    typeof reason === 'string'
      ? `${capitalized(reason)}. The issuer must send R and S as 64 to 132 bytes (RFC 7518 §3.4): in Java, use SHA256withECDSAinP1363Format; in Node, dsaEncoding: 'ieee-p1363'.`
      : undefined,
  SCOPE_INSUFFICIENT: hintOfUnreadClaim,
  ROLE_INSUFFICIENT: hintOfUnreadClaim,
  PERMISSION_INSUFFICIENT: hintOfUnreadClaim,
  KEY_UNSUITABLE: ({ reasons }) =>
    Array.isArray(reasons) ? `${HINTS.KEY_UNSUITABLE} The key ${reasons.join('; ')}.` : undefined,
  KEYS_UNAVAILABLE: ({ reason }) =>
    typeof reason === 'string' ? `${HINTS.KEYS_UNAVAILABLE} Reason: ${reason}.` : undefined,
  POLICY_DENIED: ({ policy }) =>
    typeof policy === 'string' ? `The policy ${policy} of the application denied access.` : undefined,
};

export function hintFor({ code, detail }: AuthError): string {
  return DETAILED_HINTS[code]?.(detail) ?? HINTS[code];
}

/** The token has the claim, but in a shape that is not read (`UnreadClaim`). */
function hintOfUnreadClaim({ found, fix }: AuthErrorDetail): string | undefined {
  return typeof found === 'string' && typeof fix === 'string' ? `The claim ${found}. ${fix}` : undefined;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Recognizes common mistakes in the text that a client sent as a token. */
export function formHint(text: unknown): string | undefined {
  if (typeof text !== 'string') return 'A token is a string.';
  if (/^bearer\s/i.test(text)) return 'Remove `Bearer `: the token begins after it.';
  if (/^\s*\{/.test(text))
    return 'It is a JSON document, such as a token response. Send only the value of its `access_token`.';
  if (text.trim() !== text) return 'Remove the white space before or after the token.';
  if (/^["'].*["']$/s.test(text)) return 'Remove the quotation marks.';
  if (['undefined', 'null', '[object Object]'].includes(text))
    return `The client sent the word ${JSON.stringify(text)} because the variable that should hold the token is not set.`;
  const { length } = text.split('.');
  if (length === 5) return 'It has five parts: it is encrypted (JWE). Configure the issuer to send signed tokens.';
  // The header of a JWT begins with `{"` in base64url.
  if (length < 3 && text.startsWith('eyJ'))
    return 'It is a truncated JWT. Send all three parts. A cookie, a column of a database or a log line may limit its length.';
  return length === 1
    ? 'Opaque tokens cannot be read. Request a JWT: Auth0 and Logto issue one if the request names an API (`audience`, `resource`).'
    : undefined;
}

// More than tokens have. Each name is compared with each configured one, and an unverified token may have thousands.
const MAX_NAMES = 20;
const MAX_NAME_LENGTH = 2_048;

/** Returns a hint if the token names an address that differs from a configured one only in slash, case or scheme. */
export function similarAddressHint(got: unknown, configured: readonly string[]): string | undefined {
  const named = [got]
    .flat()
    .slice(0, MAX_NAMES)
    .filter((value): value is string => typeof value === 'string' && value.length <= MAX_NAME_LENGTH);
  for (const wrong of configured) {
    const right = named.find((address) => isSimilarAddress(address, wrong));
    if (right !== undefined)
      return `The token has ${quoted(right)}, the options have ${quoted(wrong)}. Write it exactly as the token has it, with or without the trailing slash.`;
  }
  return undefined;
}

/** Returns a hint for a token without `aud` that names its client, as Amazon Cognito issues them. */
export function missingAudienceHint(
  claims: Readonly<Record<string, unknown>>,
  audienceClaim: string,
): string | undefined {
  if (audienceClaim !== 'aud' || claims.aud !== undefined) return undefined;
  const client = ['client_id', 'azp', 'appid', 'cid'].find((claim) => typeof claims[claim] === 'string');
  if (client === undefined) return undefined;
  return `The token has no \`aud\`. Configure the issuer to set it. If it only sets \`${client}\`, write \`audienceClaim: '${client}'\` and list the clients that may call this API as \`audience\`.`;
}

// In seconds this is about the year 5138.
const LEAST_MILLISECONDS = 1e11;
const SECONDS = 'Configure the issuer to set seconds since 1970 (RFC 7519 §2).';

/** Returns a hint for a time that is not a NumericDate, an `exp` that is past, or an `nbf` or `iat` that is in the future. */
export function timeHint(claim: string, time: unknown, nowSeconds: number): string | undefined {
  if (time === undefined) return undefined;
  if (typeof time !== 'number' || !Number.isFinite(time)) return `\`${claim}\` is not a number. ${SECONDS}`;
  if (time > LEAST_MILLISECONDS) return `\`${claim}\` is in milliseconds. ${SECONDS}`;
  const distance = durationText(Math.abs(time - nowSeconds));
  if (claim === 'exp') return `It expired ${distance} ago. ${HINTS.TOKEN_EXPIRED}`;
  return `\`${claim}\` is ${distance} in the future. ${HINTS.TOKEN_NOT_YET_VALID}`;
}

const UNITS = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
] as const;

function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  const [name, size] = UNITS.find(([, unit]) => whole >= unit * 2) ?? (['seconds', 1] as const);
  return counted(Math.floor(whole / size), name);
}

export function counted(count: number, plural: string): string {
  return `${String(count)} ${count === 1 ? plural.slice(0, -1) : plural}`;
}
