import { AuthError } from '../model/errors.js';
import type { IssuerOptions } from '../options/options.js';
import { fromHeader, type TokenPlace } from '../options/token-places.js';
import { PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface AwsAlbOptions extends ValidateOption {
  /** The ARN of the load balancer that signs the token: `'arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188'`. */
  readonly loadBalancer: string | readonly string[];
  /** The client id of the load balancer at the identity provider, as in its action `authenticate-oidc` or `authenticate-cognito`. */
  readonly clientId: string | readonly string[];
  /** The issuer of the identity provider, as in that action. Cognito: `'https://cognito-idp.{region}.amazonaws.com/{userPoolId}'`. */
  readonly issuer: string;
}

const ARN =
  /^arn:aws(?:-us-gov)?:elasticloadbalancing:(?<region>[a-z]{2}(?:-[a-z]+)+-\d):\d{12}:loadbalancer\/app\/[\w-]+\/[0-9a-f]+$/;

/**
 * Tokens of an AWS Application Load Balancer that signs users in. It sends the claims of the user in the header `x-amzn-oidc-data`, signed
 * by the load balancer: `iss` is the identity provider, and the JOSE header has the load balancer (`signer`) and its client (`client`).
 *
 * Every load balancer of a region has keys at the same address, also those of other AWS accounts, so `signer` must be yours. The claims
 * are those of the userinfo endpoint. There are no scopes and roles.
 *
 * Not supported: regions in China. Not checked: whether the session at the identity provider has ended.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 * @returns the options of the issuer, and `tokenFrom`, an option of `AuthModule`. Beside `issuers`, set `tokenFrom` there.
 * @throws ConfigurationError if an option is missing or invalid
 */
export function awsAlb(options: AwsAlbOptions): IssuerOptions & { readonly tokenFrom: readonly TokenPlace[] } {
  const reader = new PresetReader('awsAlb', options);
  const meaning = 'the ARN of the load balancer (arn:aws:elasticloadbalancing:…)';
  const isPresent = reader.has('loadBalancer') && reader.record.loadBalancer !== undefined;
  if (!isPresent)
    reader.problem(
      'loadBalancer',
      `is missing. Anyone with an AWS account can let a load balancer sign tokens. Set it to ${meaning}.`,
    );
  const signers = isPresent ? reader.texts('loadBalancer', meaning, ARN) : [];
  const clients = reader.texts('clientId', 'the client id of the load balancer at the identity provider');
  const issuer = reader.text('issuer', '`iss` of the identity provider, as in the rule of the listener');
  const regions = [...new Set(signers.map((arn) => ARN.exec(arn)?.groups?.region ?? ''))];
  if (regions.length > 1)
    reader.problem('loadBalancer', 'has load balancers of several regions. Write one issuer for each region.');
  return reader.finishWith({
    issuer,
    audience: null,
    keys: { from: 'jwks', uri: keyAddress(regions[0] ?? '') },
    algorithms: ['ES256'],
    padding: 'accept',
    tokenFrom: [fromHeader('x-amzn-oidc-data', { origins: [] })],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...providerCheck(['sub'], reader.validate(), (_claims, header) => {
      if (!signers.includes(String(header?.signer)))
        throw new AuthError('CLAIM_INVALID', { member: 'signer', expected: signers });
      if (!clients.includes(String(header?.client)))
        throw new AuthError('AUDIENCE_MISMATCH', { member: 'client', expected: clients });
    }),
  });
}

function keyAddress(region: string): string {
  return region.startsWith('us-gov-')
    ? `https://s3-${region}.amazonaws.com/aws-elb-public-keys-prod-${region}/{kid}`
    : `https://public-keys.auth.elb.${region}.amazonaws.com/{kid}`;
}

export const awsAlbProvider: Provider<AwsAlbOptions> = {
  name: 'awsAlb',
  label: 'AWS Application Load Balancer',
  configure: awsAlb,
  // The issuer is that of another provider.
  recognize: () => undefined,
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https:\/\/\S+)$/, issuer),
  exampleIssuer: 'https://accounts.example.com',
  variables: { loadBalancer: 'AWS_ALB_ARN', clientId: 'AWS_ALB_CLIENT_ID', issuer: 'AUTH_ISSUER' },
  comments: { loadBalancer: 'The ARN of the load balancer that signs the tokens.' },
  audience: { parameter: 'clientId', example: 'your-client-id' },
  // Any AWS account can have a load balancer that signs tokens of this issuer.
  callers: {
    parameter: 'loadBalancer',
    example: 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188',
  },
  exampleHeader: ['signer: process.env.AWS_ALB_ARN', 'client: process.env.AWS_ALB_CLIENT_ID'],
  advice: {
    AUDIENCE_MISMATCH: 'If the client in the header of the token may call this API, add it to `clientId`.',
    TOKEN_MISSING: 'The request did not come through the load balancer, or its rule does not authenticate.',
  },
};
