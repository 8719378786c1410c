import { describe, expect, it } from '@jest/globals';
import { AuthError, type AuthOptions, type IssuerOptions } from '../../../src/index.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { clerk, cognito, firebase, github, google, okta, zitadel } from '../../../src/presets.js';
import { codeOf } from '../../support/catching.js';

const validateOf = (options: AuthOptions) => {
  const { issuers } = resolveOptions(options);
  return typeof issuers === 'function' ? undefined : issuers[0]?.validate;
};

describe('What a preset checks', () => {
  it.each<[string, IssuerOptions, Record<string, unknown>]>([
    ['github', github({ audience: 'api', repositories: ['ours/app'] }), { repository: 'evil/app' }],
    [
      'google',
      google({ audience: 'api', emails: ['job@ours.iam.gserviceaccount.com'] }),
      { email: 'evil@example.com' },
    ],
    ['clerk', clerk({ frontendApiUrl: 'https://clerk.example.com', authorizedParties: ['https://example.com'] }), {}],
    ['cognito', cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_Ab', clientId: 'c' }), {}],
    ['firebase', firebase({ projectId: 'my-project' }), {}],
    ['okta', okta({ domain: 'example.okta.com', audience: 'api' }), {}],
    ['zitadel', zitadel({ domain: 'my.zitadel.cloud', audience: '1' }), {}],
  ])('is checked also where the application has a check of its own beside it: %s', (_name, preset, claims) => {
    const validate = validateOf({ ...preset, validate: () => true });
    expect(codeOf(() => validate?.(claims as never, {} as never))).toMatch(/^CLAIM_/);
  });

  it('is waited for where it takes its time, also one that stands beside `issuers`', async () => {
    const refuse = () => Promise.reject(new AuthError('POLICY_DENIED'));
    const preset = okta({ domain: 'example.okta.com', audience: 'api' });
    const claims = { cid: 'client' } as never;
    for (const options of [
      { ...preset, presetCheck: refuse as never, validate: () => true },
      { issuers: [preset], presetCheck: refuse as never },
    ])
      await expect(Promise.resolve(validateOf(options)?.(claims, {} as never))).rejects.toMatchObject({
        code: 'POLICY_DENIED',
      });
  });

  it('comes first, and the own check decides then', async () => {
    const preset = okta({ domain: 'example.okta.com', audience: 'api' });
    const claims = { cid: 'client' } as never;
    expect(await validateOf({ ...preset, validate: () => false })?.(claims, {} as never)).toBe(false);
    expect(await validateOf({ ...preset, validate: () => true })?.(claims, {} as never)).toBe(true);
    expect(await validateOf(preset)?.(claims, {} as never)).toBeUndefined();
  });
});
