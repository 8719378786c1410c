import { AuthError, type AuthErrorCode } from '../model/errors.js';
import { namedIssuer } from './claims.js';
import { decodeCompact, type DecodedToken } from './jwt/compact.js';
import {
  BY_ISSUER,
  BY_TOKEN,
  BY_USER,
  type ExplainedCheck,
  type Facts,
  type Known,
  NOT_CHECKED,
  type Step,
} from './explained-checks.js';
import { formHint, hintFor, spellingHint } from './hints.js';
import type { TrustedIssuers } from './trusted-issuers.js';

/** What came of one check. */
export interface Explanation {
  readonly check: ExplainedCheck;
  /** Undefined: it could not be made, since one before it failed on which it depends. */
  readonly passed: boolean | undefined;
  /** Of the refusal. */
  readonly code?: AuthErrorCode;
  /** What is wrong is this claim. */
  readonly claim?: string;
  /** Of the refusal, where its code may stand for several: `signature is not base64url`. */
  readonly reason?: string;
  /** By the options, or by the rule. */
  readonly expected?: unknown;
  /** In the token. Not verified, as long as `signature` did not pass. */
  readonly got?: unknown;
  /** How to mend it. */
  readonly hint?: string;
}

/**
 * Makes every check of a token, and says what came of each: the first that did not pass is why it is refused. `reportOnly` is as
 * it is for requests. Keys are fetched only where `verify` would fetch them.
 */
export async function explainToken(
  text: string,
  issuers: TrustedIssuers,
  nowMs: number,
  { callsValidate, fetchesKeys }: { readonly callsValidate: boolean; readonly fetchesKeys: boolean },
): Promise<readonly Explanation[]> {
  const rows: Explanation[] = [];
  const ask = async <Needs extends Facts>(steps: readonly Step<Needs>[], facts: Facts, isPossible: boolean) => {
    for (const step of steps) {
      const isRefused = rows.some(({ passed }) => passed === false);
      rows.push(
        isPossible ? await explained(step, { ...facts, isRefused } as Needs) : { check: step.check, passed: undefined },
      );
    }
  };
  let facts: Facts = {
    token: undefined,
    issuer: undefined,
    nowSeconds: nowMs / 1000,
    names: issuers.names,
    isRefused: false,
    fetchesKeys,
  };
  const form: Step<Facts> = {
    check: 'form',
    got: () => (typeof text === 'string' ? partsOf(text) : typeof text),
    expected: () => '3 parts of base64url',
    hint: () => formHint(text),
    run: () => (facts = { ...facts, token: decodeCompact(text) }),
  };
  await ask([form], facts, true);
  await ask(BY_TOKEN, facts, facts.token !== undefined);
  const trust: Step<Known> = {
    check: 'issuer',
    got: ({ token }) => token.claims.iss,
    expected: ({ names }) => (names.length === 0 ? 'one that the `issuers` function knows' : names),
    hint: ({ token, names }) => spellingHint(token.claims.iss, names),
    run: async ({ token }) => (facts = { ...facts, issuer: await issuers.get(namedIssuer(token.claims)) }),
  };
  await ask([trust], facts, facts.token !== undefined);
  await ask(BY_ISSUER, facts, facts.issuer !== undefined);
  await ask([BY_USER], facts, callsValidate && rows.every(leavesClaimsGood));
  return rows;
}

// It is from its issuer, and its claims are what the issuer meant: only not for now, or not for here.
const CLAIMS_ARE_GOOD: ReadonlySet<AuthErrorCode> = new Set([
  'TOKEN_EXPIRED',
  'AUDIENCE_MISMATCH',
  'TOKEN_NOT_YET_VALID',
  'TOKEN_TOO_OLD',
  'BINDING_UNPROVEN',
]);

/** What `validate` relies on is there: not where the signature, a type or a required claim is wrong. */
function leavesClaimsGood({ passed, code }: Explanation): boolean {
  return passed === true || (code !== undefined && CLAIMS_ARE_GOOD.has(code));
}

function partsOf(text: string): string {
  const count = text.split('.').length;
  return `${String(count)} ${count === 1 ? 'part' : 'parts'}`;
}

async function explained<Needs extends Facts>(step: Step<Needs>, facts: Needs): Promise<Explanation> {
  const { check } = step;
  try {
    if ((await step.run(facts)) === NOT_CHECKED) return { check, passed: undefined, ...valuesOf(step, facts) };
    return { check, passed: true, ...valuesOf(step, facts) };
  } catch (error) {
    const values = valuesOf(step, facts);
    if (!(error instanceof AuthError))
      return { check, passed: false, ...values, hint: `The application's own code failed: ${nameOf(error)}` };
    return {
      check,
      passed: false,
      ...values,
      ...refusalOf(error, facts.token),
      hint: step.hint?.(facts) ?? hintFor(error),
    };
  }
}

/** What it says itself is nearer to what is wrong than what the check is about. */
function refusalOf({ code, detail }: AuthError, token: DecodedToken | undefined): Partial<Explanation> {
  const { claim, reason, expected } = detail;
  const hasClaim = typeof claim === 'string';
  const got = hasClaim && code === 'CLAIM_INVALID' ? token?.claims[claim] : undefined;
  return {
    code,
    ...(hasClaim && { claim }),
    ...(typeof reason === 'string' && { reason }),
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
  };
}

function valuesOf<Needs extends Facts>(
  { got, expected }: Step<Needs>,
  facts: Needs,
): Pick<Explanation, 'got' | 'expected'> {
  const [found, wanted] = [got?.(facts), expected?.(facts)];
  return { ...(wanted !== undefined && { expected: wanted }), ...(found !== undefined && { got: found }) };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'no Error';
}
