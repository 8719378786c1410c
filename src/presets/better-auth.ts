import type { IssuerOptions } from '../options/options.js';
import { PresetReader } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface BetterAuthOptions {
  /** `baseURL` (BETTER_AUTH_URL) of the application that runs Better Auth, for example `'https://app.example.com'`. */
  readonly baseUrl: string;
  /** `jwt.audience` of the jwt plugin. Default: the origin of `baseUrl`, as in the plugin. */
  readonly audience?: string | readonly string[];
  /** `jwt.issuer` of the jwt plugin. Default: the origin of `baseUrl`, as in the plugin. */
  readonly issuer?: string;
  /** `basePath` of Better Auth, if `baseUrl` has no path. Default `'/api/auth'`. */
  readonly basePath?: string;
}

/**
 * Tokens of Better Auth's jwt plugin, from `/token` or the header `set-auth-jwt`. `role` of the admin plugin is one role, even if it is a
 * list with commas (`'admin,editor'`).
 *
 * The algorithm is EdDSA. For another one (except Ed448), set it next to the preset: `{ ...betterAuth({ … }), algorithms: ['ES256'] }`.
 * With the default audience, a token for the application is also valid for this API. Set `jwt.audience` to separate services.
 *
 * Not supported: session cookies, and access tokens of the OAuth provider plugin. Not checked: whether the session has ended.
 * @see https://better-auth.com/docs/plugins/jwt
 * @throws ConfigurationError if an option is missing or invalid
 */
export function betterAuth(options: BetterAuthOptions): IssuerOptions {
  const reader = new PresetReader('betterAuth', options);
  const baseUrl = reader.url('baseUrl', 'https://app.example.com');
  const audience = reader.optionalTexts('audience', '`jwt.audience` of the plugin');
  const issuer = reader.optionalText('issuer', '`jwt.issuer` of the plugin');
  const meaning = "the path of Better Auth without a trailing slash, for example '/api/auth'";
  const basePath = reader.optionalText('basePath', meaning, /^(?:\/[\w.~-]+)+$/);
  const [, origin = '', path] = /^(https?:\/\/[^/]+)(\/.*)?$/.exec(baseUrl) ?? [];
  if (basePath !== undefined && path !== undefined)
    reader.problem('basePath', 'is set beside a `baseUrl` with a path. Write the path there.');
  return reader.finishWith({
    issuer: issuer ?? origin,
    audience: audience ?? origin,
    keys: { from: 'jwks', uri: `${origin}${path ?? basePath ?? '/api/auth'}/jwks` },
    algorithms: ['EdDSA'],
    claimPaths: { scopes: ['scope'], roles: ['role'] },
  });
}

export const betterAuthProvider: Provider<BetterAuthOptions> = {
  name: 'betterAuth',
  label: 'Better Auth',
  configure: betterAuth,
  // Its issuers are origins of applications, so the doctor command never recognizes one, and needs no advice.
  recognize: () => undefined,
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<baseUrl>https?:\/\/[^/]+)$/, issuer),
  exampleIssuer: 'https://app.example.com',
  variables: { baseUrl: 'BETTER_AUTH_URL', audience: 'AUTH_AUDIENCE' },
  comments: { audience: '`jwt.audience` of the jwt plugin. Default there: the base URL of the application.' },
  audience: { example: 'https://app.example.com' },
  checksOnlyAudience: true,
};
