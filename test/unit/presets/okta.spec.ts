import { describe, expect, it } from '@jest/globals';
import { okta } from '../../../src/presets.js';
import { problemsOf, Provider } from '../../support/provider.js';

const iss = 'https://example.okta.com/oauth2/default';
// https://developer.okta.com/docs/guides/customize-tokens-returned-from-okta/main/ and …/customize-tokens-groups-claim/main/
const provider = new Provider(
  'RS256',
  'rsa',
  {},
  {
    ver: 1,
    jti: 'AT.bcNo4WsBA8QS81SOrrTxWbqMsO50lrFxlYK88DlAPiM',
    iss,
    aud: 'api://default',
    cid: '0oaoesxtxmPf08QHk0h7',
    uid: '00uixa271s6x7qt8I0h7',
    scp: ['openid', 'orders.read'],
    sub: 'joe.user@example.com',
    groups: ['Everyone', 'Managers'],
  },
).publish(`${iss}/.well-known/openid-configuration`, iss, `${iss}/v1/keys`);
const org = { domain: 'example.okta.com', audience: 'api://default' };

describe('okta', () => {
  it('accepts an access token, with its list of scopes and its groups', async () => {
    const token = await provider.verify(okta(org), provider.token());
    expect(token.scopes).toEqual(['openid', 'orders.read']);
    expect(token.roles).toEqual(['Everyone', 'Managers']);
  });

  it('reads the claim for groups that it is told', async () => {
    const token = await provider.verify(okta({ ...org, groupsClaim: 'teams' }), provider.token({ teams: ['blue'] }));
    expect(token.roles).toEqual(['blue']);
  });

  it('takes another authorization server, and a custom domain', () => {
    const options = okta({ domain: 'id.example.com', authorizationServerId: 'aus9o8wzkhckw9TLa0h7', audience: 'x' });
    expect(options.issuer).toBe('https://id.example.com/oauth2/aus9o8wzkhckw9TLa0h7');
  });

  it.each([
    [
      'of the org authorization server',
      { iss: 'https://example.okta.com', aud: 'https://example.okta.com' },
      'ISSUER_UNTRUSTED',
    ],
    ['of another authorization server', { iss: 'https://example.okta.com/oauth2/aus1' }, 'ISSUER_UNTRUSTED'],
    ['for another audience', { aud: 'api://other' }, 'AUDIENCE_MISMATCH'],
    ['without a client, as an ID token', { cid: undefined, scp: undefined }, 'CLAIM_MISSING'],
    ['that is an ID token with at_hash', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
  ])('refuses a token %s (%s → %s)', async (_what, claims, code) => {
    expect(await provider.outcome(okta(org), provider.token(claims))).toBe(code);
  });

  it('refuses an ID token also where a list beside it takes the place of its own', async () => {
    const options = { ...okta(org), requiredClaims: ['uid'] };
    expect(await provider.outcome(options, provider.token())).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ cid: undefined }))).toBe('CLAIM_MISSING');
  });

  it('asks the own check that it is given, after that', async () => {
    const options = okta({ ...org, validate: ({ claims }) => claims.uid === 'x' });
    expect(await provider.outcome(options, provider.token({ uid: 'x' }))).toBe('accepted');
    expect(await provider.outcome(options, provider.token())).toBe('CLAIM_INVALID');
    expect(await provider.outcome(options, provider.token({ uid: 'x', cid: undefined }))).toBe('CLAIM_MISSING');
  });

  const server =
    "okta().authorizationServerId: must be a custom authorization server, 'default' say: tokens of the org authorization server cannot be verified by anyone but Okta";
  it.each([
    [
      { domain: 'https://example.okta.com' },
      "okta().domain: must be a host alone, without a scheme and without a slash: write 'example.okta.com'",
    ],
    [
      { domain: 'https://example.okta.com/oauth2/default' },
      "okta().domain: must be a host alone, without a scheme and without a slash: write 'example.okta.com'",
    ],
    [{ domain: 'example-admin.okta.com' }, "okta().domain: is that of the Admin Console: write 'example.okta.com'"],
    [{ domain: undefined }, "okta().domain: is missing. Set it to the host of the issuer, 'example.okta.com' say."],
    [
      { audience: '' },
      "okta().audience: is missing. Set it to the audience of the authorization server, 'api://default' say.",
    ],
    [{ authorizationServerId: 'org' }, server],
    [{ authorizationServerId: 'v1' }, server],
    [
      { authorizationServerId: '' },
      'okta().authorizationServerId: is missing. Set it to the id of a custom authorization server.',
    ],
    [
      { authorizationServerId: undefined },
      'okta().authorizationServerId: is undefined: set the variable that it comes from, or leave it out',
    ],
    [
      { authorizationServerId: 'oauth2/default' },
      "okta().authorizationServerId: must be the id alone, 'default' or 'aus…': the last part of the Issuer URI",
    ],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => okta({ ...org, ...given } as never))).toEqual([problem]);
  });
});
