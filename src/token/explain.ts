import { isSignatureAlgorithm } from '../keys/algorithms.js';
import { AuthError, type AuthErrorCode } from '../model/errors.js';
import { NO_DEMAND } from './authenticator.js';
import { ACCESS_TOKEN_CHECKS, type AccessTokenCheckName } from './checks/access-token-checks.js';
import { namedAlgorithm } from './checks/header.js';
import { type CheckExplanation, runCheck } from './checks/check.js';
import { namedIssuer } from './claims.js';
import { formHint, hintFor, similarAddressHint } from './hints.js';
import { decodeCompact, type DecodedToken } from './jwt/compact.js';
import { checkSignature, findVerifyingKey, namedKey } from './jwt/signature.js';
import { TokenFacts } from './token-facts.js';
import type { TrustedIssuer, TrustedIssuers } from './trusted-issuers.js';

/** The name of a row: a check, or a step of the verification between the checks. */
export type ExplainedCheck = AccessTokenCheckName | 'form' | 'issuer' | 'signature';

/** The result of one check. */
export interface Explanation {
  readonly check: ExplainedCheck;
  /** Undefined if the check could not be made, because it depends on one that failed. */
  readonly passed: boolean | undefined;
  /** The code of the refusal. */
  readonly code?: AuthErrorCode;
  /** The claim that is wrong. */
  readonly claim?: string;
  /** The reason of the refusal, for codes with several causes: `signature is not base64url`. */
  readonly reason?: string;
  /** The value that the options or the standard require. */
  readonly expected?: unknown;
  /** The value of the token. Not verified unless the row `signature` passed. */
  readonly got?: unknown;
  /** How to fix it. In a row that passed: a possible fault of the token. */
  readonly hint?: string;
}

interface ExplainOptions {
  readonly callsValidate: boolean;
  readonly fetchesKeys: boolean;
}

/** Makes every check of a token and returns a row for each, in the order in which `verify` makes them. */
export async function explainToken(
  text: string,
  issuers: TrustedIssuers,
  nowMs: number,
  { callsValidate, fetchesKeys }: ExplainOptions,
): Promise<readonly Explanation[]> {
  const steps = new ExplainedSteps();
  const facts = await steps.add(
    'form',
    () => new TokenFacts(text, decodeCompact(text), nowMs / 1000, undefined, NO_DEMAND),
    () => ({
      got: typeof text === 'string' ? partsOf(text) : typeof text,
      expected: '3 parts of base64url',
      hint: formHint(text),
    }),
  );
  steps.claims = facts?.claims;
  for (const check of ACCESS_TOKEN_CHECKS.beforeIssuer)
    await steps.add(
      check.name,
      facts && (() => check.run(facts, undefined)),
      () => facts && check.explain?.(facts, undefined),
    );

  const issuer = await steps.add(
    'issuer',
    facts && (() => issuers.get(namedIssuer(facts.claims))),
    () => facts && issuerExplanation(facts, issuers.names),
  );
  const hasAlgorithm = isSignatureAlgorithm(facts?.header.alg);
  const isPossible = (name: AccessTokenCheckName) => {
    if (name === 'validate') return callsValidate && steps.claimsAreReliable;
    return hasAlgorithm || name !== 'algorithm-allowed';
  };
  const addChecks = async (checks: typeof ACCESS_TOKEN_CHECKS.beforeKeys) => {
    for (const check of checks) {
      const run = facts && issuer && isPossible(check.name) ? () => runCheck(check, facts, issuer) : undefined;
      await steps.add(check.name, run, () => facts && issuer && check.explain?.(facts, issuer));
    }
  };
  await addChecks(ACCESS_TOKEN_CHECKS.beforeKeys);
  const mayFetch = fetchesKeys || !steps.isRejected;
  await steps.add(
    'signature',
    facts && issuer && hasAlgorithm ? () => checkKeys(facts, issuer, mayFetch) : undefined,
    () => facts && issuer && signatureExplanation(facts, issuer),
  );
  await addChecks(ACCESS_TOKEN_CHECKS.afterSignature);
  return steps.rows;
}

/** The result of a check that could not be made although no earlier check failed. */
const NOT_CHECKED = Symbol('not checked');

