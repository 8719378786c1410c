import type { PolicyReference } from './policy.js';

/** Requirements of names that a token grants: all of them, or any. */
export const AUTHORITY_KINDS = ['scopes', 'anyScope', 'roles', 'anyRole', 'permissions', 'anyPermission'] as const;
export type AuthorityKind = (typeof AUTHORITY_KINDS)[number];

/** An object in the claim `authorization_details` (RFC 9396 §2). */
export interface AuthorizationDetail {
  readonly type: string;
  readonly [member: string]: unknown;
}

interface Common {
  /** Adds to what stands further out, in place of taking its place. */
  readonly merge: boolean;
  /** A call that does not meet it passes, and is counted. */
  readonly reportOnly: boolean;
}

/** What a caller must be allowed, beside having a valid token. */
export type Requirement<Context = unknown> = Common &
  (
    | { readonly kind: AuthorityKind; readonly names: readonly string[] }
    | { readonly kind: 'acr'; readonly values: readonly string[]; readonly maxAgeSeconds: number | undefined }
    | {
        readonly kind: 'authorizationDetails';
        readonly type: string;
        readonly predicate?: (detail: AuthorizationDetail, context: Context) => boolean | Promise<boolean>;
      }
    | { readonly kind: 'policy'; readonly policy: PolicyReference<Context> }
  );

export type RequirementKind = Requirement['kind'];

export const REQUIREMENT_KINDS: readonly RequirementKind[] = [
  ...AUTHORITY_KINDS,
  'acr',
  'authorizationDetails',
  'policy',
];

// RFC 6749 §3.3; what else there was could not stand in the challenge.
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** What is wrong with the names of a requirement; undefined when nothing is. */
export function problemOfNames(kind: AuthorityKind | 'acr', names: readonly unknown[]): string | undefined {
  if (names.length === 0 && kind !== 'acr') return 'must name at least one';
  for (const name of names) {
    if (typeof name !== 'string' || name.trim() === '') return 'must be non-empty strings';
    if ((kind === 'scopes' || kind === 'anyScope' || kind === 'acr') && !SCOPE_TOKEN.test(name))
      return `${JSON.stringify(name)} has characters that may not stand in one (RFC 6749 §3.3); write several one by one`;
  }
  return undefined;
}

export function problemOfMaxAge(seconds: unknown): string | undefined {
  if (seconds === undefined || (typeof seconds === 'number' && seconds >= 0 && seconds <= 366 * 86_400))
    return undefined;
  return 'must be a number of seconds, from 0 to 31622400';
}
