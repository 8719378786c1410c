import { describe, expect, it } from '@jest/globals';
import { cognito } from '../../../src/presets.js';
import { problemsOf, Provider, symmetric } from '../../support/provider.js';

const iss = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example';
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
const provider = new Provider(
  'RS256',
  'rsa',
  {},
  {
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    'cognito:groups': ['testgroup', 'Admins'],
    iss,
    version: 2,
    client_id: 'xxxxxxxxxxxxexample',
    origin_jti: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    token_use: 'access',
    scope: 'phone openid orders/read',
    auth_time: 1_676_313_851,
    jti: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    username: 'my-test-user',
  },
).publishKeys(`${iss}/.well-known/jwks.json`);
const pool = { region: 'us-east-1', userPoolId: 'us-east-1_example', clientId: 'xxxxxxxxxxxxexample' };

describe('cognito', () => {
  it('accepts an access token, with its groups as roles', async () => {
    const token = await provider.verify(cognito(pool), provider.token());
    expect(token.roles).toEqual(['testgroup', 'Admins']);
    expect(token.scopes).toEqual(['phone', 'openid', 'orders/read']);
  });

  it('accepts the tokens of each client that is listed', async () => {
    const options = cognito({ ...pool, clientId: ['web', 'xxxxxxxxxxxxexample'] });
    expect(await provider.outcome(options, provider.token())).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ client_id: 'web' }))).toBe('accepted');
  });

  it('accepts only tokens for the resource, where one is given', async () => {
    const options = cognito({ ...pool, resource: 'https://orders.example.com' });
    expect(await provider.outcome(options, provider.token({ aud: 'https://orders.example.com' }))).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ aud: ['x', 'https://orders.example.com'] }))).toBe(
      'accepted',
    );
    expect(await provider.outcome(options, provider.token({ aud: 'https://billing.example.com' }))).toBe(
      'AUDIENCE_MISMATCH',
    );
    expect(await provider.outcome(options, provider.token())).toBe('CLAIM_MISSING');
  });

  it.each([
    ['of another client', { client_id: 'other' }, 'AUDIENCE_MISMATCH'],
    ['without a client', { client_id: undefined }, 'CLAIM_MISSING'],
    ['that is an ID token', { token_use: 'id', client_id: undefined, aud: pool.clientId }, 'TYPE_NOT_ALLOWED'],
    ['that is an ID token and names the client', { token_use: 'id' }, 'TYPE_NOT_ALLOWED'],
    ['that does not say what it is for', { token_use: undefined }, 'CLAIM_MISSING'],
    ['for the API of somebody else', { aud: 'https://billing.example.com' }, 'AUDIENCE_MISMATCH'],
    ['of another pool', { iss: iss.replace('example', 'other') }, 'ISSUER_UNTRUSTED'],
    ['with a slash behind its issuer', { iss: `${iss}/` }, 'ISSUER_UNTRUSTED'],
  ])('refuses a token %s (%s → %s)', async (_what, claims, code) => {
    expect(await provider.outcome(cognito(pool), provider.token(claims))).toBe(code);
  });

  it('refuses HS256 (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(cognito(pool), symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
  });

  it('runs the own check after its own', async () => {
    const options = cognito({ ...pool, validate: ({ claims }) => claims.username === 'somebody' });
    expect(await provider.outcome(options, provider.token())).toBe('CLAIM_INVALID');
    expect(await provider.outcome(options, provider.token({ username: 'somebody' }))).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ username: 'somebody', aud: 'x' }))).toBe(
      'AUDIENCE_MISMATCH',
    );
  });

  it.each([
    [
      { userPoolId: 'my-pool' },
      "cognito().userPoolId: must be the pool's id, 'us-east-1_AbCdEfGhI' say; no name, no ARN",
    ],
    [
      { userPoolId: 'arn:aws:cognito-idp:us-east-1:1:userpool/us-east-1_example' },
      "cognito().userPoolId: must be the pool's id, 'us-east-1_AbCdEfGhI' say; no name, no ARN",
    ],
    [
      { userPoolId: 'eu-west-1_example' },
      "cognito().userPoolId: is of region 'eu-west-1', but region is 'us-east-1': 'us-east-1_example'?",
    ],
    [
      { userPoolId: undefined },
      "cognito().userPoolId: is missing. Set it to the id of the user pool, 'eu-central-1_AbCdEfGhI' say.",
    ],
    [{ region: 'Ireland' }, "cognito().region: must be a region, 'eu-central-1' say"],
    [{ region: '' }, "cognito().region: is missing. Set it to the region of the user pool, 'eu-central-1' say."],
    [
      { region: 'cn-north-1', userPoolId: 'cn-north-1_example' },
      'cognito().region: is in China, where the issuer has another domain: set issuer and keys yourself',
    ],
    [
      { clientId: undefined },
      'cognito().clientId: is missing. Set it to the id of the app client whose tokens are accepted.',
    ],
    [{ clientId: [] }, 'cognito().clientId: is an empty list. Set it to a non-empty list of strings.'],
    [{ resource: undefined }, 'cognito().resource: is undefined: set the variable that it comes from, or leave it out'],
    [
      { audience: 'x' },
      'cognito().audience: is unknown. Use one of region, userPoolId, clientId, resource, issuerType, validate.',
    ],
  ])('does not start with %j', (given, problem) => {
    const problems = problemsOf(() => cognito({ ...pool, ...given } as never));
    expect(problems[0]).toBe(problem);
  });

  it('says of a pool that is not given only that', () => {
    expect(problemsOf(() => cognito({ ...pool, userPoolId: '' }))).toHaveLength(1);
  });

  it('takes the updated issuer when told so, and only that', async () => {
    const updated = 'https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_example';
    const pools = new Provider('RS256', 'rsa', {}, { iss: updated, client_id: pool.clientId, token_use: 'access' });
    pools.publish(`${updated}/.well-known/openid-configuration`, updated, `${updated}/.well-known/jwks.json`);
    const options = cognito({ ...pool, issuerType: 'updated' });
    expect(await pools.outcome(options, pools.token())).toBe('accepted');
    expect(await pools.outcome(options, pools.token({ iss }))).toBe('ISSUER_UNTRUSTED');
    expect(await pools.outcome(cognito(pool), pools.token())).toBe('ISSUER_UNTRUSTED');
  });

  it('takes the regions of AWS GovCloud', () => {
    const options = cognito({ ...pool, region: 'us-gov-west-1', userPoolId: 'us-gov-west-1_example' });
    expect(options.issuer).toBe('https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_example');
  });
});
