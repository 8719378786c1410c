import type { IssuerOptions } from '../options/options.js';
import { type ExactlyOne, PresetReader } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export type SupabaseOptions = {
  /** Default `'authenticated'`, the audience of signed-in users. */
  readonly audience?: string | readonly string[];
  /**
   * The claim with your own roles, in addition to `role`: `'app_metadata.roles'`, or a claim that your Custom Access Token Hook adds. Not
   * in `user_metadata`, which users can change.
   */
  readonly rolesClaim?: string;
} & ExactlyOne<{
  /** The project's reference, for example `'abcdefghijklmnopqrst'`: the first part of its host. */
  readonly projectRef: string;
  /** The URL of a custom domain or a self-hosted Supabase, for example `'https://api.example.com'`. */
  readonly url: string;
}>;

/**
 * Access tokens of Supabase Auth (`iss` `{url}/auth/v1`), signed with an asymmetric key. The Postgres role (`role`) is a role. No scopes.
 *
 * Not supported: tokens signed with the legacy JWT secret (HS256, ALGORITHM_NOT_ALLOWED), which each verifier could forge. Migrate to an
 * asymmetric signing key. The `anon` and `service_role` keys are rejected (ISSUER_UNTRUSTED). Not checked: whether the user is anonymous
 * (`is_anonymous`, with the same `aud` and `role`), and whether the session has ended.
 * @see https://supabase.com/docs/guides/auth/signing-keys
 * @throws ConfigurationError if an option is missing or invalid
 */
export function supabase(options: SupabaseOptions): IssuerOptions {
  const reader = new PresetReader('supabase', options);
  const reference = "the reference of the project, for example 'abcdefghijklmnopqrst'. For another host, set `url`";
  const url = reader.hasInsteadOf('url', 'projectRef')
    ? reader.url('url', 'https://api.example.com', /\/auth\/v1$/)
    : `https://${reader.text('projectRef', reference, /^[a-z0-9]+$/)}.supabase.co`;
  const audience = reader.optionalTexts('audience', "`aud` of the tokens, for example 'authenticated'");
  const claim = "a claim that users cannot change (not in user_metadata), for example 'app_metadata.roles'";
  const rolesClaim = reader.optionalText('rolesClaim', claim, /^(?!user_metadata\b)/);
  const issuer = `${url}/auth/v1`;
  return reader.finishWith({
    issuer,
    audience: audience ?? 'authenticated',
    keys: { from: 'jwks', uri: `${issuer}/.well-known/jwks.json` },
    claimPaths: { scopes: [], roles: ['role', ...(rolesClaim === undefined ? [] : [rolesClaim])] },
  });
}

export const supabaseProvider: Provider<SupabaseOptions> = {
  name: 'supabase',
  label: 'Supabase',
  configure: supabase,
  recognize: (issuer) => matchIssuer(/^(?<url>https:\/\/[\w-]+\.supabase\.co)\/auth\/v1\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<url>https?:\/\/.+)\/auth\/v1$/, issuer),
  exampleIssuer: 'https://your-project.supabase.co/auth/v1',
  variables: { url: 'SUPABASE_URL', audience: 'AUTH_AUDIENCE' },
  comments: { audience: 'The audience of signed-in users.' },
  audience: { example: 'authenticated', usual: () => 'authenticated' },
  checksOnlyAudience: true,
  alternativeIssuers: ({ origin, hostname }) => (hostname.endsWith('.supabase.co') ? [`${origin}/auth/v1`] : []),
  advice: {
    ALGORITHM_NOT_ALLOWED:
      'Migrate the project from the legacy JWT secret to an asymmetric signing key (Project Settings → JWT Keys).',
  },
};
