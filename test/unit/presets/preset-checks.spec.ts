import { describe, expect, it } from '@jest/globals';
import { AuthError, type AuthOptions, type IssuerOptions } from '../../../src/index.js';
import { PROVIDER_CHECK } from '../../../src/options/options.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { clerk, cognito, firebase, github, google, okta, zitadel } from '../../../src/presets.js';
import { codeOf, pathsOf } from '../../support/catching.js';

const resolvedIssuer = (options: AuthOptions) => {
  const { issuers } = resolveOptions(options);
  return typeof issuers === 'function' ? undefined : issuers[0];
};

describe('The check of a preset', () => {
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
  ])(
    'rejects a token, also with a `validate` beside the preset or in a list of issuers: %s',
    (_name, preset, claims) => {
      const validate = () => true;
      const beside = { ...preset, validate };
      for (const options of [preset, beside, { issuers: [preset], validate }, { issuers: [beside] }]) {
        const check = resolvedIssuer(options)?.providerCheck;
        expect(codeOf(() => check?.({ claims } as never))).toMatch(/^CLAIM_/);
      }
    },
  );

  const preset = okta({ domain: 'example.okta.com', audience: 'api' });

  it('stays in an issuer that inherits another one', () => {
    const rejecting = {
      [PROVIDER_CHECK]: () => {
        throw new AuthError('POLICY_DENIED');
      },
    };
    const check = resolvedIssuer({ issuers: [preset], ...rejecting })?.providerCheck;
    expect(codeOf(() => check?.({ claims: {} } as never))).toBe('CLAIM_MISSING');
    expect(codeOf(() => check?.({ claims: { cid: 'client' } } as never))).toBe('POLICY_DENIED');
  });

  it('is not an option by name', () => {
    expect(pathsOf(() => resolveOptions({ ...preset, presetCheck: () => undefined } as never))).toEqual([
      'presetCheck',
    ]);
  });
});
