/**
 * The defaults of options that are numbers, names or lists of names, by the name of the option, which has the unit in it.
 * Options that are off by default are not listed.
 */
export const DEFAULTS = {
  audienceClaim: 'aud',
  tokenTypes: ['at+jwt', 'JWT', undefined],
  idTokens: 'reject',
  padding: 'reject',
  clockToleranceSeconds: 5,
  scopes: ['scope', 'scp'],
  roles: ['roles'],
  permissions: ['permissions'],
  refreshSeconds: 600,
  maxStaleSeconds: 86_400,
  unknownKidCooldownSeconds: 30,
  timeoutMs: 5_000,
  maxBytes: 512 * 1024,
  warmUp: 'off',
  renewalGraceSeconds: 0,
  maxEntries: 10_000,
  maxAgeSeconds: 300,
} as const;
