import type { ClaimPath, IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { matchIssuer, type Provider } from './provider.js';

interface SupabaseCommonOptions {
  /** Default `'authenticated'`, which the tokens of signed-in users name. */
  readonly audience?: string | readonly string[];
  /**
   * Where roles of your own stand, beside `role`: `'app_metadata.roles'`, or a claim that your Custom Access Token Hook adds. Never
   * `user_metadata`: users write that themselves.
   */
  readonly rolesClaim?: string;
}

export type SupabaseOptions = SupabaseCommonOptions &
  (
    | {
        /** The project's reference, `'abcdefghijklmnopqrst'`: the first part of its address. */
        readonly projectRef: string;
        readonly url?: never;
      }
    | {
        /** Or the project's address, for a custom domain or Supabase of your own: `'https://api.example.com'`. */
        readonly url: string;
        readonly projectRef?: never;
      }
  );

/**
 * Access tokens of Supabase Auth, signed with an asymmetric key.
 *
 * - `iss` is `{url}/auth/v1`, keys are below it at `/.well-known/jwks.json` (https://supabase.com/docs/guides/auth/jwts).
 * - Tokens that are signed with the legacy JWT secret or another shared secret (HS256) are refused (ALGORITHM_NOT_ALLOWED): whoever can
 *   verify them could make them. Migrate in the dashboard to an asymmetric signing key
 *   (https://supabase.com/docs/guides/auth/signing-keys); until then tokens are signed with HS256, and refused (ALGORITHM_NOT_ALLOWED).
 * - `role` is the Postgres role and becomes a role here; `aal` says whether there was a second factor
 *   (https://supabase.com/docs/guides/auth/jwt-fields). The `anon` and `service_role` keys have another `iss`, and are refused.
 *
 * Not checked: whether the user is an anonymous one (`is_anonymous`; he has the same `aud` and `role`), whether the session was
 * signed out. There are no scopes.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function supabase(options: SupabaseOptions): IssuerOptions {
  const given = new PresetArguments('supabase', options, ['projectRef', 'url', 'audience', 'rolesClaim']);
  const url = given.isGiven('url') ? given.address('url', 'https://api.example.com') : projectUrl(given);
  if (given.isGiven('url') && given.isGiven('projectRef')) given.problem('projectRef', 'give either that or `url`');
  if (url.endsWith('/auth/v1')) given.problem('url', 'must end before /auth/v1, which is put behind it');
  const audience = given.optionalTexts('audience', "what the tokens name in `aud`, 'authenticated' say");
  const rolesClaim = given.optionalText('rolesClaim', "a claim's name or path, 'app_metadata.roles' say");
  if (rolesClaim !== undefined && /^user_metadata\b/.test(rolesClaim))
    given.problem('rolesClaim', 'must not be in user_metadata, which users write themselves: use app_metadata');
  given.finish();
  const issuer = `${url}/auth/v1`;
  const roles: ClaimPath[] = rolesClaim === undefined ? ['role'] : ['role', rolesClaim];
  return {
    issuer,
    audience: audience ?? 'authenticated',
    keys: { from: 'jwks', uri: `${issuer}/.well-known/jwks.json` },
    claimPaths: { scopes: [], roles },
  };
}

function projectUrl(given: PresetArguments): string {
  const projectRef = given.text('projectRef', "the reference of the project, 'abcdefghijklmnopqrst' say");
  if (projectRef !== '' && !/^[a-z0-9]+$/.test(projectRef))
    given.problem(
      'projectRef',
      "must be the reference alone, 'abcdefghijklmnopqrst' say; a whole address goes into `url`",
    );
  return `https://${projectRef}.supabase.co`;
}

export const supabaseProvider: Provider<SupabaseOptions> = {
  name: 'supabase',
  label: 'Supabase',
  configure: supabase,
  recognize: (issuer) => matchIssuer(/^(?<url>https:\/\/[\w-]+\.supabase\.co)\/auth\/v1\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<url>https?:\/\/.+)\/auth\/v1$/, issuer),
  exampleIssuer: 'https://your-project.supabase.co/auth/v1',
  audience: { parameter: 'audience', claim: 'aud', example: 'authenticated', usual: () => 'authenticated' },
  environment: [
    { name: 'SUPABASE_URL', parameter: 'url', from: 'issuer' },
    {
      name: 'AUTH_AUDIENCE',
      parameter: 'audience',
      from: 'audience',
      comment: 'The audience of tokens of signed-in users.',
      usual: 'authenticated',
    },
  ],
  alternativeIssuers: ({ origin, hostname }) =>
    hostname.endsWith('.supabase.co') ? [{ issuer: `${origin}/auth/v1`, isSameTenant: true }] : [],
  advice: {
    ALGORITHM_NOT_ALLOWED:
      'Migrate the project from the legacy JWT secret to an asymmetric signing key (JWT Keys in the dashboard).',
  },
};
