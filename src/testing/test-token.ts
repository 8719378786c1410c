import { randomUUID } from 'node:crypto';
import { type ClaimSteps, EACH_ITEM } from '../options/claim-paths.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { OptionReader } from '../options/option-reader.js';

/** The options of an application that trusts a test issuer. */
export const DEFAULTS = { issuer: 'https://issuer.test', audience: 'https://api.test' };

/** The content of a token. */
export interface TokenRequest {
  /** Default `test-user`; `undefined` omits the claim. */
  readonly sub?: string | undefined;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  /** Default `test-client`; `undefined` omits the claim. */
  readonly clientId?: string | undefined;
  /** Default 3600. */
  readonly expiresInSeconds?: number;
  /** Claims that override all others. `undefined` omits a claim. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Members of the JOSE header that override all others except `alg`, for example `{ typ: 'JWT' }`. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** The `iss`, for an application that trusts several issuers. Default: the first of them. */
  readonly issuer?: string;
}

export const COMMON_PROPERTIES = ['sub', 'clientId', 'scopes', 'roles', 'permissions', 'claims'] as const;
const PROPERTIES: readonly (keyof TokenRequest)[] = [...COMMON_PROPERTIES, 'expiresInSeconds', 'header', 'issuer'];

type Claims = Readonly<Record<string, unknown>>;

/** Returns the claims of a token that the issuer's application accepts, unless the request overrides them. */
export function createClaims(issuer: ResolvedIssuer, request: TokenRequest, nowSeconds: number): Claims {
  checkProperties('The token request', request, PROPERTIES);
  const { expiresInSeconds = 3600 } = request;
  // Only the application knows which values are valid. Most require nothing but the presence of a claim.
  const required = issuer.requiredClaims.map(
    (name) => [name, name === 'token_use' ? 'access' : `test-${name}`] as const,
  );
  let claims: Claims = {
    ...Object.fromEntries(required),
    iss: issuer.names[0],
    sub: 'sub' in request ? request.sub : 'test-user',
    client_id: 'test-client',
    iat: nowSeconds,
    exp: nowSeconds + expiresInSeconds,
    jti: randomUUID(),
    [issuer.audienceClaim]: issuer.audience?.[0],
    ...('clientId' in request && { client_id: request.clientId }),
  };
  for (const kind of ['scopes', 'roles', 'permissions'] as const) {
    const names = request[kind];
    if (names === undefined) continue;
    const [path] = issuer.claimPaths[kind];
    if (path === undefined)
      throw new Error(`The token has ${kind}, but the application reads no claim for them. Set claimPaths.${kind}.`);
    if (typeof path === 'function')
      throw new Error(`The application reads ${kind} with a function. Set the claims that it reads: claims: { … }.`);
    if ('keysOf' in path)
      claims = withValueAt(path.keysOf, Object.fromEntries(names.map((name) => [name, {}])), claims);
    else if ('split' in path) claims = withValueAt(path.path, names.join(path.split), claims);
    else claims = withValueAt(path, kind === 'scopes' ? names.join(' ') : names, claims);
  }
  return { ...claims, ...request.claims };
}

function withValueAt([name, ...rest]: ClaimSteps, value: unknown, claims: Claims = {}): Claims {
  return { ...claims, [String(name)]: valueBelow(rest, value, claims[String(name)]) };
}

/** Returns the value of a member whose path has these further steps. A list has one item for each value. */
function valueBelow(steps: ClaimSteps, value: unknown, present: unknown): unknown {
  if (steps.length === 0) return value;
  if (steps[0] !== EACH_ITEM) return withValueAt(steps, value, present as Claims);
  return [value].flat().map((each: unknown) => valueBelow(steps.slice(1), steps.length === 1 ? [each] : each, {}));
}

/** Rejects misspelled properties, which would otherwise have no effect. */
export function checkProperties(subject: string, value: object, known: readonly string[]): void {
  const reader = new OptionReader(value);
  reader.allowOnly(known);
  reader.finish(`${subject} cannot be used`);
}
