import type { AccessTokenClaims, JoseHeader } from '../model/access-token.js';
import { AcceptedToken } from './accepted-token.js';
import {
  checkAge,
  checkAlgorithmAllowed,
  checkAudience,
  checkByApplication,
  checkExpiration,
  checkIsAccessToken,
  checkNoCriticalExtension,
  checkNotBefore,
  checkRequiredClaims,
  checkSenderConstraint,
  checkTokenType,
  namedAlgorithm,
  namedKey,
} from './checks.js';
import { checkScopeClaim, checkStringClaims } from './claims.js';
import type { DecodedToken } from './jwt/compact.js';
import { expiryHint, notYetHint, spellingHint } from './hints.js';
import { checkSignature, checkSignatureByAny } from './jwt/signature.js';
import type { TrustedIssuer } from './trusted-issuers.js';

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
  | 'sender-constraint'
  | 'validate';

export interface Facts {
  readonly token: DecodedToken | undefined;
  readonly issuer: TrustedIssuer | undefined;
  readonly nowSeconds: number;
  readonly names: readonly string[];
  /** By a check before. */
  readonly isRefused: boolean;
  readonly fetchesKeys: boolean;
}

export interface Known extends Facts {
  readonly token: DecodedToken;
}

export interface Trusted extends Known {
  readonly issuer: TrustedIssuer;
}

/** One row: what it looks at, what it expects, what it does. */
export interface Step<Needs extends Facts> {
  readonly check: ExplainedCheck;
  readonly got?: (facts: Needs) => unknown;
  readonly expected?: (facts: Needs) => unknown;
  readonly hint?: (facts: Needs) => string | undefined;
  readonly run: (facts: Needs) => unknown;
}

export const BY_TOKEN: readonly Step<Known>[] = [
  {
    check: 'critical-extensions',
    got: ({ token }) => token.header.crit,
    run: ({ token }) => {
      checkNoCriticalExtension(token.header);
    },
  },
  { check: 'algorithm', got: ({ token }) => token.header.alg, run: ({ token }) => namedAlgorithm(token.header) },
];

export const BY_ISSUER: readonly Step<Trusted>[] = [
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
    hint: ({ token, nowSeconds }) => expiryHint(token.claims.exp, nowSeconds),
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
      const keySet = issuer.keySource.current();
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
    hint: ({ token, issuer }) => spellingHint(token.claims[issuer.audienceClaim], issuer.audience),
    run: ({ token, issuer }) => {
      checkAudience(token.claims, issuer);
    },
  },
  {
    check: 'not-before',
    got: ({ token: { claims } }) => ({ nbf: claims.nbf, iat: claims.iat }),
    expected: ({ nowSeconds }) => `not later than ${String(Math.floor(nowSeconds))}`,
    hint: ({ token, issuer, nowSeconds }) => notYetHint(token.claims, nowSeconds, issuer.clockToleranceSeconds),
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
    check: 'sender-constraint',
    got: ({ token }) => (token.claims.cnf === undefined ? undefined : Object.keys(Object(token.claims.cnf) as object)),
    run: ({ token, issuer }) => {
      checkSenderConstraint(token.claims, issuer);
    },
  },
];

/** The application's own, which may rely on what the others found. */
export const BY_USER: Step<Trusted> = {
  check: 'validate',
  run: ({ token: { token, header, claims }, issuer }) =>
    checkByApplication(
      new AcceptedToken(token, header as JoseHeader, claims as unknown as AccessTokenClaims, issuer),
      issuer,
    ),
};

/** That a check could not be made, though nothing spoke against it. */
export const NOT_CHECKED = Symbol('not checked');
