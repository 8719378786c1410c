import { isJsonObject } from '../../model/json-object.js';
import { checkIsAccessToken } from '../../token/checks.js';
import { checkScopeClaim, checkStringClaims, clientOf } from '../../token/claims.js';
import type { DecodedToken } from '../../token/jwt/compact.js';
import { Authorities } from '../../token/authorities.js';
import { printable, quoted } from '../printable.js';
import { type CheckRow, ok, problem, warning } from './check-row.js';
import { refusalOf } from './explain-token.js';
import { timeAndDistance } from './times.js';
import type { Facts, Verdict } from './token-facts.js';
import { noTimeRow } from './token-times.js';

export function criticalRow(_facts: Facts, { passed }: Verdict): CheckRow {
  return passed === true
    ? ok('token.critical', 'no extension is demanded')
    : problem(
        'token.critical',
        'the header demands an extension (crit)',
        'Have the issuer leave out crit: an extension that is not understood must refuse (RFC 7515 §4.1.11).',
        'no crit',
      );
}

export function algorithmRow({ decoded, issuer }: Facts, { passed }: Verdict): CheckRow {
  const { alg } = decoded.header;
  if (passed === true) return ok('token.algorithm', quoted(alg));
  const mend =
    typeof alg === 'string' && /^HS\d+$/.test(alg)
      ? `Let the issuer sign access tokens for this API with RS256, ES256 or EdDSA: with ${alg} whoever can verify can also forge, so it is never accepted.`
      : 'Let the issuer sign with RS256, ES256 or EdDSA; none has no signature, and is never accepted.';
  return problem('token.algorithm', quoted(alg), mend, [...issuer.algorithms].join(', '));
}

export function accessTokenRow({ decoded: { claims, header } }: Facts, { passed }: Verdict): CheckRow {
  if (passed !== true) {
    const by = quoted(
      refusalOf(() => {
        checkIsAccessToken(claims);
      })?.detail.claim,
    );
    const mend =
      'Send access_token of the token response, not id_token or refresh_token: an ID token tells the client who signed in, and is not for APIs.';
    return problem(
      'token.access-token',
      `an ID token, or another kind of token (claim ${by})`,
      mend,
      'an access token',
    );
  }
  if (typeof header.typ === 'string' && /at\+jwt$/i.test(header.typ)) {
    return ok('token.access-token', 'an access token (typ)');
  }
  if (isLikeIdToken(claims)) {
    const mend =
      "It looks like an ID token (no scope, no client_id): if it is one, send access_token of the token response. tokenTypes: ['at+jwt'] refuses such tokens, where the issuer follows RFC 9068.";
    return warning('token.access-token', 'may be an ID token', mend, 'an access token');
  }
  return ok('token.access-token', 'nothing says that it is another kind of token');
}

export function expiryRow({ decoded, nowSeconds }: Facts, { passed, code }: Verdict): CheckRow {
  const { exp } = decoded.claims;
  if (exp === undefined) {
    const mend =
      'Have the issuer set exp, in seconds (not milliseconds) since 1970 (RFC 9068 §2.2): a token without an end would be good for ever.';
    return problem('token.expiry', 'the token has no exp', mend, 'seconds since 1970');
  }
  if (typeof exp !== 'number' || code === 'CLAIM_INVALID') return noTimeRow('token.expiry', 'exp', exp);
  const when = timeAndDistance(exp, nowSeconds);
  return passed === true
    ? ok('token.expiry', `expires ${when}`)
    : problem(
        'token.expiry',
        `expired ${when}`,
        'Get a fresh token, and see that nothing caches it longer than it lives. If it is fresh, see the row clock.',
        'a time to come',
      );
}

export function claimsRow({ decoded: { claims } }: Facts, { passed }: Verdict): CheckRow {
  if (passed === true) return ok('token.claims', 'sub, client_id, azp, jti and scope are what they should be');
  const refusal = refusalOf(() => {
    checkStringClaims(claims);
    checkScopeClaim(claims);
  });
  const { claim, expected } = refusal?.detail ?? {};
  return problem(
    'token.claims',
    `${String(claim)} is of another type`,
    `Have the issuer send ${String(claim)} as ${String(expected)}.`,
    String(expected),
  );
}

export function bindingRow({ decoded: { claims } }: Facts, { passed }: Verdict): CheckRow {
  if (passed === true) return ok('token.binding', 'a bearer token');
  const { cnf } = claims;
  const kind = isJsonObject(cnf)
    ? 'jkt' in cnf
      ? 'DPoP (cnf.jkt)'
      : 'x5t#S256' in cnf
        ? 'a client certificate (cnf.x5t#S256)'
        : 'a key (cnf)'
    : 'a key (cnf)';
  const mend =
    "Sent as a bearer token it proves nothing, so it is refused (RFC 7800): ask for a token without binding for this API, or send it with its proof where the API is set up to check it. To see first whom it would hit: reportOnly: ['binding'].";
  return problem('token.binding', `bound to ${kind}`, mend, 'a bearer token');
}

/** Whose it is and what it grants: nobody is refused for it here. */
export function grantsRow({ decoded: { claims }, issuer }: Facts): CheckRow {
  const client = clientOf(claims);
  const { scopes } = new Authorities(claims, issuer.claimPaths);
  const names = scopes.length === 0 ? 'no scopes' : `scopes ${printable(scopes.join(' '))}`;
  return ok('token.grants', `${client === undefined ? 'no client' : `client ${quoted(client)}`}, ${names}`);
}

/**
 * OpenID Connect Core §2 against RFC 9068 §2.2: nothing of what an access token grants, but what says how somebody signed in,
 * or not even what only an access token must have.
 */
function isLikeIdToken(claims: DecodedToken['claims']): boolean {
  const has = (name: string) => Object.hasOwn(claims, name);
  if (['scope', 'scp', 'client_id'].some(has)) return false;
  return ['nonce', 'auth_time'].some(has) || (has('azp') ? claims.azp === claims.aud : !has('jti'));
}
