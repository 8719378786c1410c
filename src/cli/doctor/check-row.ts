/** The names of the checks, in the order in which they are made. Stable: scripts look for them in `--json`. */
export const CHECKS = [
  'issuer',
  'reachable',
  'discovery',
  'metadata-issuer',
  'jwks-uri',
  'jwks',
  'keys',
  'private-keys',
  'symmetric-keys',
  'key-strength',
  'key-use',
  'key-ids',
  'algorithms',
  'clock',
  'configuration',
  'token.form',
  'token.critical',
  'token.algorithm',
  'token.type',
  'token.access-token',
  'token.issuer',
  'token.audience',
  'token.expiry',
  'token.not-before',
  'token.issued-at',
  'token.key',
  'token.signature',
  'token.claims',
  'token.binding',
  'token.grants',
] as const;

export type CheckName = (typeof CHECKS)[number];

/**
 * `ok`: as it should be. `warning`: works, but look at it. `problem`: tokens will be refused, or must not be trusted, until
 * it is mended. `skipped`: could not be looked at, or was not asked for.
 */
export type CheckStatus = 'ok' | 'warning' | 'problem' | 'skipped';

/** What one check has found. */
export interface CheckRow {
  readonly check: CheckName;
  readonly status: CheckStatus;
  readonly found: string;
  readonly expected?: string;
  /** What to do about it, with the exact text to write where there is one. */
  readonly mend?: string;
}

export function ok(check: CheckName, found: string): CheckRow {
  return { check, status: 'ok', found };
}

export function skipped(check: CheckName, found: string, mend?: string): CheckRow {
  return { check, status: 'skipped', found, ...(mend !== undefined && { mend }) };
}

export function warning(check: CheckName, found: string, mend: string, expected?: string): CheckRow {
  return { check, status: 'warning', found, ...(expected !== undefined && { expected }), mend };
}

export function problem(check: CheckName, found: string, mend: string, expected?: string): CheckRow {
  return { check, status: 'problem', found, ...(expected !== undefined && { expected }), mend };
}
