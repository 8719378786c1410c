import type { AccessTokenClaims } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import type { IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { type OwnCheck, withOwnCheck } from './preset-checks.js';
import { matchIssuer, type Provider } from './provider.js';

export interface GoogleOptions extends OwnCheck {
  /** What the caller asked the token for: the address of the service, or what is set at the subscription or the job. */
  readonly audience: string | readonly string[];
  /** Callers by `email`, which must be verified: service accounts (`'orders@project.iam.gserviceaccount.com'`) or users. */
  readonly emails?: readonly string[];
  /** Callers by `sub`, the unique id of the account: it is not given out again when an account is deleted. */
  readonly subjects?: readonly string[];
  /** Lets every Google account in: where something before this application, as Cloud Run's IAM check, says who may call. */
  readonly insecureAllowAnyone?: boolean;
}

/**
 * ID tokens that Google issues to service accounts: calls between services on Cloud Run, push subscriptions of Pub/Sub, Cloud
 * Scheduler, Cloud Tasks.
 *
 * - `iss` is `https://accounts.google.com`, the algorithm RS256; `email` and `email_verified` say who calls
 *   (https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions).
 * - **Anyone** with a Google account can get a token for any audience, from a project of his own. So it must be said who may
 *   call: `emails`, `subjects` (whoever is on either is accepted), or `insecureAllowAnyone: true`.
 * - Access tokens of Google (`ya29.…`) are opaque and cannot be verified here (TOKEN_MALFORMED)
 *   (https://docs.cloud.google.com/docs/authentication/token-types).
 *
 * There are no scopes and no roles in them. ID tokens of users that come with an access token (`at_hash`) are refused
 * (TYPE_NOT_ALLOWED), and so is `iss` without `https://`, which Google has written in tokens of users.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function google(options: GoogleOptions): IssuerOptions {
  const names = ['audience', 'emails', 'subjects', 'insecureAllowAnyone', 'validate'];
  const given = new PresetArguments('google', options, names);
  const audience = given.texts('audience', "the address of your service, 'https://orders-….run.app' say");
  const emails = given.optionalTexts('emails', 'the e-mail addresses of the service accounts that may call');
  const subjects = given.optionalTexts('subjects', 'the unique ids of the accounts that may call');
  const allowsAnyone = given.flag('insecureAllowAnyone');
  const validate = given.optionalFunction('validate') as GoogleOptions['validate'];
  const isConfigured = given.isGiven('emails') || given.isGiven('subjects');
  if (!isConfigured && !allowsAnyone) {
    given.problem(
      'emails',
      'is missing: anyone with a Google account can get a token for your audience; list who may call, or set insecureAllowAnyone: true',
    );
  }
  if (isConfigured && allowsAnyone) given.problem('insecureAllowAnyone', 'contradicts the list of those who may call');
  emails?.forEach((email, index) => {
    if (!email.includes('@')) given.problem(`emails[${String(index)}]`, 'must be an e-mail address');
  });
  given.finish();
  return {
    issuer: 'https://accounts.google.com',
    audience,
    algorithms: ['RS256'],
    requiredClaims: ['sub'],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...withOwnCheck(
      (claims) => {
        if (!allowsAnyone) checkCaller(claims, emails ?? [], subjects ?? []);
      },
      validate,
      ['sub'],
    ),
  };
}

function checkCaller(claims: AccessTokenClaims, emails: readonly string[], subjects: readonly string[]): void {
  const { sub, email, email_verified: isVerified } = claims;
  if (sub !== undefined && subjects.includes(sub)) return;
  if (emails.length === 0) throw new AuthError('CLAIM_INVALID', { claim: 'sub', expected: subjects });
  if (email === undefined) throw new AuthError('CLAIM_MISSING', { claim: 'email' });
  if (typeof email !== 'string' || !emails.includes(email))
    throw new AuthError('CLAIM_INVALID', { claim: 'email', expected: emails });
  // An address that nobody verified is what its bearer says of himself.
  if (isVerified !== true) throw new AuthError('CLAIM_INVALID', { claim: 'email_verified', expected: true });
}

export const googleProvider: Provider<GoogleOptions> = {
  name: 'google',
  label: 'Google',
  configure: google,
  // Tokens of users may have the issuer without its scheme.
  recognize: (issuer) => matchIssuer(/^(?:https?:\/\/)?accounts\.google\.com(?::\d+)?(?:[/?#].*)?$/i, issuer),
  exampleIssuer: 'https://accounts.google.com',
  audience: { parameter: 'audience', claim: 'aud', example: 'https://api.example.com' },
  environment: [
    {
      name: 'AUTH_AUDIENCE',
      parameter: 'audience',
      from: 'audience',
      comment: 'The audience for which callers request the ID token: the URL of this service.',
    },
    {
      name: 'GOOGLE_CALLER_EMAIL',
      parameter: 'emails',
      from: 'example',
      comment: 'The service account that may call. Anyone can get a token for any audience from Google.',
      example: 'caller@your-project.iam.gserviceaccount.com',
      placeholder: 'the service account that may call',
      isList: true,
    },
  ],
  exampleClaims: { email: { variable: 'GOOGLE_CALLER_EMAIL' }, email_verified: true },
  checksMoreThanAudience: true,
  issuesToAnyone: true,
  advice: {
    AUDIENCE_MISMATCH: 'Request the ID token for this audience, or set it at the subscription, the job or the task.',
    TOKEN_MALFORMED: 'Access tokens of Google (`ya29.…`) are opaque. Send an ID token of a service account.',
    ISSUER_UNTRUSTED: ({ named }) =>
      named === 'accounts.google.com'
        ? 'This is an ID token of a user, in which Google writes `iss` without https://. Send an ID token of a service account.'
        : undefined,
  },
};
