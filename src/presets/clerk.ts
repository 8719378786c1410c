import type { AccessTokenClaims } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import type { IssuerOptions } from '../options/options.js';
import { isOrigin } from '../model/address.js';
import { PresetArguments } from './preset-arguments.js';
import { checkOptionalAudience, type OwnCheck, withOwnCheck } from './preset-checks.js';
import { matchIssuer, type Provider } from './provider.js';

export interface ClerkOptions extends OwnCheck {
  /** The Frontend API URL of the instance: `'https://clerk.example.com'`, `'https://example.clerk.accounts.dev'`. */
  readonly frontendApiUrl: string;
  /**
   * The origins of your own front ends, `['https://example.com']`: only tokens that were made for one of them are accepted. Of a
   * browser extension or an app in a web view that is `'chrome-extension://{id}'`, `'capacitor://localhost'`.
   */
  readonly authorizedParties: string | readonly string[];
  /**
   * What a token must name in `aud`, where you have customized the session token to have one
   * (https://clerk.com/docs/guides/sessions/customize-session-tokens). Default: session tokens have no `aud`, and one that names
   * somebody there is refused.
   */
  readonly audience?: string | readonly string[];
  /** Accepts sessions whose status is `pending`: of users who have yet to join an organization. Default false. */
  readonly allowPendingSessions?: boolean;
}

/** As browsers write the origin of a page that is not of the web; `URL.origin` is "null" for them. */
const APP_ORIGIN = /^(?!https?:)[a-z][a-z\d+.-]*:\/\/[a-z\d.-]+(?::\d+)?$/;

/**
 * Session tokens of Clerk.
 *
 * - `iss` is the Frontend API URL; there is no `aud`; `azp` is the origin that the token was made for
 *   (https://clerk.com/docs/guides/sessions/session-tokens).
 * - Keys are at `{frontendApiUrl}/.well-known/jwks.json`; `azp` must be an origin of yours, else another site's page could have its
 *   tokens sent here; `sts` may be `pending` (https://clerk.com/docs/guides/sessions/manual-jwt-verification). That page lets a token
 *   without `azp` pass; here it is refused (CLAIM_MISSING), since it is all that says whom a token is for.
 * - `azp` is the `Origin` of the request, so that of an extension or a web view has a scheme of its own
 *   (https://clerk.com/docs/reference/backend/instance/update: `allowedOrigins`).
 * - The role in the active organization is `org_role` in version 1 (`org:admin`), and `o.rol` in version 2 (`admin`, without the prefix).
 *   Permissions are read in version 1 (`org_permissions`); in version 2 they are bit masks (`o.fpm`), which are not read.
 *
 * Not covered: tokens of JWT templates, which are tied to no session and have no `sid`
 * (https://clerk.com/docs/guides/sessions/jwt-templates); OAuth access tokens and machine tokens of Clerk. Not checked: whether somebody acts as the user (`act`), which
 * organization is active (`o.id`), whether the session was ended since: tokens live for a minute.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function clerk(options: ClerkOptions): IssuerOptions {
  const names = ['frontendApiUrl', 'authorizedParties', 'audience', 'allowPendingSessions', 'validate'];
  const given = new PresetArguments('clerk', options, names);
  const issuer = given.address('frontendApiUrl', 'https://clerk.example.com');
  const parties = given.texts('authorizedParties', "the origins of your front ends, ['https://example.com'] say");
  const audience = given.optionalTexts('audience', 'what your customized session token names in `aud`');
  const allowsPending = given.flag('allowPendingSessions');
  const validate = given.optionalFunction('validate') as ClerkOptions['validate'];
  parties.forEach((party) => {
    if (!isOrigin(party) && !APP_ORIGIN.test(party))
      given.problem(
        'authorizedParties',
        `must be origins, 'https://example.com', without a path and a slash; ${JSON.stringify(party)} is none`,
      );
  });
  given.finish();
  return {
    issuer,
    audience: parties,
    audienceClaim: 'azp',
    keys: { from: 'jwks', uri: `${issuer}/.well-known/jwks.json` },
    algorithms: ['RS256'],
    tokenTypes: ['JWT'],
    requiredClaims: ['sub', 'sid'],
    claimPaths: { scopes: [], roles: ['org_role', 'o.rol'], permissions: ['org_permissions'] },
    ...withOwnCheck(
      (claims) => {
        checkOptionalAudience(claims, audience);
        if (!allowsPending) checkNotPending(claims);
      },
      validate,
      ['sub', 'sid'],
    ),
  };
}

function checkNotPending({ sts }: AccessTokenClaims): void {
  if (sts === 'pending') throw new AuthError('CLAIM_INVALID', { claim: 'sts', expected: 'a session that is complete' });
}

export const clerkProvider: Provider<ClerkOptions> = {
  name: 'clerk',
  label: 'Clerk',
  configure: clerk,
  recognize: (issuer) => matchIssuer(/^(?<frontendApiUrl>https:\/\/[\w.-]+\.clerk\.accounts\.dev)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<frontendApiUrl>https:\/\/[^/]+)$/, issuer),
  exampleIssuer: 'https://your-instance.clerk.accounts.dev',
  audience: { parameter: 'authorizedParties', claim: 'azp', example: 'https://app.example.com' },
  environment: [
    { name: 'CLERK_FRONTEND_API_URL', parameter: 'frontendApiUrl', from: 'issuer' },
    {
      name: 'CLERK_AUTHORIZED_PARTY',
      parameter: 'authorizedParties',
      from: 'audience',
      comment: 'The origin of the front end. Session tokens have it in `azp`, and no `aud`.',
    },
  ],
  exampleClaims: { sid: 'test-session' },
  checksMoreThanAudience: true,
  advice: {
    AUDIENCE_MISMATCH: 'If the origin in `azp` belongs to one of your front ends, add it to `authorizedParties`.',
    TYPE_NOT_ALLOWED: 'Send a session token (`getToken()` without a template).',
  },
};
