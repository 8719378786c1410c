import type { IssuerOptions } from '../options/options.js';
import { PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface AdfsOptions extends ValidateOption {
  /** The host of AD FS (the Federation Service name) in the spelling of `iss`, for example `'sts.contoso.com'`. */
  readonly host: string;
  /**
   * `aud` of the tokens: the identifier of the Web API in its application group. If that is not a URL, AD FS writes a prefix before it:
   * `'microsoft:identityserver:{identifier}'`.
   */
  readonly audience: string | readonly string[];
  /** The claim in which your issuance transform rules write groups or roles. Default `'group'`. */
  readonly rolesClaim?: string;
  /**
   * `access_token_issuer` in the metadata (`https://{host}/adfs/.well-known/openid-configuration`), if the Federation Service identifier was
   * changed. Default `'http://{host}/adfs/services/trust'`.
   */
  readonly issuer?: string;
}

/**
 * Access tokens of AD FS in Windows Server 2016 and later. `iss` is `http://{host}/adfs/services/trust`, a name that is never fetched: keys
 * are at `https://{host}/adfs/discovery/keys`. Scopes are in `scp`.
 *
 * - ID tokens have another issuer, `https://{host}/adfs` (ISSUER_UNTRUSTED). They can have all other claims of access tokens.
 * - `appid`, the client, is required.
 *
 * `audience` must not be `urn:microsoft:userinfo`, the default of requests without a resource. Not supported: step-up by `maxAgeSeconds`,
 * because `auth_time` is a text. Not checked: the client and how the user signed in (`authmethod`).
 * @see https://learn.microsoft.com/windows-server/identity/ad-fs/development/ad-fs-openid-connect-oauth-concepts
 * @see https://learn.microsoft.com/openspecs/windows_protocols/ms-oidce/f629647a-4825-465b-80bb-32c7e9cec2c8
 * @throws ConfigurationError if an option is missing or invalid
 */
export function adfs(options: AdfsOptions): IssuerOptions {
  const reader = new PresetReader('adfs', options);
  const name = "the host of AD FS without scheme and slash, for example 'sts.contoso.com'";
  // Not in lower case, because AD FS keeps the spelling in `iss`.
  const host = reader.text('host', name, /^(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}$/i);
  const meaning = "`aud` of the tokens, for example 'https://api.example.com' or 'microsoft:identityserver:orders'";
  const audience = reader.texts('audience', meaning, (each) =>
    isCommonAudience(each)
      ? 'Tokens for any API can have this audience. Set it to the identifier of your Web API.'
      : undefined,
  );
  const rolesClaim = reader.optionalText('rolesClaim', "a claim, for example 'role'") ?? 'group';
  const own = 'access_token_issuer of the metadata. Issuers of ID tokens end with /adfs';
  const issuer = reader.optionalText('issuer', own, /^(?!.*\/adfs\/?$)/i) ?? `http://${host}/adfs/services/trust`;
  return reader.finishWith({
    issuer,
    audience,
    keys: { from: 'jwks', uri: `https://${host}/adfs/discovery/keys` },
    algorithms: ['RS256'],
    claimPaths: { scopes: ['scp'], roles: [[rolesClaim]] },
    ...providerCheck(['appid'], reader.validate()),
  });
}

function isCommonAudience(audience: string): boolean {
  return audience.toLowerCase() === 'urn:microsoft:userinfo';
}

const ISSUER = /^https?:\/\/(?<host>[^/:?#@]+)\/adfs(?:\/services\/trust)?\/?$/i;

export const adfsProvider: Provider<AdfsOptions> = {
  name: 'adfs',
  label: 'AD FS',
  configure: adfs,
  // Also the issuer of ID tokens, which is that of the metadata.
  recognize: (issuer) => matchIssuer(ISSUER, issuer),
  exampleIssuer: 'http://sts.your-company.com/adfs/services/trust',
  variables: { host: 'ADFS_HOST', audience: 'AUTH_AUDIENCE' },
  comments: { audience: '`aud` of the tokens: the identifier of the Web API in AD FS.' },
  audience: { example: 'https://api.example.com', isCommon: isCommonAudience },
  exampleClaims: ["appid: 'test-client'"],
  advice: {
    AUDIENCE_MISMATCH:
      'Send the identifier of the Web API as the parameter `resource`. If it is not a URL, configure microsoft:identityserver:<identifier>.',
    ISSUER_UNTRUSTED: ({ issuer, named = '' }) => {
      if (matchIssuer(ISSUER, issuer)?.host !== matchIssuer(ISSUER, named)?.host) return undefined;
      return /\/adfs\/?$/i.test(named)
        ? 'This is the issuer of ID tokens. Send `access_token` of the token response, not `id_token`.'
        : 'Access tokens have this issuer, and adfs() expects it. The metadata and ID tokens have another one.';
    },
    TOKEN_MALFORMED: 'Send `access_token` of the token response, not `refresh_token`.',
  },
};
