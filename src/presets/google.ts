import { AuthError } from '../model/errors.js';
import type { IssuerOptions } from '../options/options.js';
import { checkListed, PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface GoogleOptions extends ValidateOption {
  /** The audience that callers request: the URL of the service, or what is configured at the subscription or job. */
  readonly audience: string | readonly string[];
  /** Callers by verified `email`: service accounts (`'orders@project.iam.gserviceaccount.com'`) or users. */
  readonly emails?: readonly string[];
  /** Callers by `sub`, the unique id of the account, which is not reused when an account is deleted. */
  readonly subjects?: readonly string[];
  /** Accepts every Google account. Use it only if the platform restricts the callers, for example Cloud Run by its IAM check. */
  readonly insecureAllowAnyone?: boolean;
}

/**
 * ID tokens that Google (`https://accounts.google.com`) issues to service accounts: calls between services on Cloud Run, push subscriptions
 * of Pub/Sub, Cloud Scheduler and Cloud Tasks. There are no scopes and roles.
 *
 * **Anyone** with a Google account can get a token for any audience. So `emails` or `subjects` is required (a caller on either list is
 * accepted), or `insecureAllowAnyone: true`.
 *
 * Not supported: access tokens (`ya29.…`), which are opaque, and ID tokens of users with `at_hash` (TYPE_NOT_ALLOWED).
 * @see https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 * @throws ConfigurationError if an option is missing or invalid
 */
export function google(options: GoogleOptions): IssuerOptions {
  const reader = new PresetReader('google', options);
  const audience = reader.texts('audience', "the URL of your service, for example 'https://orders-….run.app'");
  const emails = reader.optionalTexts('emails', 'the email address of a caller', /@/) ?? [];
  const subjects = reader.optionalTexts('subjects', 'the unique id of a caller') ?? [];
  const allowsAnyone = reader.flag('insecureAllowAnyone');
  const isRestricted = reader.has('emails') || reader.has('subjects');
  if (!isRestricted && !allowsAnyone)
    reader.problem(
      'emails',
      'is missing. Anyone with a Google account can get a token for your audience. Set it to the email addresses of the callers, or set insecureAllowAnyone: true.',
    );
  if (isRestricted && allowsAnyone)
    reader.problem('insecureAllowAnyone', 'is set beside a list of callers. Remove one of them.');
  return reader.finishWith({
    issuer: 'https://accounts.google.com',
    // Google writes `iss` with or without the scheme.
    issuerAliases: ['accounts.google.com'],
    audience,
    algorithms: ['RS256'],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...providerCheck(['sub'], reader.validate(), (claims) => {
      if (allowsAnyone || subjects.includes(claims.sub ?? '')) return;
      if (emails.length === 0) checkListed(claims, 'sub', subjects);
      checkListed(claims, 'email', emails);
      // Anyone can choose an address that is not verified.
      if (claims.email_verified !== true)
        throw new AuthError('CLAIM_INVALID', { claim: 'email_verified', expected: true });
    }),
  });
}

export const googleProvider: Provider<GoogleOptions> = {
  name: 'google',
  label: 'Google',
  configure: google,
  // Tokens of users may have the issuer without its scheme.
  recognize: (issuer) => matchIssuer(/^(?:https?:\/\/)?accounts\.google\.com(?::\d+)?(?:[/?#].*)?$/i, issuer),
  exampleIssuer: 'https://accounts.google.com',
  variables: { audience: 'AUTH_AUDIENCE', emails: 'GOOGLE_CALLER_EMAIL' },
  comments: {
    audience: 'The audience for which callers request the ID token: the URL of this service.',
    emails: 'The service account that may call. Anyone can get a token for any audience from Google.',
  },
  audience: { example: 'https://api.example.com' },
  callers: { parameter: 'emails', example: 'caller@your-project.iam.gserviceaccount.com' },
  exampleClaims: ['email: process.env.GOOGLE_CALLER_EMAIL', 'email_verified: true'],
  advice: {
    AUDIENCE_MISMATCH: 'Request the ID token for this audience, or configure it at the subscription, job or task.',
    TOKEN_MALFORMED: 'Access tokens of Google (`ya29.…`) are opaque. Send an ID token of a service account.',
  },
};
