import type { AuthErrorCode } from './errors.js';
import { describeValue } from './unknown-value.js';
import type { PolicyReference } from './policy.js';

const SCOPES = { code: 'SCOPE_INSUFFICIENT', granted: 'scopes' } as const;
const ROLES = { code: 'ROLE_INSUFFICIENT', granted: 'roles' } as const;
const PERMISSIONS = { code: 'PERMISSION_INSUFFICIENT', granted: 'permissions' } as const;

/** Requirements of names that the token must grant: `all` of them, or `any`. */
export const AUTHORITIES = {
  scopes: { ...SCOPES, decorator: 'RequireScopes', needs: 'all' },
  anyScope: { ...SCOPES, decorator: 'RequireAnyScope', needs: 'any' },
  roles: { ...ROLES, decorator: 'RequireRoles', needs: 'all' },
  anyRole: { ...ROLES, decorator: 'RequireAnyRole', needs: 'any' },
  permissions: { ...PERMISSIONS, decorator: 'RequirePermissions', needs: 'all' },
  anyPermission: { ...PERMISSIONS, decorator: 'RequireAnyPermission', needs: 'any' },
} as const;
export type AuthorityKind = keyof typeof AUTHORITIES;
export const AUTHORITY_KINDS = Object.keys(AUTHORITIES) as readonly AuthorityKind[];

/** All requirements in the order of evaluation. */
export const REQUIREMENTS = {
  ...AUTHORITIES,
  acr: { decorator: 'RequireAcr', code: 'AUTHENTICATION_INSUFFICIENT' },
  authorizationDetails: { decorator: 'RequireAuthorizationDetails', code: 'AUTHORIZATION_DETAILS_INSUFFICIENT' },
  policy: { decorator: 'RequirePolicy', code: 'POLICY_DENIED' },
} as const satisfies Record<string, { readonly decorator: string; readonly code: AuthErrorCode }>;
export type RequirementKind = keyof typeof REQUIREMENTS;
export const REQUIREMENT_KINDS = Object.keys(REQUIREMENTS) as readonly RequirementKind[];

/** An object in the claim `authorization_details` (RFC 9396 §2). */
export interface AuthorizationDetail {
  readonly type: string;
  readonly [member: string]: unknown;
}

interface Common {
  /** Adds to the requirements of the class and the module. Otherwise it replaces those of the same kind. */
  readonly merge: boolean;
  /** Accepts calls that do not meet the requirement, and counts them. */
  readonly reportOnly: boolean;
}

/** A requirement that the caller must meet in addition to a valid token. */
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

export const MAX_AUTHENTICATION_AGE_SECONDS = 366 * 86_400;

// RFC 6749 §3.3. Other characters are not allowed in the challenge, which lists the names separated by spaces.
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

export function problemOfNames(kind: AuthorityKind | 'acr', names: readonly unknown[]): string | undefined {
  if (names.length === 0 && kind !== 'acr') return 'is empty. Write at least one name.';
  for (const name of names) {
    if (typeof name !== 'string' || name.trim() === '')
      return `contains ${describeValue(name)}. Write non-empty strings.`;
    if ((kind === 'scopes' || kind === 'anyScope' || kind === 'acr') && !SCOPE_TOKEN.test(name))
      return `contains ${describeValue(name)}, which has characters that RFC 6749 §3.3 does not allow. Write each name as a string of its own.`;
  }
  return undefined;
}

export function problemOfMaxAge(seconds: unknown): string | undefined {
  if (seconds === undefined) return undefined;
  if (typeof seconds === 'number' && seconds >= 0 && seconds <= MAX_AUTHENTICATION_AGE_SECONDS) return undefined;
  return `has maxAgeSeconds: ${describeValue(seconds)}. Write a number from 0 to ${String(MAX_AUTHENTICATION_AGE_SECONDS)}.`;
}
