import type { IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { type OwnCheck, withOwnCheck } from './preset-checks.js';

export interface OktaOptions extends OwnCheck {
  /** The domain of your Okta org, `'example.okta.com'`, or its custom domain. Not that of the Admin Console. */
  readonly domain: string;
  /** The audience of the authorization server (Security → API), `'api://default'` for the one named default. */
  readonly audience: string | readonly string[];
  /** The id of the custom authorization server. Default `'default'`, the one that Okta makes for you. */
  readonly authorizationServerId?: string;
  /** The claim that you set up for groups; they become the roles. Default `'groups'`. */
  readonly groupsClaim?: string;
}

/**
 * Access tokens of a custom authorization server of Okta.
 *
 * - `iss` is `https://{domain}/oauth2/{authorizationServerId}`
 *   (https://developer.okta.com/docs/concepts/auth-servers/). Tokens of the **org** authorization server (`iss`
 *   `https://{domain}`) cannot be verified: Okta alone may read them
 *   (https://developer.okta.com/docs/guides/validate-access-tokens/main/). A client asks the wrong one when its requests
 *   go to `/oauth2/v1/…`.
 * - Scopes stand in `scp`, a list; the client in `cid`, which must be there, and which ID tokens do not have
 *   (https://developer.okta.com/docs/guides/customize-tokens-returned-from-okta/main/). The algorithm is RS256.
 * - Groups stand in a claim that you add yourself
 *   (https://developer.okta.com/docs/guides/customize-tokens-groups-claim/main/).
 *
 * Not checked: which client calls (`cid`), and whether the token was revoked.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function okta(options: OktaOptions): IssuerOptions {
  const given = new PresetArguments('okta', options, [
    'domain',
    'audience',
    'authorizationServerId',
    'groupsClaim',
    'validate',
  ]);
  const validate = given.optionalFunction('validate') as OktaOptions['validate'];
  const domain = given.host('domain', 'example.okta.com');
  const audience = given.texts('audience', "the audience of the authorization server, 'api://default' say");
  const server = given.optionalText('authorizationServerId', 'the id of a custom authorization server') ?? 'default';
  const groups = given.optionalText('groupsClaim', "a claim, 'groups' say") ?? 'groups';
  const adminHost = /^(.+)-admin(\.[^.]+\.com)$/.exec(domain);
  if (adminHost !== null)
    given.problem('domain', `is that of the Admin Console: write '${adminHost[1] ?? ''}${adminHost[2] ?? ''}'`);
  if (server !== '' && !/^[a-zA-Z0-9]+$/.test(server)) {
    given.problem(
      'authorizationServerId',
      "must be the id alone, 'default' or 'aus…': the last part of the Issuer URI",
    );
  } else if (server === 'org' || server === 'v1') {
    given.problem('authorizationServerId', CUSTOM_SERVER);
  }
  given.finish();
  return {
    issuer: `https://${domain}/oauth2/${server}`,
    audience,
    algorithms: ['RS256'],
    requiredClaims: ['cid'],
    claimPaths: { scopes: ['scp'], roles: [[groups]] },
    ...withOwnCheck(() => undefined, validate, ['cid']),
  };
}

const CUSTOM_SERVER =
  "must be a custom authorization server, 'default' say: tokens of the org authorization server cannot be verified by anyone but Okta";
