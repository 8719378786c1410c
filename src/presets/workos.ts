import { isFetchableAddress } from '../model/address.js';
import type { IssuerOptions } from '../options/options.js';
import {
  checkListed,
  checkOptionalAudience,
  PresetReader,
  providerCheck,
  type ValidateOption,
} from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface WorkosOptions extends ValidateOption {
  /** The Client ID of the environment, for example `'client_123456789'`. */
  readonly clientId: string;
  /**
   * The exact `iss` of the tokens. Default `https://api.workos.com/user_management/{clientId}`. Environments from before the middle of 2025 have
   * `'https://api.workos.com'`, and those with a custom Authentication API domain have that domain. If it does not end with the Client ID,
   * the claim `client_id` must be the Client ID.
   */
  readonly issuer?: string;
  /** The required `aud`, if a JWT template sets one. Default: a token with `aud` is rejected. */
  readonly audience?: string | readonly string[];
}

const API = 'https://api.workos.com';

/**
 * Session tokens (access tokens) of WorkOS AuthKit. The roles are `roles` and `role`, the permissions `permissions`, in the organization `org_id`.
 *
 * There is no `aud`, so that `audience` is `null`: the issuer and the keys name the environment. All APIs of an environment accept its
 * tokens. To separate them, set `aud` in a JWT template, and `audience` here.
 *
 * Not supported: access tokens of Connect applications, see `workosConnect()`. Not checked: the organization, impersonation (`act`), and
 * whether the session has ended.
 * @see https://workos.com/docs/reference/authkit/session-tokens
 * @see https://github.com/workos/workos-node/pull/1694 for the issuers
 * @throws ConfigurationError if an option is missing or invalid
 */
export function workos(options: WorkosOptions): IssuerOptions {
  const reader = new PresetReader('workos', options);
  const id = "the Client ID of the environment, for example 'client_123456789'";
  const clientId = reader.text('clientId', id, /^client_\w+$/);
  const meaning = `the exact \`iss\` of the tokens, for example '${API}'`;
  // Whether plain http is allowed is an option of the module, which checks it.
  const given = reader.optionalText('issuer', meaning, (text) =>
    isFetchableAddress(text, true) ? undefined : `Set it to ${meaning}.`,
  );
  const issuer = given === undefined || given === '' ? `${API}/user_management/${clientId}` : given;
  const audience = reader.optionalTexts('audience', '`aud` of the JWT template');
  const namesClient = issuer.endsWith(`/${clientId}`);
  return reader.finishWith({
    issuer,
    audience: audience ?? null,
    keys: { from: 'jwks', uri: `${new URL(issuer).origin}/sso/jwks/${clientId}` },
    algorithms: ['RS256'],
    claimPaths: { scopes: [], roles: ['roles', 'role'], permissions: ['permissions'] },
    ...providerCheck(['sub', 'sid'], reader.validate(), (claims) => {
      checkOptionalAudience(claims, audience);
      if (!namesClient) checkListed(claims, 'client_id', [clientId]);
    }),
  });
}

const CLIENT_ISSUER = /^https:\/\/api\.workos\.com\/user_management\/(?<clientId>client_\w+)\/?$/;
const CUSTOM_ISSUER = /^(?<issuer>https:\/\/[^/]+\/user_management\/(?<clientId>client_\w+))$/;

export const workosProvider: Provider<WorkosOptions> = {
  name: 'workos',
  label: 'WorkOS AuthKit',
  configure: workos,
  recognize: (issuer) =>
    matchIssuer(CLIENT_ISSUER, issuer) ?? matchIssuer(/^(?<issuer>https:\/\/api\.workos\.com)\/?$/i, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(CUSTOM_ISSUER, issuer),
  exampleIssuer: `${API}/user_management/client_123456789`,
  variables: { clientId: 'WORKOS_CLIENT_ID' },
  comments: { clientId: 'The Client ID of the environment.' },
  audience: { parameter: 'clientId', example: 'client_123456789', usual: ({ clientId }) => clientId },
  exampleClaims: ["sid: 'test-session'", 'client_id: process.env.WORKOS_CLIENT_ID'],
  advice: {
    AUDIENCE_MISMATCH: 'A JWT template sets `aud`. If it names this API, set `audience` to it.',
    CLAIM_MISSING: 'Send the access token of an AuthKit session.',
    ISSUER_UNTRUSTED: ({ named }) =>
      named === API || named === `${API}/`
        ? `If the environment is from before the middle of 2025, set issuer: '${named}'.`
        : undefined,
    KEY_UNKNOWN: 'Set `clientId` to the Client ID of the environment that issues the tokens.',
  },
};
