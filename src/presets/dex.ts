import type { IssuerOptions } from '../options/options.js';
import { PresetReader } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface DexOptions {
  /** The `issuer` in the configuration of Dex, exactly as there, for example `'https://id.example.com/dex'`. */
  readonly issuer: string;
  /**
   * The id of your API as a client of Dex. Other clients get tokens for it with the scope `audience:server:client_id:{id}`, if it lists them
   * in `trustedPeers`. Without that scope, `aud` is the client that requested the token.
   */
  readonly clientId: string | readonly string[];
}

/**
 * Tokens of Dex. Groups (`groups`) are the roles. There are no scopes and permissions.
 *
 * **ID tokens are accepted too**, with a warning at start: access tokens of Dex are ID tokens with another `at_hash`, so nothing tells them
 * apart. List a client in `clientId` only if each holder of its tokens may call this API.
 *
 * Not checked: the client that requested the token (`azp`, only with several audiences) and the connector (`federated_claims`).
 * @see https://dexidp.io/docs/configuration/custom-scopes-claims-clients/
 * @see https://github.com/dexidp/dex/blob/master/server/tokens/issuer.go
 * @throws ConfigurationError if an option is missing or invalid
 */
export function dex(options: DexOptions): IssuerOptions {
  const reader = new PresetReader('dex', options);
  const meaning = "the `issuer` in the configuration of Dex, for example 'https://id.example.com/dex'";
  return reader.finishWith({
    issuer: reader.text('issuer', meaning, /^https?:\/\/[^\s?#@]+$/),
    audience: reader.texts('clientId', 'the id of your API as a client of Dex'),
    // Dex can write `at_hash` for no other algorithm.
    algorithms: ['RS256', 'ES256', 'ES384', 'ES512'],
    idTokens: 'accept',
    claimPaths: { scopes: [], roles: ['groups'], permissions: [] },
  });
}

export const dexProvider: Provider<DexOptions> = {
  name: 'dex',
  label: 'Dex',
  configure: dex,
  // The path in the example configuration of Dex.
  recognize: (issuer) => matchIssuer(/^(?<issuer>https?:\/\/[^/?#@]+\/dex)\/?$/, issuer),
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https?:\/\/[^\s?#@]+)$/, issuer),
  exampleIssuer: 'https://id.example.com/dex',
  variables: { issuer: 'AUTH_ISSUER', clientId: 'DEX_CLIENT_ID' },
  comments: { clientId: 'The id of this API as a client of Dex (`aud`).' },
  audience: { parameter: 'clientId', example: 'your-api' },
  checksOnlyAudience: true,
  alternativeIssuers: ({ origin, pathname }) => (pathname === '/' ? [`${origin}/dex`] : []),
  advice: {
    AUDIENCE_MISMATCH:
      'Request the scope audience:server:client_id:<client id of this API>, and list the requesting client in `trustedPeers` of this client.',
  },
};
