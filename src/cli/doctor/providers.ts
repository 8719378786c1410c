import type { IssuerOptions } from '../../options/options.js';
import { auth0 } from '../../presets/auth0.js';
import { clerk } from '../../presets/clerk.js';
import { cognito } from '../../presets/cognito.js';
import { entraId } from '../../presets/entra-id.js';
import { firebase } from '../../presets/firebase.js';
import { github } from '../../presets/github.js';
import { google } from '../../presets/google.js';
import { keycloak } from '../../presets/keycloak.js';
import { logto } from '../../presets/logto.js';
import { okta } from '../../presets/okta.js';
import { supabase } from '../../presets/supabase.js';
import { zitadel } from '../../presets/zitadel.js';

export type PresetName =
  | 'auth0'
  | 'clerk'
  | 'cognito'
  | 'entraId'
  | 'firebase'
  | 'github'
  | 'google'
  | 'keycloak'
  | 'logto'
  | 'okta'
  | 'supabase'
  | 'zitadel';

/** What the user has to fill in: printed so that it is seen, and something of the form that the preset asks for. */
export interface Blank {
  readonly shown: readonly string[];
  readonly example: readonly string[];
}

export interface ProviderRow {
  readonly preset: PresetName;
  readonly make: (given: never) => IssuerOptions | { readonly issuers: readonly IssuerOptions[] };
  readonly issuer: RegExp;
  /** What the preset is given that stands in the issuer's name, by the groups of the expression. */
  readonly place: (
    groups: Readonly<Record<string, string | undefined>>,
  ) => Readonly<Record<string, string | undefined>>;
  /** How the preset calls the audience; undefined where it takes none. Default `audience`. */
  readonly audienceParameter?: string | undefined;
  /** Where its tokens name whom they are for. Default `aud`. */
  readonly audienceClaim?: string;
  /** An audience of the form that the preset asks for. Default any text. */
  readonly exampleAudience?: string;
  /** What tokens name unless somebody set something else; the preset knows it. */
  readonly usualAudience?: (groups: Readonly<Record<string, string | undefined>>) => string | undefined;
  readonly blanks?: Readonly<Record<string, Blank>>;
  /** Anyone can get a token for any audience there: nothing but the preset is ever printed. */
  readonly isOpenToAnyone?: true;
}

const GUID = '[\\da-f]{8}-(?:[\\da-f]{4}-){3}[\\da-f]{12}';

/** Only names that are clear by themselves: a server behind a domain of its own may be any. */
export const PROVIDERS: readonly ProviderRow[] = [
  {
    preset: 'auth0',
    make: auth0,
    issuer: /^https:\/\/(?<domain>[\w.-]+\.auth0\.com)\/$/,
    place: ({ domain }) => ({ domain }),
  },
  {
    preset: 'keycloak',
    make: keycloak,
    issuer: /^(?<url>https?:\/\/[^?#]+)\/realms\/(?<realm>[^/?#%]+)$/,
    place: ({ url, realm }) => ({ url, realm }),
  },
  ...(
    [
      [`https://login\\.microsoftonline\\.com/(?<tenantId>${GUID})/v2\\.0`, undefined],
      // Of version 1.0: Azure Government has the same name there as the rest of the world.
      [`https://sts\\.windows\\.net/(?<tenantId>${GUID})/`, undefined],
      [`https://login\\.microsoftonline\\.us/(?<tenantId>${GUID})/v2\\.0`, 'us-government'],
      [`https://login\\.partner\\.microsoftonline\\.cn/(?<tenantId>${GUID})/v2\\.0`, 'china'],
      [`https://sts\\.chinacloudapi\\.cn/(?<tenantId>${GUID})/`, 'china'],
    ] as const
  ).map(([issuer, cloud]): ProviderRow => ({
    preset: 'entraId',
    make: entraId,
    issuer: new RegExp(`^${issuer}$`),
    place: ({ tenantId }) => ({ tenantId, cloud }),
    exampleAudience: '00000000-0000-0000-0000-000000000000',
  })),
  ...(['original', 'updated'] as const).map((type): ProviderRow => ({
    preset: 'cognito',
    make: cognito,
    audienceParameter: 'clientId',
    audienceClaim: 'client_id',
    issuer: new RegExp(
      `^https://${type === 'updated' ? 'issuer-' : ''}cognito-idp\\.(?<region>[\\w-]+)\\.amazonaws\\.com/(?<userPoolId>[\\w-]+)$`,
    ),
    place: ({ region, userPoolId }) => ({
      region,
      userPoolId,
      issuerType: type === 'updated' ? type : undefined,
    }),
  })),
  {
    preset: 'okta',
    make: okta,
    issuer: /^https:\/\/(?<domain>[\w-]+\.okta(?:preview|-emea)?\.com)\/oauth2\/(?<server>[a-zA-Z0-9]+)$/,
    place: ({ domain, server }) => ({ domain, authorizationServerId: server === 'default' ? undefined : server }),
  },
  {
    preset: 'google',
    make: google,
    // Tokens of users may name it without the scheme.
    issuer: /^(?:https:\/\/)?accounts\.google\.com\/?$/,
    place: () => ({}),
    blanks: { emails: { shown: ['<the service account that may call>'], example: ['a@example.com'] } },
    isOpenToAnyone: true,
  },
  {
    preset: 'firebase',
    make: firebase,
    audienceParameter: undefined,
    issuer: /^https:\/\/securetoken\.google\.com\/(?<projectId>[\w-]+)$/,
    place: ({ projectId }) => ({ projectId }),
    usualAudience: ({ projectId }) => projectId,
  },
  {
    preset: 'zitadel',
    make: zitadel,
    issuer: /^https:\/\/(?<domain>[\w.-]+\.zitadel\.cloud)$/,
    place: ({ domain }) => ({ domain }),
    exampleAudience: '1',
  },
  {
    preset: 'supabase',
    make: supabase,
    issuer: /^(?<url>https:\/\/(?<projectRef>[\w-]+)\.supabase\.co)\/auth\/v1$/,
    // A vanity name is no reference.
    place: ({ projectRef = '', url }) => (/^[a-z0-9]+$/.test(projectRef) ? { projectRef } : { url }),
    usualAudience: () => 'authenticated',
  },
  {
    preset: 'clerk',
    make: clerk,
    audienceParameter: 'authorizedParties',
    audienceClaim: 'azp',
    exampleAudience: 'https://example.com',
    issuer: /^(?<frontendApiUrl>https:\/\/[\w.-]+\.clerk\.accounts\.dev)$/,
    place: ({ frontendApiUrl }) => ({ frontendApiUrl }),
  },
  {
    preset: 'logto',
    make: logto,
    audienceParameter: 'resource',
    issuer: /^https:\/\/(?<tenant>[\w-]+)\.logto\.app\/oidc$/,
    place: ({ tenant }) => ({ tenant }),
  },
  {
    preset: 'github',
    make: github,
    // An enterprise may have a path of its own there, or a host at ghe.com.
    issuer: /^(?<issuer>https:\/\/token\.actions\.(?:githubusercontent\.com(?:\/[\w-]+)?|[\w-]+\.ghe\.com))\/?$/,
    place: ({ issuer }) => ({ issuer: issuer === GITHUB ? undefined : issuer }),
    blanks: { repositories: { shown: ['<owner>/<repository>'], example: ['owner/repository'] } },
    isOpenToAnyone: true,
  },
];

const GITHUB = 'https://token.actions.githubusercontent.com';
