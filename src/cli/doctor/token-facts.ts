import type { KeySet } from '../../keys/key-set.js';
import type { ResolvedIssuer } from '../../options/resolve-issuer.js';
import type { DecodedToken } from '../../token/jwt/compact.js';
import type { CheckRow } from './check-row.js';
import type { RecognisedProvider } from './recognised-provider.js';
import type { Explanation } from '../../token/explain.js';

export interface TokenRequest {
  readonly token: string;
  /** The options that the API would have; its `issuer` is the one of `--issuer`. */
  readonly issuer: ResolvedIssuer;
  /** Undefined: without `--audience`, whom it is for is only told. */
  readonly audience: readonly string[] | undefined;
  /** Undefined: nobody whose name is known. */
  readonly provider: RecognisedProvider | undefined;
  readonly keySet: KeySet | undefined;
  /** The name in the metadata, and where they are. */
  readonly published: { readonly issuer: string | undefined; readonly location: string | undefined };
  readonly nowSeconds: number;
}

/** What the rows of a token that can be read are made of. */
export interface Facts extends TokenRequest {
  readonly decoded: DecodedToken;
}

/** Without the name of the check: those of the rows are our own. */
export type Verdict = Pick<Explanation, 'passed' | 'code'>;

/** @param verdict what the verifier itself says. */
export type RowOf = (facts: Facts, verdict: Verdict) => CheckRow;
