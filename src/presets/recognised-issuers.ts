import type { IssuerOptions, IssuerResolver } from '../options/options.js';
import { auth0 } from './auth0.js';
import { betterAuth } from './better-auth.js';
import { clerk } from './clerk.js';
import { cognito } from './cognito.js';
import { entraId } from './entra-id.js';
import { firebase } from './firebase.js';
import { github } from './github.js';
import { google } from './google.js';
import { keycloak } from './keycloak.js';
import { logto } from './logto.js';
import { okta } from './okta.js';
import { supabase } from './supabase.js';
import { zitadel } from './zitadel.js';

/** A preset of a provider: a function of `nestjs-resource-server/presets`. */
export type PresetName =
  | 'auth0'
  | 'betterAuth'
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

export interface PresetFacts {
  readonly make: (given: never) => IssuerOptions | { readonly issuers: readonly IssuerOptions[] | IssuerResolver };
  /** How the preset calls the audience; undefined where it takes none. */
  readonly audienceParameter: string | undefined;
  /** Where its tokens name whom they are for. */
  readonly audienceClaim: string;
  /** It checks more than issuer and audience, so options of these two only let in what it keeps out. */
  readonly checksMore?: true;
  /** Anyone can get a token for any audience there. */
  readonly isOpenToAnyone?: true;
}

const BY_AUD = { audienceParameter: 'audience', audienceClaim: 'aud' } as const;

export const PRESETS: Readonly<Record<PresetName, PresetFacts>> = {
  auth0: { make: auth0, ...BY_AUD },
  betterAuth: { make: betterAuth, ...BY_AUD },
  clerk: { make: clerk, audienceParameter: 'authorizedParties', audienceClaim: 'azp', checksMore: true },
  cognito: { make: cognito, audienceParameter: 'clientId', audienceClaim: 'client_id', checksMore: true },
  entraId: { make: entraId, ...BY_AUD, checksMore: true },
  firebase: { make: firebase, audienceParameter: undefined, audienceClaim: 'aud', checksMore: true },
  github: { make: github, ...BY_AUD, checksMore: true, isOpenToAnyone: true },
  google: { make: google, ...BY_AUD, checksMore: true, isOpenToAnyone: true },
  keycloak: { make: keycloak, ...BY_AUD },
  logto: { make: logto, audienceParameter: 'resource', audienceClaim: 'aud', checksMore: true },
  okta: { make: okta, ...BY_AUD, checksMore: true },
  supabase: { make: supabase, ...BY_AUD },
  zitadel: { make: zitadel, ...BY_AUD, checksMore: true },
};

/** Whose issuer that is, by its name alone. */
export interface RecognisedIssuer {
  readonly preset: PresetName;
  /** What the preset is given that stands in the name. It may refuse it. */
  readonly parts: Readonly<Record<string, string>>;
  /** What tokens name unless somebody set something else; the preset knows it. */
  readonly usualAudience: string | undefined;
}

type Groups = Readonly<Record<string, string | undefined>>;

interface Row {
  readonly preset: PresetName;
  /** With or without the slash at the end: what the preset makes of it says which is right. */
  readonly issuer: RegExp;
  /** By the groups of the expression. Default: these. */
  readonly parts?: (groups: Groups) => Groups;
  readonly usualAudience?: (groups: Groups) => string | undefined;
}

const ROWS: readonly Row[] = [
  { preset: 'auth0', issuer: /^https:\/\/(?<domain>[\w.-]+\.auth0\.com)\/?$/i },
  {
    preset: 'entraId',
    issuer:
      /^https:\/\/(?<host>login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|sts\.chinacloudapi\.cn)\/(?<tenantId>[^/?#]+)(?:\/v2\.0)?\/?$/i,
    parts: ({ host, tenantId }) => ({ tenantId: tenantId?.toLowerCase(), cloud: cloudOf(host) }),
  },
  {
    preset: 'cognito',
    issuer: /^https:\/\/(?<updated>issuer-)?cognito-idp\.(?<region>[\w-]+)\.amazonaws\.com\/(?<userPoolId>[\w-]+)\/?$/i,
    parts: ({ updated, region, userPoolId }) => ({
      region,
      userPoolId,
      issuerType: updated === undefined ? undefined : 'updated',
    }),
  },
  {
    preset: 'okta',
    issuer: /^https:\/\/(?<domain>[\w-]+\.okta(?:preview|-emea)?\.com)\/oauth2\/(?<server>[a-z0-9]+)\/?$/i,
    parts: ({ domain, server }) => ({ domain, authorizationServerId: server === 'default' ? undefined : server }),
  },
  // Tokens of users may name it without the scheme.
  { preset: 'google', issuer: /^(?:https?:\/\/)?accounts\.google\.com(?::\d+)?(?:[/?#].*)?$/i },
  {
    preset: 'firebase',
    issuer: /^https:\/\/securetoken\.google\.com\/(?<projectId>[\w-]+)\/?$/i,
    usualAudience: ({ projectId }) => projectId,
  },
  { preset: 'zitadel', issuer: /^(?<issuer>https:\/\/[\w.-]+\.zitadel\.cloud)\/?$/i },
  {
    preset: 'supabase',
    issuer: /^(?<url>https:\/\/[\w-]+\.supabase\.co)\/auth\/v1\/?$/i,
    usualAudience: () => 'authenticated',
  },
  { preset: 'clerk', issuer: /^(?<frontendApiUrl>https:\/\/[\w.-]+\.clerk\.accounts\.dev)\/?$/i },
  { preset: 'logto', issuer: /^(?<endpoint>https:\/\/[\w-]+\.logto\.app)\/oidc\/?$/i },
  {
    preset: 'github',
    // An enterprise may have a path of its own there, or a host at ghe.com.
    issuer: /^(?<issuer>https:\/\/token\.actions\.(?:githubusercontent\.com|[\w-]+\.ghe\.com)(?:\/[\w.-]+)*)\/?$/i,
    parts: ({ issuer }) => ({
      issuer: issuer?.toLowerCase() === 'https://token.actions.githubusercontent.com' ? undefined : issuer,
    }),
  },
  // The last: its servers have any name.
  {
    preset: 'keycloak',
    issuer: /^(?<url>https?:\/\/[^?#]+)\/realms\/(?<realm>[^/?#]+)\/?$/,
    parts: ({ url, realm = '' }) => ({ url, realm: decoded(realm) }),
  },
];

/**
 * Only what is clear from the name itself: a server behind a domain of its own may be any.
 *
 * @param issuer in any spelling; whether the preset writes it in this one is not said.
 */
export function recognisedIssuer(issuer: string): RecognisedIssuer | undefined {
  for (const row of ROWS) {
    const found = row.issuer.exec(issuer);
    if (found === null) continue;
    const groups: Groups = found.groups ?? {};
    return {
      preset: row.preset,
      parts: Object.fromEntries(Object.entries(row.parts?.(groups) ?? groups).filter(isGiven)),
      usualAudience: row.usualAudience?.(groups),
    };
  }
  return undefined;
}

function isGiven(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

/** Azure Government has the same name in version 1.0 as the rest of the world. */
function cloudOf(host = ''): string | undefined {
  if (/\.us$/i.test(host)) return 'us-government';
  return /\.cn$/i.test(host) ? 'china' : undefined;
}

/** As it stands where that is no encoding of anything: the preset refuses it. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
