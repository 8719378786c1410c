import { describe, expect, it } from '@jest/globals';
import type { AuthOptions, IssuerOptions } from '../../../src/index.js';
import { AuthError } from '../../../src/model/errors.js';
import { PROVIDER_CHECK } from '../../../src/options/options.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import {
  adfs,
  authentik,
  clerk,
  cloudflareAccess,
  cognito,
  entraId,
  firebase,
  github,
  gitlab,
  google,
  googleIap,
  kubernetes,
  okta,
  ory,
  workos,
  workosConnect,
  zitadel,
} from '../../../src/presets.js';
import { codeOf } from '../../support/catching.js';

const resolvedIssuer = (options: AuthOptions) => {
  const { issuers } = resolveOptions(options);
  return typeof issuers === 'function' ? undefined : issuers[0];
};

const validate = () => true;
const GUID = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const { tokenFrom: _ofTheModule, ...iap } = googleIap({ audience: '/projects/1/apps/a', validate });
const { tokenFrom: _alsoOfTheModule, ...access } = cloudflareAccess({ team: 'a', audience: 'ab'.repeat(32), validate });
const PRESETS: readonly (readonly [string, IssuerOptions | undefined, Record<string, unknown>])[] = [
  ['github', github({ audience: 'api', repositories: ['ours/app'], validate }), { repository: 'evil/app' }],
  ['adfs', adfs({ host: 'sts.contoso.com', audience: 'api', validate }), {}],
  ['gitlab', gitlab({ audience: 'api', projects: ['ours/app'], validate }), { project_path: 'evil/app' }],
  ['google', google({ audience: 'api', emails: ['a@example.com'], validate }), { email: 'evil@example.com' }],
  ['authentik', authentik({ url: 'https://a.example', application: 'a', clientId: 'c', validate }), { uid: 'u' }],
  ['googleIap', iap, {}],
  ['kubernetes', kubernetes({ audience: 'api', namespaces: ['shop'], validate }), { 'kubernetes.io': {} }],
  ['clerk', clerk({ frontendApiUrl: 'https://a.example', authorizedParties: ['https://b.example'], validate }), {}],
  ['cloudflareAccess', access, { type: 'org' }],
  ['cognito', cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_Ab', clientId: 'c', validate }), {}],
  ['entraId', entraId({ tenantId: GUID, audience: GUID, validate }).issuers[0], { tid: 'another', appid: 'c' }],
  ['firebase', firebase({ projectId: 'my-project', validate }), {}],
  ['okta', okta({ domain: 'example.okta.com', audience: 'api', validate }), {}],
  ['ory', ory({ issuer: 'https://a.example', audience: 'api', validate }), {}],
  ['workos', workos({ clientId: 'client_1', validate }), {}],
  ['workosConnect', workosConnect({ authkitDomain: 'a.authkit.app', audience: 'api', validate }), {}],
  ['zitadel', zitadel({ domain: 'my.zitadel.cloud', audience: '1', validate }), {}],
];

describe('The check of a preset', () => {
  it.each(PRESETS)(
    'applies in addition to `validate` of the preset, the issuer or the module: %s',
    (_name, preset, claims) => {
      if (preset === undefined) throw new Error('no issuer');
      expect(preset.validate).toBe(validate);
      const besides = { ...preset, validate };
      for (const options of [preset, besides, { issuers: [preset], validate }, { issuers: [besides] }]) {
        const check = resolvedIssuer(options)?.providerCheck;
        expect(codeOf(() => check?.({ claims } as never))).toMatch(/^CLAIM_/);
      }
    },
  );

  const preset = okta({ domain: 'example.okta.com', audience: 'api' });

  it('remains if the module has another one as a default', () => {
    const rejecting = () => {
      throw new AuthError('POLICY_DENIED');
    };
    const options = { issuers: [preset], [PROVIDER_CHECK]: rejecting };
    const check = resolvedIssuer(options)?.providerCheck;
    expect(codeOf(() => check?.({ claims: {} } as never))).toBe('CLAIM_MISSING');
    expect(codeOf(() => check?.({ claims: { cid: 'client' } } as never))).toBe('POLICY_DENIED');
  });
});
