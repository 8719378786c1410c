import type { IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { checkOptionalAudience, type OwnCheck, withOwnCheck } from './preset-checks.js';
import { matchIssuer, type Provider } from './provider.js';

export interface CognitoOptions extends OwnCheck {
  /** `'eu-central-1'`; the user pool's id begins with it. */
  readonly region: string;
  /** `'eu-central-1_AbCdEfGhI'`. Not its name and not its ARN. */
  readonly userPoolId: string;
  /** The app client (or clients) whose tokens are accepted: an access token has no other audience. */
  readonly clientId: string | readonly string[];
  /**
   * What a token must name in `aud`, where clients ask for it with resource binding (`resource`). Default: tokens have no `aud`,
   * and one that names another API there is refused.
   */
  readonly resource?: string | readonly string[];
  /** The pool's issuer configuration (`IssuerConfiguration`): `updated` for one that was set to UPDATED. Default `'original'`. */
  readonly issuerType?: 'original' | 'updated';
}

/**
 * Access tokens of an Amazon Cognito user pool.
 *
 * - `iss` is `https://cognito-idp.{region}.amazonaws.com/{userPoolId}`, keys are below it at `/.well-known/jwks.json`;
 *   `token_use` must be `access`, and an access token names its app client in `client_id` instead of `aud`
 *   (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html).
 * - Groups of the pool stand in `cognito:groups`, which become the roles; scopes in `scope`, custom ones as
 *   `{resource server}/{scope}`; the algorithm is RS256
 *   (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html).
 * - A pool whose issuer configuration is UPDATED writes `https://issuer-cognito-idp.{region}.amazonaws.com/{userPoolId}`
 *   (https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_IssuerConfigurationType.html); its keys are
 *   found through its metadata.
 *
 * ID tokens are refused (TYPE_NOT_ALLOWED). Not checked: whether the user was signed out or deleted since. Pools in the regions of
 * China, where the issuer has another domain, are not covered.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function cognito(options: CognitoOptions): IssuerOptions {
  const given = new PresetArguments('cognito', options, [
    'region',
    'userPoolId',
    'clientId',
    'resource',
    'issuerType',
    'validate',
  ]);
  const region = given.text('region', "the region of the user pool, 'eu-central-1' say");
  const userPoolId = given.text('userPoolId', "the id of the user pool, 'eu-central-1_AbCdEfGhI' say");
  const audience = given.texts('clientId', 'the id of the app client whose tokens are accepted');
  const resource = given.optionalTexts('resource', 'what the tokens name in `aud`');
  const isUpdated = given.oneOf('issuerType', ['original', 'updated'], 'original') === 'updated';
  const validate = given.optionalFunction('validate') as CognitoOptions['validate'];
  checkPool(given, region, userPoolId);
  given.finish();
  const issuer = `https://${isUpdated ? 'issuer-' : ''}cognito-idp.${region}.amazonaws.com/${userPoolId}`;
  return {
    issuer,
    audience,
    audienceClaim: 'client_id',
    keys: isUpdated ? { from: 'discovery' } : { from: 'jwks', uri: `${issuer}/.well-known/jwks.json` },
    algorithms: ['RS256'],
    // That it is `access` where it is there is checked for every issuer.
    requiredClaims: ['token_use'],
    claimPaths: { scopes: ['scope'], roles: [['cognito:groups']] },
    ...withOwnCheck(
      (claims) => {
        checkOptionalAudience(claims, resource);
      },
      validate,
      ['token_use'],
    ),
  };
}

function checkPool(given: PresetArguments, region: string, userPoolId: string): void {
  if (region !== '' && !/^[a-z]{2}(?:-[a-z]+)+-\d$/.test(region)) {
    given.problem('region', "must be a region, 'eu-central-1' say");
  } else if (region.startsWith('cn-')) {
    given.problem('region', 'is in China, where the issuer has another domain: set issuer and keys yourself');
  }
  const [prefix, id] = userPoolId.split('_');
  if (userPoolId === '') return;
  if (!/^[a-z0-9-]+_[a-zA-Z0-9]+$/.test(userPoolId)) {
    given.problem('userPoolId', `must be the pool's id, '${region || 'eu-central-1'}_AbCdEfGhI' say; no name, no ARN`);
  } else if (region !== '' && prefix !== region) {
    given.problem('userPoolId', `is of region '${prefix ?? ''}', but region is '${region}': '${region}_${id ?? ''}'?`);
  }
}

const ISSUER =
  /^https:\/\/(?<updated>issuer-)?cognito-idp\.(?<region>[\w-]+)\.amazonaws\.com\/(?<userPoolId>[\w-]+)\/?$/i;

export const cognitoProvider: Provider<CognitoOptions> = {
  name: 'cognito',
  label: 'Amazon Cognito',
  configure: cognito,
  recognize: (issuer) => {
    const match = matchIssuer(ISSUER, issuer);
    if (match === undefined) return undefined;
    const { updated, ...pool } = match;
    return { ...pool, issuerType: updated === undefined ? undefined : 'updated' };
  },
  exampleIssuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
  audience: { parameter: 'clientId', claim: 'client_id', example: 'your-app-client-id' },
  environment: [
    { name: 'COGNITO_REGION', parameter: 'region', from: 'issuer' },
    { name: 'COGNITO_USER_POOL_ID', parameter: 'userPoolId', from: 'issuer' },
    {
      name: 'COGNITO_CLIENT_ID',
      parameter: 'clientId',
      from: 'audience',
      comment: 'The id of the app client. Access tokens have it in `client_id`, and no `aud`.',
    },
  ],
  exampleClaims: { token_use: 'access' },
  checksMoreThanAudience: true,
  advice: {
    AUDIENCE_MISMATCH: 'If the app client in `client_id` may call this API, add it to `clientId`.',
    TYPE_NOT_ALLOWED: 'Send `access_token` of the token response, not `id_token`.',
  },
};
