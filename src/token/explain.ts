import { isSignatureAlgorithm } from '../keys/algorithms.js';
import { type KeySource, staticKeys } from '../keys/key-source.js';
import { keyId } from '../keys/verification-key.js';
import { AuthError, type AuthErrorCode } from '../model/errors.js';
import type { MaybePromise } from '../model/maybe-promise.js';
import type { Demand } from './authenticator.js';
import { ACCESS_TOKEN_CHECKS, type AccessTokenCheckName } from './checks/access-token-checks.js';
import { applicationCheck } from './checks/application.js';
import { type Check, type CheckExplanation, runCheck, TokenFacts } from './checks/check.js';
import { allowedAlgorithmCheck, namedAlgorithm } from './checks/header.js';
import { counted, formHint, hintFor, similarAddressHint } from './hints.js';
import { decodeCompact } from './jwt/compact.js';
import { checkSignature } from './jwt/signature.js';
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

// The token is from its issuer and its claims are as the issuer set them, only not for now or not for this API.
const LEAVES_CLAIMS_RELIABLE: ReadonlySet<AuthErrorCode | undefined> = new Set([
  'TOKEN_EXPIRED',
  'AUDIENCE_MISMATCH',
  'TOKEN_NOT_YET_VALID',
  'TOKEN_TOO_OLD',
  'BINDING_UNPROVEN',
]);

export async function explainToken(
  text: string,
  issuers: TrustedIssuers,
  nowMs: number,
  {
    callsValidate,
    fetchesKeys,
    demand,
  }: { readonly callsValidate: boolean; readonly fetchesKeys: boolean; readonly demand: Demand },
): Promise<readonly Explanation[]> {
  const rows: Explanation[] = [];
  const facts = await addRow(rows, FORM, [text, nowMs, demand]);
  for (const check of ACCESS_TOKEN_CHECKS.beforeIssuer) await addRow(rows, check, facts && [facts]);

  const issuer = await addRow(rows, ISSUER, facts && [facts, issuers]);
  const input: [TokenFacts, TrustedIssuer] | undefined = facts && issuer && [facts, issuer];
  const hasAlgorithm = isSignatureAlgorithm(facts?.header.alg);
  for (const check of ACCESS_TOKEN_CHECKS.beforeKeys) {
    const isPossible = hasAlgorithm || check !== allowedAlgorithmCheck;
    await addRow(rows, enforced(check), isPossible ? input : undefined);
  }

  // `verify` would not fetch keys for a rejected token. Neither does `explain`, so that it cannot use up fetches.
  const mayFetch = fetchesKeys || rows.every(({ passed }) => passed !== false);
  const current = issuer?.keySource.current();
  const source = mayFetch ? issuer?.keySource : current && staticKeys(current);
  await addRow(rows, SIGNATURE, hasAlgorithm && source ? [facts, source] : undefined);

  for (const check of ACCESS_TOKEN_CHECKS.afterSignature) {
    const areReliable = rows.every(({ passed, code }) => passed === true || LEAVES_CLAIMS_RELIABLE.has(code));
    const isPossible = check !== applicationCheck || (callsValidate && areReliable);
    await addRow(rows, enforced(check), isPossible ? input : undefined);
  }
  return rows;
}

interface Step<Input extends readonly unknown[], Value> {
  readonly name: ExplainedCheck;
  readonly run: (...input: Input) => MaybePromise<Value>;
  readonly explain?: (...input: Input) => CheckExplanation;
}

const FORM: Step<readonly [text: string, nowMs: number, demand: Demand], TokenFacts> = {
  name: 'form',
  run: (text, nowMs, demand) => new TokenFacts(text, decodeCompact(text), nowMs / 1000, undefined, demand),
  explain: (text) => ({
    got: typeof text === 'string' ? counted(text.split('.').length, 'parts') : typeof text,
    expected: '3 parts of base64url',
    hint: formHint(text),
  }),
};

const ISSUER: Step<readonly [TokenFacts, TrustedIssuers], TrustedIssuer> = {
  name: 'issuer',
  run: ({ claims }, issuers) => issuers.of(claims),
  explain({ claims: { iss } }, { names, isDynamic }) {
    const expected = isDynamic ? 'an issuer that the `issuers` function returns options for' : names;
    return { got: iss, expected, hint: similarAddressHint(iss, names) };
  },
};

const SIGNATURE: Step<readonly [TokenFacts, KeySource], unknown> = {
  name: 'signature',
  run: (facts, source) => checkSignature(facts, namedAlgorithm(facts.header), source),
  explain({ header: { kid } }, source) {
    const keySet = source.current();
    const isKnown = keySet === undefined || keySet.candidates(keyId(kid)).length > 0;
    return { got: kid, expected: isKnown ? undefined : [...keySet.kids] };
  },
};

function enforced(check: Check & { readonly name: AccessTokenCheckName }) {
  return { ...check, run: (facts: TokenFacts, issuer: TrustedIssuer) => runCheck(check, facts, issuer) };
}

/** Adds the row of a step, and returns its result if it passes. Without input, the step cannot be made. */
async function addRow<Input extends readonly unknown[], Value>(
  rows: Explanation[],
  { name: check, run, explain }: Step<Input, Value>,
  input: Input | undefined,
): Promise<Value | undefined> {
  if (input === undefined) {
    rows.push({ check, passed: undefined });
    return undefined;
  }
  try {
    const value = await run(...input);
    const { got, expected, warning: hint } = explain?.(...input) ?? {};
    rows.push({ check, passed: true, ...defined({ got, expected, hint }) });
    return value;
  } catch (error) {
    const { got, expected, hint } = explain?.(...input) ?? {};
    const claims = input[0] instanceof TokenFacts ? input[0].claims : {};
    rows.push({ check, passed: false, ...defined({ got, expected, hint }), ...refusalOf(error, claims, hint) });
    return undefined;
  }
}

/** Returns the facts of a refusal, which are more exact than what the check compares. */
function refusalOf(error: unknown, claims: TokenFacts['claims'], hint: string | undefined): Partial<Explanation> {
  if (!(error instanceof AuthError))
    return { hint: `The application's own code failed: ${error instanceof Error ? error.name : 'not an Error'}` };
  const { claim, reason, reasons = reason, expected } = error.detail;
  const name = typeof claim === 'string' ? claim : undefined;
  const got = name !== undefined && error.code === 'CLAIM_INVALID' ? claims[name] : undefined;
  const texts = [reasons].flat().filter((text) => typeof text === 'string');
  const facts = { claim: name, reason: texts.join('; ') || undefined, expected, got };
  return { code: error.code, ...defined(facts), hint: hint ?? hintFor(error) };
}

function defined<Members extends object>(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Members;
}
