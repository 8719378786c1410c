import { isOrigin } from '../model/address.js';
import { AuthError } from '../model/errors.js';
import type { IssuerOptions } from '../options/options.js';
import { checkOptionalAudience, PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface ClerkOptions extends ValidateOption {
  /** The Frontend API URL of the instance: `'https://clerk.example.com'`, `'https://example.clerk.accounts.dev'`. */
  readonly frontendApiUrl: string;
  /**
   * The origins of your front ends, for example `['https://example.com']`. A token is accepted only if it was issued to one of them.
   * The origin of a browser extension is `'chrome-extension://{id}'`, that of a web view for example `'capacitor://localhost'`.
   */
  readonly authorizedParties: string | readonly string[];
  /**
   * The required `aud`, if you customized the session token to have one
   * (https://clerk.com/docs/guides/sessions/customize-session-tokens). Default: a token with `aud` is rejected.
   */
  readonly audience?: string | readonly string[];
  /** Accepts sessions with the status `pending`, whose users must still join an organization. Default false. */
  readonly allowPendingSessions?: boolean;
}

// `URL.origin` is "null" for schemes other than those of the web.
const APP_ORIGIN = /^(?!https?:)[a-z][a-z\d+.-]*:\/\/[a-z\d.-]+(?::\d+)?$/;

/**
 * Session tokens of Clerk.
 *
 * - There is no `aud`. `azp`, the origin to which the token was issued, must be one of your origins; otherwise the page of another site
 *   could send its tokens here. A token without `azp` is rejected (CLAIM_MISSING), because no other claim names the recipient.
 * - The role in the active organization is `org_role` in version 1 (`org:admin`) and `o.rol` in version 2 (`admin`). Permissions are read in
 *   version 1 (`org_permissions`), but not in version 2, where they are bit masks (`o.fpm`).
 *
 * Not supported: tokens of JWT templates, which have no `sid`, OAuth access tokens and machine tokens. Not checked: impersonation (`act`),
 * the active organization (`o.id`), and whether the session has ended (tokens are valid for a minute).
 * @see https://clerk.com/docs/guides/sessions/manual-jwt-verification
 * @throws ConfigurationError if an option is missing or invalid
 */
export function clerk(options: ClerkOptions): IssuerOptions {
  const reader = new PresetReader('clerk', options);
  const issuer = reader.url('frontendApiUrl', 'https://clerk.example.com');
  const meaning = "the origin of your front end without path and slash, for example 'https://example.com'";
  const parties = reader.texts('authorizedParties', meaning, (party) =>
    isOrigin(party) || APP_ORIGIN.test(party) ? undefined : `Set it to ${meaning}.`,
  );
  const audience = reader.optionalTexts('audience', '`aud` of your customized session token');
  const allowsPending = reader.flag('allowPendingSessions');
  return reader.finishWith({
    issuer,
    audience: parties,
    audienceClaim: 'azp',
    keys: { from: 'jwks', uri: `${issuer}/.well-known/jwks.json` },
    algorithms: ['RS256'],
    tokenTypes: ['JWT'],
    claimPaths: { scopes: [], roles: ['org_role', 'o.rol'], permissions: ['org_permissions'] },
    ...providerCheck(['sub', 'sid'], reader.validate(), (claims) => {
      checkOptionalAudience(claims, audience);
      if (claims.sts === 'pending' && !allowsPending)
        throw new AuthError('CLAIM_INVALID', { claim: 'sts', expected: 'a completed session' });
    }),
  });
}

export const clerkProvider: Provider<ClerkOptions> = {
  name: 'clerk',
  label: 'Clerk',
  configure: clerk,
  recognize: (issuer) => matchIssuer(/^(?<frontendApiUrl>https:\/\/[\w.-]+\.clerk\.accounts\.dev)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<frontendApiUrl>https:\/\/[^/]+)$/, issuer),
  exampleIssuer: 'https://your-instance.clerk.accounts.dev',
  variables: { frontendApiUrl: 'CLERK_FRONTEND_API_URL', authorizedParties: 'CLERK_AUTHORIZED_PARTY' },
  comments: { authorizedParties: 'The origin of the front end (`azp`).' },
  audience: { parameter: 'authorizedParties', example: 'https://app.example.com' },
  exampleClaims: ["sid: 'test-session'"],
  advice: {
    AUDIENCE_MISMATCH: 'If the origin in `azp` belongs to one of your front ends, add it to `authorizedParties`.',
    TYPE_NOT_ALLOWED: 'Send a session token: the result of `getToken()` without a template.',
  },
};
