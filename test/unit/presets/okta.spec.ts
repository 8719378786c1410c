import { describe, expect, it } from '@jest/globals';
import { okta } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://example.okta.com/oauth2/default';
// https://developer.okta.com/docs/guides/customize-tokens-returned-from-okta/main/ and …/customize-tokens-groups-claim/main/
const provider = new Provider(
  {
    iss,
    aud: 'api://default',
    cid: '0oaoesxtxmPf08QHk0h7',
    uid: '00uixa271s6x7qt8I0h7',
    scp: ['openid', 'orders.read'],
    sub: 'joe.user@example.com',
    groups: ['Everyone', 'Managers'],
  },
  {},
).publish(iss, `${iss}/v1/keys`);
const org = { domain: 'example.okta.com', audience: 'api://default' };

describe('okta', () => {
  it('accepts an access token, with its list of scopes and its groups', async () => {
    const token = await provider.verify(okta(org), provider.token());
    expect(token.scopes).toEqual(['openid', 'orders.read']);
    expect(token.roles).toEqual(['Everyone', 'Managers']);
  });

  it('reads roles from `groupsClaim`', async () => {
    const token = await provider.verify(okta({ ...org, groupsClaim: 'teams' }), provider.token({ teams: ['blue'] }));
    expect(token.roles).toEqual(['blue']);
  });

  it('accepts another authorization server and a custom domain', () => {
    const options = okta({ domain: 'id.example.com', authorizationServerId: 'aus9o8wzkhckw9TLa0h7', audience: 'x' });
    expect(options.issuer).toBe('https://id.example.com/oauth2/aus9o8wzkhckw9TLa0h7');
  });

  rejectsTokens(provider, okta(org), [
    ['of the org authorization server', { iss: 'https://example.okta.com' }, 'ISSUER_UNTRUSTED'],
    ['of another authorization server', { iss: 'https://example.okta.com/oauth2/aus1' }, 'ISSUER_UNTRUSTED'],
    ['for another audience', { aud: 'api://other' }, 'AUDIENCE_MISMATCH'],
    ['without a client (an ID token)', { cid: undefined, scp: undefined }, 'CLAIM_MISSING'],
    ['that is an ID token with at_hash', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
  ]);

  it('rejects an ID token also if `requiredClaims` next to the preset replaces its own list', async () => {
    const options = { ...okta(org), requiredClaims: ['uid'] };
    expect(await provider.outcome(options, provider.token())).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ cid: undefined }))).toBe('CLAIM_MISSING');
  });

  rejectsOptions(okta, org, [
    [{ domain: 'example-admin.okta.com' }, 'domain: is "example-admin.okta.com". This is the Admin Console.'],
    ...['org', 'v1', 'oauth2/default'].map(
      (authorizationServerId) =>
        [
          { authorizationServerId },
          `is "${authorizationServerId}". Set it to the id of a custom authorization server`,
        ] as const,
    ),
  ]);
});
