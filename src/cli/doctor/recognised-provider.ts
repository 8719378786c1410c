import { literal } from '../printable.js';

/** The call of one of the functions in `nestjs-resource-server/presets` that knows this issuer. */
export interface PresetCall {
  readonly preset: string;
  /** TypeScript, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Where its tokens name whom they are for; `aud` when undefined. */
  readonly audienceClaim: string | undefined;
}

interface Row {
  readonly preset: string;
  readonly audienceClaim?: string;
  readonly issuer: RegExp;
  /** @param audience as TypeScript. */
  readonly parameters: (found: RegExpExecArray, audience: string) => Record<string, string>;
}

const named = (found: RegExpExecArray, name: string) => literal(found.groups?.[name] ?? '');

/** Only names that are clear by themselves: a server behind a domain of its own may be any. */
const PROVIDERS: readonly Row[] = [
  {
    preset: 'auth0',
    issuer: /^https:\/\/(?<domain>[\w.-]+\.auth0\.com)\/$/,
    parameters: (found, audience) => ({ domain: named(found, 'domain'), audience }),
  },
  {
    preset: 'keycloak',
    issuer: /^(?<url>https?:\/\/[^?#]+)\/realms\/(?<realm>[^/?#%]+)$/,
    parameters: (found, audience) => ({ url: named(found, 'url'), realm: named(found, 'realm'), audience }),
  },
  {
    preset: 'entraId',
    issuer:
      /^https:\/\/(?:login\.microsoftonline\.com\/(?<two>[\da-f-]{36})\/v2\.0|sts\.windows\.net\/(?<one>[\da-f-]{36})\/)$/,
    parameters: (found, audience) => ({
      tenantId: named(found, found.groups?.two === undefined ? 'one' : 'two'),
      audience,
    }),
  },
  {
    preset: 'cognito',
    audienceClaim: 'client_id',
    issuer: /^https:\/\/cognito-idp\.(?<region>[\w-]+)\.amazonaws\.com\/(?<pool>[\w-]+)$/,
    parameters: (found, audience) => ({
      region: named(found, 'region'),
      userPoolId: named(found, 'pool'),
      clientId: audience,
    }),
  },
  {
    preset: 'okta',
    issuer: /^https:\/\/(?<domain>[\w-]+\.okta(?:preview|-emea)?\.com)\/oauth2\/(?<server>[a-zA-Z0-9]+)$/,
    parameters: (found, audience) => ({
      domain: named(found, 'domain'),
      ...(found.groups?.server !== 'default' && { authorizationServerId: named(found, 'server') }),
      audience,
    }),
  },
  {
    preset: 'google',
    issuer: /^https:\/\/accounts\.google\.com$/,
    parameters: (_found, audience) => ({ audience, emails: `[${literal('<the service account that may call>')}]` }),
  },
  {
    preset: 'firebase',
    issuer: /^https:\/\/securetoken\.google\.com\/(?<project>[\w-]+)$/,
    parameters: (found) => ({ projectId: named(found, 'project') }),
  },
  {
    preset: 'zitadel',
    issuer: /^https:\/\/(?<domain>[\w.-]+\.zitadel\.cloud)$/,
    parameters: (found, audience) => ({ domain: named(found, 'domain'), audience }),
  },
  {
    preset: 'supabase',
    issuer: /^https:\/\/(?<project>[\w-]+)\.supabase\.co\/auth\/v1$/,
    parameters: (found) => ({ projectRef: named(found, 'project') }),
  },
  {
    preset: 'clerk',
    audienceClaim: 'azp',
    issuer: /^(?<url>https:\/\/[\w.-]+\.clerk\.accounts\.dev)$/,
    parameters: (found, audience) => ({ frontendApiUrl: named(found, 'url'), authorizedParties: audience }),
  },
  {
    preset: 'logto',
    issuer: /^https:\/\/(?<tenant>[\w-]+)\.logto\.app\/oidc$/,
    parameters: (found, audience) => ({ tenant: named(found, 'tenant'), resource: audience }),
  },
  {
    preset: 'github',
    issuer: /^https:\/\/token\.actions\.githubusercontent\.com$/,
    parameters: (_found, audience) => ({ audience, repositories: `[${literal('<owner>/<repository>')}]` }),
  },
];

/** @param audience as TypeScript. */
export function recognisedProvider(issuer: string, audience: string): PresetCall | undefined {
  for (const { preset, issuer: pattern, parameters, audienceClaim } of PROVIDERS) {
    const found = pattern.exec(issuer);
    if (found !== null) return { preset, parameters: parameters(found, audience), audienceClaim };
  }
  return undefined;
}
