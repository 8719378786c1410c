import type { IssuerOptions } from '../options/options.js';
import { matching, PresetArguments } from './preset-arguments.js';
import { audienceVariable, matchIssuer, type Provider } from './provider.js';
import { checkOptionalAudience, providerCheck, type ValidateOption } from './provider-check.js';

export interface CognitoOptions extends ValidateOption {
  /** The region, for example `'eu-central-1'`, with which the user pool's id begins. */
  readonly region: string;
  /** The id of the user pool, for example `'eu-central-1_AbCdEfGhI'`. Not its name or ARN. */
  readonly userPoolId: string;
  /** The app clients whose tokens are accepted: an access token has no other audience. */
  readonly clientId: string | readonly string[];
  /** The required `aud`, if clients use resource binding (`resource`). Default: a token with `aud` is rejected. */
  readonly resource?: string | readonly string[];
  /** The issuer configuration of the pool (`IssuerConfiguration`). Default `'original'`. */
  readonly issuerType?: 'original' | 'updated';
}

/**
 * Access tokens of an Amazon Cognito user pool.
 *
 * - `iss` is `https://cognito-idp.{region}.amazonaws.com/{userPoolId}`, or `https://issuer-cognito-idp.…` with the issuer configuration UPDATED.
 * - `token_use` must be `access`. Access tokens have the app client in `client_id`, and have no `aud`. The algorithm is RS256.
 * - Groups (`cognito:groups`) are the roles. Scopes are in `scope`, custom ones as `{resource server}/{scope}`.
 *
 * ID tokens are rejected (TYPE_NOT_ALLOWED). Not supported: regions in China, whose issuers have another domain. Not checked: whether
 * the user has signed out or was deleted.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
 * @throws ConfigurationError if an option is missing or invalid
 */
export function cognito(options: CognitoOptions): IssuerOptions {
  const given = new PresetArguments('cognito', options);
  const region = given.text('region', "the region of the user pool, for example 'eu-central-1'", checkRegion);
  const example = `the id of the pool, for example '${region || 'eu-central-1'}_AbCdEfGhI'`;
  const isPoolId = matching(/^[a-z0-9-]+_[a-zA-Z0-9]+$/, `must be ${example}, not its name or ARN`);
  const userPoolId = given.text('userPoolId', example, isPoolId);
  const [poolRegion = '', poolName = ''] = userPoolId.split('_');
  if (region !== '' && userPoolId !== '' && poolRegion !== region)
    given.problem('userPoolId', `is in '${poolRegion}', but region is '${region}'. Is it '${region}_${poolName}'?`);
  const audience = given.texts('clientId', 'the id of the app client whose tokens are accepted');
  const resource = given.optionalTexts('resource', '`aud` of the tokens');
  const isUpdated = given.oneOf('issuerType', ['original', 'updated'], 'original') === 'updated';
  const validate = given.validate();
  given.finish();
  const issuer = `https://${isUpdated ? 'issuer-' : ''}cognito-idp.${region}.amazonaws.com/${userPoolId}`;
  return {
    issuer,
    audience,
    audienceClaim: 'client_id',
    keys: isUpdated ? { from: 'discovery' } : { from: 'jwks', uri: `${issuer}/.well-known/jwks.json` },
    algorithms: ['RS256'],
    claimPaths: { scopes: ['scope'], roles: [['cognito:groups']] },
    // A `token_use` other than `access` is rejected for every issuer.
    ...providerCheck(['token_use'], validate, (claims) => {
      checkOptionalAudience(claims, resource);
    }),
  };
}

function checkRegion(region: string): string | undefined {
  if (!/^[a-z]{2}(?:-[a-z]+)+-\d$/.test(region)) return "must be a region, for example 'eu-central-1'";
  return region.startsWith('cn-') ? 'is in China, where the issuer has another domain: set issuer and keys' : undefined;
}

const ISSUER =
  /^https:\/\/(?<updated>issuer-)?cognito-idp\.(?<region>[\w-]+)\.amazonaws\.com\/(?<userPoolId>[\w-]+)\/?$/i;

export const cognitoProvider: Provider<CognitoOptions> = {
  name: 'cognito',
  label: 'Amazon Cognito',
  configure: cognito,
  recognize: (issuer) => {
    const { updated, ...pool } = matchIssuer(ISSUER, issuer) ?? {};
    if (pool.region === undefined) return undefined;
    return { ...pool, issuerType: updated === undefined ? undefined : 'updated' };
  },
  exampleIssuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
  audience: { parameter: 'clientId', claim: 'client_id', example: 'your-app-client-id' },
  environment: [
    { name: 'COGNITO_REGION', parameter: 'region', from: 'issuer' },
    { name: 'COGNITO_USER_POOL_ID', parameter: 'userPoolId', from: 'issuer' },
    audienceVariable('clientId', 'The app client, which access tokens have in `client_id`.', {
      name: 'COGNITO_CLIENT_ID',
    }),
  ],
  exampleClaims: { token_use: 'access' },
  checksMoreThanAudience: true,
  advice: {
    AUDIENCE_MISMATCH: 'If the app client in `client_id` may call this API, add it to `clientId`.',
    TYPE_NOT_ALLOWED: 'Send `access_token` of the token response, not `id_token`.',
  },
};
