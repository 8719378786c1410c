import type { IssuerOptions } from '../options/options.js';
import { checkOptionalAudience, PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

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
 * Access tokens of an Amazon Cognito user pool. `iss` is `https://cognito-idp.{region}.amazonaws.com/{userPoolId}`, or
 * `https://issuer-cognito-idp.…` with `issuerType: 'updated'`. Groups (`cognito:groups`) are the roles.
 *
 * ID tokens are rejected (TYPE_NOT_ALLOWED). Not supported: regions in China, whose issuers have another domain. Not checked: whether
 * the user has signed out or was deleted.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
 * @throws ConfigurationError if an option is missing or invalid
 */
export function cognito(options: CognitoOptions): IssuerOptions {
  const reader = new PresetReader('cognito', options);
  const place = "the region of the user pool, for example 'eu-central-1'. Regions in China are not supported";
  const region = reader.text('region', place, /^(?!cn-)[a-z]{2}(?:-[a-z]+)+-\d$/);
  const id = `the id of the user pool, which begins with its region, for example '${region || 'eu-central-1'}_AbCdEfGhI'`;
  const userPoolId = reader.text('userPoolId', id, new RegExp(`^${region || '[a-z0-9-]+'}_[a-zA-Z0-9]+$`));
  const audience = reader.texts('clientId', 'the id of the app client whose tokens are accepted');
  const resource = reader.optionalTexts('resource', '`aud` of the tokens');
  const isUpdated = reader.has('issuerType') && reader.oneOf('issuerType', ['original', 'updated']) === 'updated';
  const issuer = `https://${isUpdated ? 'issuer-' : ''}cognito-idp.${region}.amazonaws.com/${userPoolId}`;
  return reader.finishWith({
    issuer,
    audience,
    audienceClaim: 'client_id',
    keys: isUpdated ? { from: 'discovery' } : { from: 'jwks', uri: `${issuer}/.well-known/jwks.json` },
    algorithms: ['RS256'],
    claimPaths: { scopes: ['scope'], roles: [['cognito:groups']] },
    // Another value than `access` is rejected for the issuers of Cognito, also without this preset.
    ...providerCheck(['token_use'], reader.validate(), (claims) => {
      checkOptionalAudience(claims, resource);
    }),
  });
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
  variables: { region: 'COGNITO_REGION', userPoolId: 'COGNITO_USER_POOL_ID', clientId: 'COGNITO_CLIENT_ID' },
  comments: { clientId: 'The app client (`client_id`).' },
  audience: { parameter: 'clientId', example: 'your-app-client-id' },
  exampleClaims: ["token_use: 'access'"],
  advice: {
    AUDIENCE_MISMATCH: 'If the app client in `client_id` may call this API, add it to `clientId`.',
    TYPE_NOT_ALLOWED: 'Send `access_token` of the token response, not `id_token`.',
  },
};
