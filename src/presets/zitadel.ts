import type { ClaimPath, IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { type OwnCheck, withOwnCheck } from './preset-checks.js';
import { matchIssuer, type Provider } from './provider.js';

interface ZitadelCommonOptions extends OwnCheck {
  /** The id of the project that your API belongs to, a number: `'69234237810729019'`. */
  readonly audience: string | readonly string[];
  /**
   * Whether roles in the project **of the client** count, too (`urn:zitadel:iam:org:project:roles`). Safe only where all clients
   * that can name your project are of that same project: else an admin of another project is one here. Default false.
   */
  readonly clientProjectRoles?: boolean;
}

export type ZitadelOptions = ZitadelCommonOptions &
  (
    | {
        /** The instance's domain, `'my-instance.zitadel.cloud'` or a custom one. Without `https://`. */
        readonly domain: string;
        readonly issuer?: never;
      }
    | {
        /** Or the whole issuer, for an instance with a port: `'http://localhost:8080'`. */
        readonly issuer: string;
        readonly domain?: never;
      }
  );

/**
 * Access tokens of ZITADEL in the form of a JWT.
 *
 * - `iss` is the instance's address without a trailing slash, `aud` has the project's id in it, and the ids of its clients
 *   (https://zitadel.com/docs/apis/openidoauth/claims). Access tokens are opaque unless the application's token type (for a service
 *   user: its access token type) is set to JWT; opaque ones are refused (TOKEN_MALFORMED).
 * - Roles are the **names of the members** of `urn:zitadel:iam:org:project:{projectId}:roles`. They are there when the project asserts
 *   roles on authentication, or the client asks for `urn:zitadel:iam:org:projects:roles`
 *   (https://zitadel.com/docs/apis/openidoauth/scopes). `urn:zitadel:iam:org:project:roles`, which stands beside it, is of the project
 *   of the client, and counts with `clientProjectRoles`.
 * - ID tokens name the project in `aud`, too. They have no `jti`, which must be there.
 *
 * Not checked: in which organization a user has a role (the members' values say it). Scopes are not written into the token.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function zitadel(options: ZitadelOptions): IssuerOptions {
  const given = new PresetArguments('zitadel', options, [
    'domain',
    'issuer',
    'audience',
    'clientProjectRoles',
    'validate',
  ]);
  const own = given.optionalFunction('validate') as ZitadelOptions['validate'];
  const issuer = given.isGiven('issuer')
    ? given.address('issuer', 'https://my-instance.zitadel.cloud')
    : `https://${given.host('domain', 'my-instance.zitadel.cloud')}`;
  if (given.isGiven('issuer') && given.isGiven('domain')) given.problem('domain', 'give either that or `issuer`');
  const audience = given.texts('audience', "the id of your project, '69234237810729019' say");
  const countsClientProject = given.flag('clientProjectRoles');
  audience.forEach((id) => {
    if (!/^\d+$/.test(id))
      given.problem('audience', `must be the id of a project, a number; ${JSON.stringify(id)} is none`);
  });
  given.finish();
  const roles: ClaimPath[] = audience.map((id) => ({ keysOf: [`urn:zitadel:iam:org:project:${id}:roles`] }));
  if (countsClientProject) roles.push({ keysOf: ['urn:zitadel:iam:org:project:roles'] });
  return {
    issuer,
    audience,
    requiredClaims: ['jti'],
    claimPaths: { scopes: ['scope'], roles },
    ...withOwnCheck(() => undefined, own, ['jti']),
  };
}

export const zitadelProvider: Provider<ZitadelOptions> = {
  name: 'zitadel',
  label: 'ZITADEL',
  configure: zitadel,
  recognize: (issuer) => matchIssuer(/^(?<issuer>https:\/\/[\w.-]+\.zitadel\.cloud)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https?:\/\/[^/]+)$/, issuer),
  exampleIssuer: 'https://your-instance.zitadel.cloud',
  audience: { parameter: 'audience', claim: 'aud', example: '69234237810729019' },
  environment: [
    { name: 'AUTH_ISSUER', parameter: 'issuer', from: 'issuer' },
    { name: 'AUTH_AUDIENCE', parameter: 'audience', from: 'audience', comment: 'The id of the project, a number.' },
  ],
  checksMoreThanAudience: true,
  advice: {
    AUDIENCE_MISMATCH: 'Request the scope urn:zitadel:iam:org:project:id:<id of the project>:aud.',
    TOKEN_MALFORMED: 'Set the token type of the application (of a service user: its access token type) to JWT.',
  },
};
