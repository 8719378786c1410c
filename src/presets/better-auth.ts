import type { IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { matchIssuer, type Provider } from './provider.js';

export interface BetterAuthOptions {
  /** `baseURL` (BETTER_AUTH_URL) of the application that runs Better Auth, `'https://app.example.com'`. */
  readonly baseUrl: string;
  /** `jwt.audience` of its jwt plugin. Default: its origin, as there. */
  readonly audience?: string | readonly string[];
  /** `jwt.issuer` of its jwt plugin. Default: its origin, as there. */
  readonly issuer?: string;
  /** `basePath` there, where `baseUrl` has no path. Default `'/api/auth'`. */
  readonly basePath?: string;
}

/**
 * Tokens of Better Auth's jwt plugin, from `/token` or the header `set-auth-jwt`.
 *
 * - Issuer and audience are the base URL by default, keys are at `/api/auth/jwks`, without any metadata; the algorithm is EdDSA
 *   (https://better-auth.com/docs/plugins/jwt). Of a base URL with a path only the origin counts as issuer and audience.
 * - For another key pair say so beside it: `{ ...betterAuth({ … }), algorithms: ['ES256'] }`. Ed448 is not understood.
 * - The whole user is in the token; `role` is that of the admin plugin, one role as it stands there (`'admin,editor'` is one name).
 *
 * Since the audience is by default the application itself, a token is as good here as there: set `jwt.audience` to tell services
 * apart. Not covered: session cookies, and access tokens of the OAuth provider plugin. Not checked: whether the session was ended.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function betterAuth(options: BetterAuthOptions): IssuerOptions {
  const given = new PresetArguments('betterAuth', options, ['baseUrl', 'audience', 'issuer', 'basePath']);
  const baseUrl = given.address('baseUrl', 'https://app.example.com');
  const audience = given.optionalTexts('audience', '`jwt.audience` of the plugin');
  const issuer = given.optionalText('issuer', '`jwt.issuer` of the plugin');
  const basePath = given.optionalText('basePath', "the path of Better Auth, '/api/auth' say");
  const origin = baseUrl === '' ? '' : new URL(baseUrl).origin;
  if (basePath !== undefined) {
    if (!/^(?:\/[\w.~-]+)+$/.test(basePath))
      given.problem('basePath', "must be a path without a slash behind it, '/api/auth' say");
    if (baseUrl !== origin) given.problem('basePath', 'has no effect, since `baseUrl` has a path: put it there');
  }
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
    {
      name: 'AUTH_AUDIENCE',
      parameter: 'audience',
      from: 'audience',
      comment: '`jwt.audience` of the jwt plugin. Default: the base URL of the application that runs Better Auth.',
    },
  ],
  advice: {
    AUDIENCE_MISMATCH: 'Set `jwt.audience` of the jwt plugin to this API.',
    ALGORITHM_NOT_ALLOWED:
      'If the jwt plugin has another `keyPairConfig` than EdDSA, set `algorithms` to its algorithm.',
  },
};
