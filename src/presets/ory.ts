import { isFetchableAddress } from '../model/address.js';
import type { IssuerOptions } from '../options/options.js';
import { PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface OryOptions extends ValidateOption {
  /**
   * The issuer, exactly as in `iss` of the tokens: `'https://{slug}.projects.oryapis.com'` or the custom domain of an Ory Network project, or
   * `urls.self.issuer` of Ory Hydra, which can end with a slash.
   */
  readonly issuer: string;
  /** The audience that clients request with the parameter `audience`, for example `'https://api.example.com'`. */
  readonly audience: string | readonly string[];
  /**
   * The custom claim in which your consent application writes roles. It is read in `ext`, and at the top level for
   * `oauth2.allowed_top_level_claims`. Default `'roles'`.
   */
  readonly rolesClaim?: string;
}

/**
 * JWT access tokens of Ory Network (Ory OAuth2) and Ory Hydra, which are opaque unless the access token strategy is `jwt`. Scopes are in `scp`
 * or `scope` (`strategies.jwt.scope_claim`). Custom claims are in `ext`.
 *
 * - `client_id` is required: ID tokens have the same issuer and keys, but no client.
 * - A token has no audience (`"aud": []`) unless the client requests one that it may use.
 *
 * Not supported: opaque tokens (`ory_at_…`). Not checked: the client, and whether the token was revoked.
 * @see https://www.ory.com/docs/oauth2-oidc/jwt-access-token
 * @see https://github.com/ory/hydra/blob/master/oauth2/session.go for the claims
 * @throws ConfigurationError if an option is missing or invalid
 */
export function ory(options: OryOptions): IssuerOptions {
  const reader = new PresetReader('ory', options);
  const meaning = "the exact `iss` of the tokens, for example 'https://your-project.projects.oryapis.com'";
  // Whether plain http is allowed is an option of the module, which checks it.
  const issuer = reader.text('issuer', meaning, (text) =>
    isFetchableAddress(text, true) ? undefined : `Set it to ${meaning}.`,
  );
  const audience = reader.texts('audience', "the audience that clients request, for example 'https://api.example.com'");
  const rolesClaim = reader.optionalText('rolesClaim', "a custom claim, for example 'roles'") ?? 'roles';
  return reader.finishWith({
    issuer,
    audience,
    algorithms: ['RS256', 'ES256', 'ES512'],
    claimPaths: { scopes: ['scp', 'scope'], roles: [['ext', rolesClaim], [rolesClaim]] },
    ...providerCheck(['client_id'], reader.validate()),
  });
}

export const oryProvider: Provider<OryOptions> = {
  name: 'ory',
  label: 'Ory',
  configure: ory,
  recognize: (issuer) => matchIssuer(/^(?<issuer>https:\/\/[a-z0-9-]+\.projects\.oryapis\.com)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https?:\/\/[^?#]+)$/, issuer),
  exampleIssuer: 'https://your-project.projects.oryapis.com',
  variables: { issuer: 'AUTH_ISSUER', audience: 'AUTH_AUDIENCE' },
  comments: {
    issuer: 'The exact `iss` of the tokens, with or without a slash at the end.',
    audience: 'The audience that clients request with the parameter `audience`.',
  },
  audience: { example: 'https://api.example.com' },
  exampleClaims: ["client_id: 'test-client'"],
  advice: {
    AUDIENCE_MISMATCH:
      'Add this audience to `audience` of the OAuth2 client, and request it with the parameter `audience`. The consent application must grant it.',
    CLAIM_MISSING: 'Send `access_token` of the token response, not `id_token`.',
    TOKEN_MALFORMED: 'Set the access token strategy of the project or of the OAuth2 client to `jwt`.',
  },
};
