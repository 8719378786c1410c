import type { ClaimPath, IssuerOptions } from '../options/options.js';
import { type ExactlyOne, PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export type ZitadelOptions = ValidateOption & {
  /** The id of the project of your API, a number: `'69234237810729019'`. */
  readonly audience: string | readonly string[];
  /**
   * Also reads the roles in the project **of the client** (`urn:zitadel:iam:org:project:roles`). Safe only if all clients that can request
   * your project's audience belong to the same project: otherwise an admin of another project is an admin here. Default false.
   */
  readonly clientProjectRoles?: boolean;
  /**
   * The URL from which this application fetches keys, if it is not that of the issuer, for example `'http://zitadel:8080'` in a cluster.
   * ZITADEL finds the instance by the public host, which is sent in the header `Forwarded`. Plain http requires `insecureAllowHttp: true`
   * in `AuthModule`.
   */
  readonly internalUrl?: string;
} & ExactlyOne<{
    /** The instance's domain, for example `'my-instance.zitadel.cloud'`, or a custom one. Without `https://`. */
    readonly domain: string;
    /** The whole issuer, for an instance with a port: `'http://localhost:8080'`. */
    readonly issuer: string;
  }>;

/**
 * Access tokens of ZITADEL in JWT format. `iss` is the URL of the instance without a trailing slash.
 *
 * - Roles are the **member names** of `urn:zitadel:iam:org:project:{projectId}:roles`, which is present if the project asserts roles on
 *   authentication or the client requests `urn:zitadel:iam:org:projects:roles`.
 * - `jti` is required: ID tokens do not have it, but also contain the project in `aud`.
 *
 * Not supported: opaque tokens (TOKEN_MALFORMED), the default. Not checked: the organization in which the user has a role.
 * @see https://zitadel.com/docs/apis/openidoauth/claims
 * @see https://zitadel.com/docs/self-hosting/manage/custom-domain
 * @throws ConfigurationError if an option is missing or invalid
 */
export function zitadel(options: ZitadelOptions): IssuerOptions {
  const reader = new PresetReader('zitadel', options);
  const issuer = reader.hasInsteadOf('issuer', 'domain')
    ? reader.url('issuer', 'https://my-instance.zitadel.cloud')
    : `https://${reader.host('domain', 'my-instance.zitadel.cloud')}`;
  const audience = reader.texts('audience', "the id of your project, for example '69234237810729019'", /^\d+$/);
  const internalUrl = reader.has('internalUrl') ? reader.url('internalUrl', 'http://zitadel:8080') : undefined;
  const countsClientProject = reader.flag('clientProjectRoles');
  const roles: ClaimPath[] = audience.map((id) => ({ keysOf: [`urn:zitadel:iam:org:project:${id}:roles`] }));
  if (countsClientProject) roles.push({ keysOf: ['urn:zitadel:iam:org:project:roles'] });
  return reader.finishWith({
    issuer,
    audience,
    ...(internalUrl !== undefined && {
      keys: {
        from: 'jwks',
        uri: `${internalUrl}/oauth/v2/keys`,
        headers: { forwarded: `host=${issuer.replace(/^https?:\/\//, '')}` },
      },
    }),
    claimPaths: { scopes: ['scope'], roles },
    ...providerCheck(['jti'], reader.validate()),
  });
}

export const zitadelProvider: Provider<ZitadelOptions> = {
  name: 'zitadel',
  label: 'ZITADEL',
  configure: zitadel,
  recognize: (issuer) => matchIssuer(/^(?<issuer>https:\/\/[\w.-]+\.zitadel\.cloud)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https?:\/\/[^/]+)$/, issuer),
  exampleIssuer: 'https://your-instance.zitadel.cloud',
  variables: { issuer: 'AUTH_ISSUER', audience: 'AUTH_AUDIENCE' },
  comments: { audience: 'The id of the project, a number.' },
  audience: { example: '69234237810729019' },
  advice: {
    AUDIENCE_MISMATCH: 'Request the scope urn:zitadel:iam:org:project:id:<id of the project>:aud.',
    TOKEN_MALFORMED: 'Set the token type of the application (of a service user: its access token type) to JWT.',
  },
};
