import { AuthError, type AuthErrorCode } from '../errors.js';
import type { VerifiedAccessToken } from '../access-token.js';
import {
  checkAge,
  checkAlgorithmAllowed,
  checkAudience,
  checkByUser,
  checkExpiration,
  checkIsAccessToken,
  checkNoCriticalExtension,
  checkNotBefore,
  checkRequiredClaims,
  checkSenderBinding,
  checkTokenType,
  namedAlgorithm,
  namedKey,
} from './checks.js';
import { checkScopeClaim, checkStringClaims, namedIssuer } from './claims.js';
import { decodeCompact, type DecodedToken } from './compact.js';
import { HINTS } from './hints.js';
import { checkSignature, checkSignatureByAny } from './signature.js';
import type { TrustedIssuer, TrustedIssuers } from './trusted-issuers.js';

/** What a token is checked for, in the order in which it is. */
export type ExplainedCheck =
  | 'form'
  | 'critical-extensions'
  | 'algorithm'
  | 'issuer'
  | 'algorithm-allowed'
  | 'type'
  | 'expiration'
  | 'signature'
  | 'access-token'
  | 'claim-types'
  | 'audience'
  | 'not-before'
  | 'age'
  | 'required-claims'
  | 'binding'
  | 'validate';

/** What came of one check. */
export interface Explanation {
  readonly check: ExplainedCheck;
  /** Undefined: it could not be made, since one before it failed on which it depends. */
  readonly passed: boolean | undefined;
  /** Of the refusal. */
  readonly code?: AuthErrorCode;
  /** By the options. */
  readonly expected?: unknown;
  /** In the token. Not verified, as long as `signature` did not pass. */
  readonly got?: unknown;
  /** How to mend it. */
  readonly hint?: string;
}

interface Facts {
  readonly token: DecodedToken | undefined;
  readonly issuer: TrustedIssuer | undefined;
  readonly nowSeconds: number;
  readonly names: readonly string[];
  /** By a check before. */
  readonly isRefused: boolean;
  readonly fetchesKeys: boolean;
}

interface Known extends Facts {
  readonly token: DecodedToken;
}

interface Trusted extends Known {
  readonly issuer: TrustedIssuer;
}

/** One row: what it looks at, what it expects, what it does. */
interface Step<Needs extends Facts> {
  readonly check: ExplainedCheck;
  readonly got?: (facts: Needs) => unknown;
  readonly expected?: (facts: Needs) => unknown;
  readonly hint?: (facts: Needs) => string | undefined;
  readonly run: (facts: Needs) => unknown;
}

const BY_TOKEN: readonly Step<Known>[] = [
  {
    check: 'critical-extensions',
    got: ({ token }) => token.header.crit,
    run: ({ token }) => {
      checkNoCriticalExtension(token.header);
    },
  },
  { check: 'algorithm', got: ({ token }) => token.header.alg, run: ({ token }) => namedAlgorithm(token.header) },
];

const BY_ISSUER: readonly Step<Trusted>[] = [
  {
    check: 'algorithm-allowed',
    got: ({ token }) => token.header.alg,
    expected: ({ issuer }) => [...issuer.algorithms],
    run: ({ token, issuer }) => {
      checkAlgorithmAllowed(namedAlgorithm(token.header), issuer);
    },
  },
  {
    check: 'type',
    got: ({ token }) => token.header.typ,
    expected: ({ issuer }) => [...issuer.tokenTypes],
    run: ({ token, issuer }) => {
      checkTokenType(token.header, issuer);
    },
  },
  {
    check: 'expiration',
    got: ({ token }) => token.claims.exp,
    expected: ({ nowSeconds }) => `later than ${String(Math.floor(nowSeconds))}`,
    hint: expiredSince,
    run: ({ token, issuer, nowSeconds }) => {
      checkExpiration(token.claims, issuer, nowSeconds);
    },
  },
  {
    check: 'signature',
    got: ({ token }) => token.header.kid,
    run: ({ token, issuer, isRefused, fetchesKeys }) => {
      const algorithm = namedAlgorithm(token.header);
      if (!isRefused || fetchesKeys) return checkSignature(token, algorithm, issuer.keySource);
      // Nobody would be asked for the keys of such a token: so it must not make us ask, nor spend what is for others.
      const keySet = issuer.keySource.inService();
      if (keySet === undefined) return NOT_CHECKED;
      checkSignatureByAny(token, algorithm, keySet.candidates(namedKey(token.header)));
      return keySet;
    },
  },
  {
    check: 'access-token',
    run: ({ token }) => {
      checkIsAccessToken(token.claims);
    },
  },
  {
    check: 'claim-types',
    run: ({ token }) => {
      checkStringClaims(token.claims);
      checkScopeClaim(token.claims);
    },
  },
  {
    check: 'audience',
    got: ({ token, issuer }) => token.claims[issuer.audienceClaim],
    expected: ({ issuer }) => issuer.audience,
    hint: otherSpelling(
      ({ token, issuer }) => token.claims[issuer.audienceClaim],
      ({ issuer }) => issuer.audience,
    ),
    run: ({ token, issuer }) => {
      checkAudience(token.claims, issuer);
    },
  },
  {
    check: 'not-before',
    got: ({ token: { claims } }) => ({ nbf: claims.nbf, iat: claims.iat }),
    expected: ({ nowSeconds }) => `not later than ${String(Math.floor(nowSeconds))}`,
    run: ({ token, issuer, nowSeconds }) => {
      checkNotBefore(token.claims, issuer, nowSeconds);
    },
  },
  {
    check: 'age',
    got: ({ token: { claims }, nowSeconds }) =>
      typeof claims.iat === 'number' ? `${String(Math.floor(nowSeconds - claims.iat))} seconds` : claims.iat,
    expected: ({ issuer: { maxTokenAgeSeconds: most } }) =>
      most === undefined ? undefined : `at most ${String(most)} seconds`,
    run: ({ token, issuer, nowSeconds }) => {
      checkAge(token.claims, issuer, nowSeconds);
    },
  },
  {
    check: 'required-claims',
    got: ({ token }) => Object.keys(token.claims),
    expected: ({ issuer }) => issuer.requiredClaims,
    run: ({ token, issuer }) => {
      checkRequiredClaims(token.claims, issuer);
    },
  },
  {
    check: 'binding',
    got: ({ token }) => (token.claims.cnf === undefined ? undefined : Object.keys(Object(token.claims.cnf) as object)),
    run: ({ token, issuer }) => {
      checkSenderBinding(token.claims, issuer);
    },
  },
];

