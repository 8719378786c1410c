import { describe, expect, it } from '@jest/globals';
import { cognito } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example';
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
const provider = new Provider(
  {
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    'cognito:groups': ['testgroup', 'Admins'],
    iss,
    version: 2,
    client_id: 'xxxxxxxxxxxxexample',
    token_use: 'access',
    scope: 'phone openid orders/read',
  },
  {},
).publishKeys(`${iss}/.well-known/jwks.json`);
const pool = { region: 'us-east-1', userPoolId: 'us-east-1_example', clientId: 'xxxxxxxxxxxxexample' };

describe('cognito', () => {
  it('accepts an access token, with its groups as roles', async () => {
    const token = await provider.verify(cognito(pool), provider.token());
    expect(token.roles).toEqual(['testgroup', 'Admins']);
    expect(token.scopes).toEqual(['phone', 'openid', 'orders/read']);
  });

  it('accepts the tokens of each listed client', async () => {
    const options = cognito({ ...pool, clientId: ['web', 'xxxxxxxxxxxxexample'] });
    expect(await provider.outcome(options, provider.token())).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ client_id: 'web' }))).toBe('accepted');
  });

  it('requires `aud` with the option `resource`', async () => {
    const options = cognito({ ...pool, resource: 'orders' });
    expect(await provider.outcome(options, provider.token({ aud: 'orders' }))).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ aud: ['x', 'orders'] }))).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ aud: 'billing' }))).toBe('AUDIENCE_MISMATCH');
    expect(await provider.outcome(options, provider.token())).toBe('CLAIM_MISSING');
  });

  rejectsTokens(provider, cognito(pool), [
    ['of another client', { client_id: 'other' }, 'AUDIENCE_MISMATCH'],
    ['without a client', { client_id: undefined }, 'CLAIM_MISSING'],
    ['that is an ID token', { token_use: 'id', client_id: undefined, aud: pool.clientId }, 'TYPE_NOT_ALLOWED'],
    ['that is an ID token with the client', { token_use: 'id' }, 'TYPE_NOT_ALLOWED'],
    ['without `token_use`', { token_use: undefined }, 'CLAIM_MISSING'],
    ['with the `aud` of another API', { aud: 'https://billing.example.com' }, 'AUDIENCE_MISMATCH'],
    ['of another pool', { iss: iss.replace('example', 'other') }, 'ISSUER_UNTRUSTED'],
  ]);

  const id = "Set it to the id of the user pool, which begins with its region, for example 'us-east-1_AbCdEfGhI'";
  rejectsOptions(cognito, pool, [
    [{ userPoolId: 'my-pool' }, `userPoolId: is "my-pool". ${id}`],
    [{ userPoolId: 'arn:aws:cognito-idp:us-east-1:1:userpool/us-east-1_example' }, id],
    [{ userPoolId: 'eu-west-1_example' }, id],
    [{ region: 'Ireland' }, 'region: is "Ireland". Set it to the region of the user pool'],
    [{ region: 'cn-north-1', userPoolId: 'cn-north-1_example' }, 'Regions in China are not supported.'],
    [{ issuerType: 'new' }, "issuerType: is \"new\". Set it to 'original' or 'updated'"],
  ]);

  it("trusts only the updated issuer with `issuerType: 'updated'`", async () => {
    const updated = iss.replace('cognito-idp', 'issuer-cognito-idp');
    const pools = new Provider({ iss: updated, client_id: pool.clientId, token_use: 'access' }, {});
    pools.publish(updated, `${updated}/.well-known/jwks.json`);
    const options = cognito({ ...pool, issuerType: 'updated' });
    expect(await pools.outcome(options, pools.token())).toBe('accepted');
    expect(await pools.outcome(options, pools.token({ iss }))).toBe('ISSUER_UNTRUSTED');
    expect(await pools.outcome(cognito(pool), pools.token())).toBe('ISSUER_UNTRUSTED');
  });

  it('supports the regions of AWS GovCloud', () => {
    const options = cognito({ ...pool, region: 'us-gov-west-1', userPoolId: 'us-gov-west-1_example' });
    expect(options.issuer).toBe('https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_example');
  });
});
