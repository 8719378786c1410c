import { randomUUID } from 'node:crypto';
import type { ResolvedClaimPath, ResolvedIssuer } from '../options/resolve-issuer.js';
import { checkMembers } from './known-members.js';

/** Whose token, and what it grants. */
export interface TokenRequest {
  /** Default `test-user`; `undefined` leaves the claim out. */
  readonly sub?: string | undefined;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  /** Default `test-client`; `undefined` leaves the claim out. */
  readonly clientId?: string | undefined;
  /** Default 3600. */
  readonly expiresInSeconds?: number;
  /** Claims as they are; they beat all others. What is `undefined` is left out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Members of the header as they are: `{ typ: 'JWT' }`. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** The `iss`, where the application trusts several issuers. Default: the first one. */
  readonly issuer?: string;
}

const MEMBERS: Readonly<Record<keyof TokenRequest, true>> = {
  sub: true,
  scopes: true,
  roles: true,
  permissions: true,
  clientId: true,
  expiresInSeconds: true,
  claims: true,
  header: true,
  issuer: true,
};

/** What of an application's options its tokens are made for. */
export type ServedIssuer = Pick<
  ResolvedIssuer,
  'issuer' | 'audience' | 'audienceClaim' | 'algorithms' | 'tokenTypes' | 'claimPaths' | 'requiredClaims'
>;

type Claims = Record<string, unknown>;

export function headerOf({ tokenTypes }: ServedIssuer, kid: string, { header }: TokenRequest): Claims {
  const [first] = tokenTypes;
  return { typ: tokenTypes.has('at+jwt') ? 'at+jwt' : first, kid, ...header };
}

/** @throws Error for what no token is asked for by, and where the application looks nowhere for what the token is to grant. */
export function claimsOf(issuer: ServedIssuer, request: TokenRequest, nowSeconds: number): Claims {
  checkMembers('The request for a token', request, MEMBERS);
  const { expiresInSeconds = 3600 } = request;
  const claims: Claims = {
    iss: issuer.issuer,
    sub: 'sub' in request ? request.sub : 'test-user',
    client_id: 'test-client',
    iat: nowSeconds,
    exp: nowSeconds + expiresInSeconds,
    jti: randomUUID(),
    [issuer.audienceClaim]: issuer.audience[0],
    ...('clientId' in request && { client_id: request.clientId }),
  };
  // What its values mean only the application knows; that it is there is all that can be seen from here.
  for (const claim of issuer.requiredClaims)
    if (!Object.hasOwn(claims, claim)) claims[claim] = claim === 'token_use' ? 'access' : `test-${claim}`;
  for (const kind of ['scopes', 'roles', 'permissions'] as const) {
    const names = request[kind];
    if (names === undefined) continue;
    const [path] = issuer.claimPaths[kind];
    if (path === undefined)
      throw new Error(`This token is to grant ${kind}, and the application looks for them nowhere: claimPaths.${kind}`);
    grant(claims, path, kind === 'scopes' ? names.join(' ') : names, names);
  }
  return { ...claims, ...request.claims };
}

export function withClaims(request: TokenRequest, claims: Readonly<Claims>): TokenRequest {
  return { ...request, claims: { ...claims, ...request.claims } };
}

/** Puts a grant where the application looks for it. */
function grant(claims: Claims, path: ResolvedClaimPath, value: unknown, names: readonly string[]): void {
  const way = 'keysOf' in path ? path.keysOf : path;
  const granted = 'keysOf' in path ? Object.fromEntries(names.map((name) => [name, {}])) : value;
  let holder = claims;
  for (const name of way.slice(0, -1)) {
    const next = { ...(holder[name] as object | undefined) };
    holder[name] = next;
    holder = next;
  }
  holder[way.at(-1) ?? ''] = granted;
}