/** After all others, and only then: it may rely on what they checked. */
const BY_USER: Step<Trusted> = {
  check: 'validate',
  run: ({ token, issuer }) => checkByUser(token as unknown as Pick<VerifiedAccessToken, 'claims' | 'header'>, issuer),
};

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
    got: () => (typeof text === 'string' ? `${String(text.split('.').length)} parts` : typeof text),
    expected: () => '3 parts',
    run: () => (facts = { ...facts, token: decodeCompact(text) }),
  };
  await ask([form], facts, true);
  await ask(BY_TOKEN, facts, facts.token !== undefined);
  const trust: Step<Known> = {
    check: 'issuer',
    got: ({ token }) => token.claims.iss,
    expected: ({ names }) => (names.length === 0 ? 'one that the `issuers` function knows' : names),
    hint: otherSpelling(
      ({ token }) => token.claims.iss,
      ({ names }) => names,
    ),
    run: async ({ token }) => (facts = { ...facts, issuer: await issuers.get(namedIssuer(token.claims)) }),
  };
  await ask([trust], facts, facts.token !== undefined);
  await ask(BY_ISSUER, facts, facts.issuer !== undefined);
  await ask([BY_USER], facts, callsValidate && rows.every(({ passed }) => passed === true));
  return rows;
}

const NOT_CHECKED = Symbol('not checked');

async function explained<Needs extends Facts>(step: Step<Needs>, facts: Needs): Promise<Explanation> {
  const { check } = step;
  try {
    if ((await step.run(facts)) === NOT_CHECKED) return { check, passed: undefined, ...valuesOf(step, facts) };
    return { check, passed: true, ...valuesOf(step, facts) };
  } catch (error) {
    const values = valuesOf(step, facts);
    if (!(error instanceof AuthError))
      return { check, passed: false, ...values, hint: `The application's own code failed: ${nameOf(error)}` };
    const { code, detail } = error;
    const expected = values.expected ?? detail.expected;
    const hint = step.hint?.(facts) ?? HINTS[code];
    return { check, passed: false, code, ...values, ...(expected !== undefined && { expected }), hint };
  }
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

/** The commonest mistake of all: an address that differs in its last slash, its case or its scheme. */
function otherSpelling<Needs extends Facts>(
  got: (facts: Needs) => unknown,
  expected: (facts: Needs) => readonly string[],
): (facts: Needs) => string | undefined {
  return (facts) => {
    const found = [got(facts)].flat().filter((value): value is string => typeof value === 'string');
    for (const value of found)
      for (const wanted of expected(facts)) {
        if (plain(value) !== plain(wanted)) continue;
        return `The token has ${JSON.stringify(value)}, the options ${JSON.stringify(wanted)}: write it exactly as the token has it, with or without the last slash.`;
      }
    return undefined;
  };
}

function plain(address: string): string {
  return address
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '');
}

function expiredSince({ token, nowSeconds }: Known): string | undefined {
  const { exp } = token.claims;
  if (typeof exp !== 'number') return undefined;
  if (exp > 1e11) return '`exp` is in milliseconds: the issuer must give seconds since 1970 (RFC 7519 §4.1.4).';
  return `It expired ${durationOf(nowSeconds - exp)} ago. ${HINTS.TOKEN_EXPIRED}`;
}

function durationOf(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${String(whole)} seconds`;
  if (whole < 7_200) return `${String(Math.round(whole / 60))} minutes`;
  if (whole < 172_800) return `${String(Math.round(whole / 3_600))} hours`;
  return `${String(Math.round(whole / 86_400))} days`;
}
