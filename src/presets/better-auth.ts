import type { IssuerOptions } from '../options/options.js';
import { matching, PresetArguments } from './preset-arguments.js';
import { audienceVariable, matchIssuer, type Provider } from './provider.js';

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
 * Tokens of Better Auth's jwt plugin, from `/token` or the header `set-auth-jwt`.
 *
 * - `iss` and `aud` are the origin of the base URL by default. Keys are at `/api/auth/jwks`; there is no metadata.
 * - The algorithm is EdDSA. For another one (except Ed448), set it next to the preset: `{ ...betterAuth({ … }), algorithms: ['ES256'] }`.
 * - `role` of the admin plugin is one role, also if it is a list with commas (`'admin,editor'`).
 *
 * With the default audience, a token for the application is also valid for this API. Set `jwt.audience` to separate services. Not
 * supported: session cookies, and access tokens of the OAuth provider plugin. Not checked: whether the session has ended.
 * @see https://better-auth.com/docs/plugins/jwt
 * @throws ConfigurationError if an option is missing or invalid
 */
export function betterAuth(options: BetterAuthOptions): IssuerOptions {
  const given = new PresetArguments('betterAuth', options);
  const baseUrl = given.url('baseUrl', 'https://app.example.com');
  const audience = given.optionalTexts('audience', '`jwt.audience` of the plugin');
  const issuer = given.optionalText('issuer', '`jwt.issuer` of the plugin');
  const isPath = matching(/^(?:\/[\w.~-]+)+$/, "must be a path without a trailing slash, for example '/api/auth'");
  const basePath = given.optionalText('basePath', "the path of Better Auth, for example '/api/auth'", isPath);
  const origin = baseUrl === '' ? '' : new URL(baseUrl).origin;
  if (basePath !== undefined && baseUrl !== origin)
    given.problem('basePath', 'has no effect, because `baseUrl` has a path. Write the path there');
  given.finish();
  return {
    issuer: issuer ?? origin,
    audience: audience ?? origin,
    keys: { from: 'jwks', uri: `${baseUrl === origin ? `${origin}${basePath ?? '/api/auth'}` : baseUrl}/jwks` },
    algorithms: ['EdDSA'],
    claimPaths: { scopes: ['scope'], roles: ['role'] },
  };
}

export const betterAuthProvider: Provider<BetterAuthOptions> = {
  name: 'betterAuth',
  label: 'Better Auth',
  configure: betterAuth,
  recognize: () => undefined,
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<baseUrl>https?:\/\/[^/]+)$/, issuer),
  exampleIssuer: 'https://app.example.com',
  audience: { parameter: 'audience', claim: 'aud', example: 'https://app.example.com' },
  environment: [
    { name: 'BETTER_AUTH_URL', parameter: 'baseUrl', from: 'issuer' },
    audienceVariable('audience', '`jwt.audience` of the jwt plugin. Default there: the base URL of the application.'),
  ],
  advice: {
    AUDIENCE_MISMATCH: 'Set `jwt.audience` of the jwt plugin to this API.',
    ALGORITHM_NOT_ALLOWED: 'If `keyPairConfig` of the jwt plugin is not EdDSA, set `algorithms` next to the preset.',
  },
};
