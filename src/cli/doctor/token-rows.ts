import { decodeCompact, type DecodedToken } from '../../token/jwt/compact.js';
import type { ExplainedCheck } from '../../token/explained-checks.js';
import { type CheckName, type CheckRow, CHECKS, ok, skipped } from './check-row.js';
import { type Explained, explainToken, refusalOf } from './explain-token.js';
import { isSameButForSpelling } from './other-spellings.js';
import { audienceRow } from './token-audience-row.js';
import {
  accessTokenRow,
  algorithmRow,
  bindingRow,
  claimsRow,
  criticalRow,
  expiryRow,
  grantsRow,
} from './token-claim-rows.js';
import type { Facts, RowOf, TokenRequest, Verdict } from './token-facts.js';
import { formRow } from './token-form-row.js';
import { issuerRow } from './token-issuer-row.js';
import { keyRow, keyVerdict, signatureRow, signatureVerdict } from './token-key-rows.js';
import { timeRow, timeVerdict } from './token-time-row.js';
import { typeRow } from './token-type-row.js';

const TOKEN_CHECKS = CHECKS.filter((check) => check.startsWith('token.')) as readonly TokenRowName[];

export function tokenNotGiven(): readonly CheckRow[] {
  return [skipped('token.form', 'no token was given', 'To check one: --token - reads it from standard input.')];
}

/** The token check by check. Of its claims only those are told that name whose it is and how long. */
export async function checkToken(request: TokenRequest): Promise<readonly CheckRow[]> {
  const { token, issuer, nowSeconds } = request;
  let decoded: DecodedToken | undefined;
  const refusal = refusalOf(() => (decoded = decodeCompact(token)));
  if (decoded === undefined) {
    return TOKEN_CHECKS.map((check) =>
      check === 'token.form' ? formRow(token, refusal) : skipped(check, 'the token cannot be read'),
    );
  }
  const { iss } = decoded.claims;
  // Whose it is, is a row of its own; the others are made all the same. Only its keys are those of another issuer, then.
  const named = typeof iss === 'string' ? { ...issuer, issuer: iss } : issuer;
  const keySet = typeof iss === 'string' && isOfSameIssuer(iss, request) ? request.keySet : undefined;
  const explained = await explainToken(token, named, keySet, nowSeconds);
  const facts: Facts = { ...request, decoded };
  return TOKEN_CHECKS.map((check) => {
    const { verdict, row } = ROWS[check];
    const said = verdict(explained, facts);
    return said.passed === undefined && !TELL_WHY_NOT.has(check)
      ? skipped(check, 'is made with the options of an issuer, and the token names none')
      : row(facts, said);
  });
}

function isOfSameIssuer(iss: string, { issuer, published }: TokenRequest): boolean {
  return iss === issuer.issuer || iss === published.issuer || isSameButForSpelling(iss, issuer.issuer);
}

/** Rows that say themselves why their check could not be made. */
const TELL_WHY_NOT: ReadonlySet<CheckName> = new Set(['token.key', 'token.signature']);

/** Passed when all of these are. */
const of =
  (...checks: readonly ExplainedCheck[]) =>
  (explained: Explained): Verdict => {
    const others = checks.map((check) => explained.get(check)).filter((verdict) => verdict?.passed !== true);
    return others.length === 0
      ? { passed: true }
      : (others.find((verdict) => verdict?.passed === false) ?? { passed: undefined });
  };

type TokenRowName = Extract<CheckName, `token.${string}`>;

interface TokenRow {
  readonly verdict: (explained: Explained, facts: Facts) => Verdict;
  readonly row: RowOf;
}

const ROWS: Readonly<Record<TokenRowName, TokenRow>> = {
  'token.form': { verdict: of('form'), row: () => ok('token.form', 'a signed token in compact form') },
  'token.critical': { verdict: of('critical-extensions'), row: criticalRow },
  'token.algorithm': { verdict: of('algorithm', 'algorithm-allowed'), row: algorithmRow },
  'token.type': { verdict: of('type'), row: typeRow },
  'token.access-token': { verdict: of('access-token'), row: accessTokenRow },
  // Whatever the verifier says to it: it was given the name that the token has.
  'token.issuer': { verdict: of(), row: issuerRow },
  'token.audience': { verdict: of('audience'), row: audienceRow },
  'token.expiry': { verdict: of('expiration'), row: expiryRow },
  // One check of the verifier, but two times that are wrong for different reasons.
  'token.not-before': { verdict: timeVerdict('nbf'), row: timeRow('token.not-before', 'nbf', 'valid') },
  'token.issued-at': { verdict: timeVerdict('iat'), row: timeRow('token.issued-at', 'iat', 'issued') },
  'token.key': { verdict: keyVerdict, row: keyRow },
  'token.signature': { verdict: signatureVerdict, row: signatureRow },
  'token.claims': { verdict: of('claim-types'), row: claimsRow },
  'token.binding': { verdict: of('sender-constraint'), row: bindingRow },
  'token.grants': { verdict: of(), row: grantsRow },
};