/** `verify` would not fetch keys for a rejected token. Neither does `explain`, so that it cannot use up fetches. */
function checkKeys(facts: TokenFacts, issuer: TrustedIssuer, mayFetch: boolean): unknown {
  const algorithm = namedAlgorithm(facts.header);
  if (mayFetch) return checkSignature(facts, algorithm, issuer.keySource);
  const keySet = issuer.keySource.current();
  if (keySet === undefined) return NOT_CHECKED;
  return findVerifyingKey(facts, algorithm, keySet.candidates(namedKey(facts.header)));
}

function signatureExplanation({ header: { kid } }: TokenFacts, { keySource }: TrustedIssuer): CheckExplanation {
  const keySet = keySource.current();
  const isKnown = keySet === undefined || keySet.candidates(kid as string | undefined).length > 0;
  return { got: kid, expected: isKnown ? undefined : [...keySet.kids] };
}

function issuerExplanation({ claims: { iss } }: TokenFacts, names: readonly string[]): CheckExplanation {
  const expected = names.length === 0 ? 'an issuer that the `issuers` function returns options for' : names;
  return { got: iss, expected, hint: similarAddressHint(iss, names) };
}

// The token is from its issuer and its claims are as the issuer set them, only not for now or not for this API.
const LEAVES_CLAIMS_RELIABLE: ReadonlySet<AuthErrorCode> = new Set([
  'TOKEN_EXPIRED',
  'AUDIENCE_MISMATCH',
  'TOKEN_NOT_YET_VALID',
  'TOKEN_TOO_OLD',
  'BINDING_UNPROVEN',
]);

class ExplainedSteps {
  readonly rows: Explanation[] = [];
  /** The claims of the token, once it is decoded. */
  claims: DecodedToken['claims'] | undefined;

  get isRejected(): boolean {
    return this.rows.some(({ passed }) => passed === false);
  }

  /** Whether `validate` can rely on the claims: not if the signature, a type or a required claim is wrong. */
  get claimsAreReliable(): boolean {
    return this.rows.every(
      ({ passed, code }) => passed === true || (code !== undefined && LEAVES_CLAIMS_RELIABLE.has(code)),
    );
  }

  /**
   * Adds the row of a check.
   * @param run makes the check; undefined if it cannot be made.
   * @returns what `run` returned, if the check passed.
   */
  async add<Value>(
    check: ExplainedCheck,
    run: (() => Value | Promise<Value>) | undefined,
    explain: () => CheckExplanation | undefined,
  ): Promise<Value | undefined> {
    if (run === undefined) {
      this.rows.push({ check, passed: undefined });
      return undefined;
    }
    try {
      const value = await run();
      const { got, expected, warning: hint } = explain() ?? {};
      const passed = (value as unknown) === NOT_CHECKED ? undefined : true;
      this.rows.push({ check, passed, ...defined({ got, expected, hint }) });
      return value;
    } catch (error) {
      const { got, expected, hint } = explain() ?? {};
      const reason =
        error instanceof AuthError
          ? { ...this.refusalOf(error), hint: hint ?? hintFor(error) }
          : { hint: `The application's own code failed: ${error instanceof Error ? error.name : 'not an Error'}` };
      this.rows.push({ check, passed: false, ...defined({ got, expected }), ...reason });
      return undefined;
    }
  }

  /** The facts of the refusal are more exact than what the check compares. */
  private refusalOf({ code, detail }: AuthError): Partial<Explanation> {
    const { claim, reason, reasons = reason, expected } = detail;
    const name = typeof claim === 'string' ? claim : undefined;
    const got = name !== undefined && code === 'CLAIM_INVALID' ? this.claims?.[name] : undefined;
    const texts = [reasons].flat().filter((text) => typeof text === 'string');
    return { code, ...defined({ claim: name, reason: texts.join('; ') || undefined, expected, got }) };
  }
}

/** Leaves out members that are undefined. */
function defined<Members extends object>(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Members;
}

function partsOf(text: string): string {
  const count = text.split('.').length;
  return `${String(count)} ${count === 1 ? 'part' : 'parts'}`;
}
