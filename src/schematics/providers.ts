/** What an application of a provider reads from its environment, and how. */
export interface ProviderSetup {
  /** A function of `nestjs-resource-server/presets`. */
  readonly preset: string;
  /** What it is called with, as source text; none where the preset reads its variables itself. */
  readonly parameters: readonly { readonly name: string; readonly source: string }[];
  readonly variables: readonly Variable[];
  /** What the preset asks of a token beside what every token has: members of an object, as source text. */
  readonly tokenClaims: readonly string[];
}

/** An environment variable with its value, or an example of it. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly comment?: string;
}

interface Parameter {
  readonly name: string;
  readonly variable: string;
  readonly comment?: string;
  /** Where the value comes from: the part of the issuer that has the parameter's name, the audience, or an example. */
  readonly from: 'issuer' | 'audience' | { readonly example: string };
  /** The preset takes a list; the variable has one of it. */
  readonly isList?: boolean;
}

interface Provider {
  readonly label: string;
  readonly preset: string;
  /** An issuer as the provider spells it. */
  readonly issuer: string;
  /** An audience as the provider spells it. */
  readonly audience: string;
  /** Its groups are named as the preset's parameters. */
  readonly issuerParts: RegExp;
  readonly parameters: readonly Parameter[];
  readonly tokenClaims?: readonly string[];
}

const API = 'https://api.example.com';
const GUID = '00000000-0000-0000-0000-000000000000';

function part(name: string, variable: string): Parameter {
  return { name, variable, from: 'issuer' };
}

function audience(comment: string, name = 'audience', variable = 'AUTH_AUDIENCE'): Parameter {
  return { name, variable, comment, from: 'audience' };
}

/** The names that `--provider` takes; schema.json lists them, too. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  auth0: {
    label: 'Auth0',
    preset: 'auth0',
    issuer: 'https://your-tenant.eu.auth0.com/',
    audience: API,
    issuerParts: /^https:\/\/(?<domain>[^/]+)\/?$/,
    parameters: [part('domain', 'AUTH0_DOMAIN'), audience('The Identifier of the API in Auth0.')],
  },
  keycloak: {
    label: 'Keycloak',
    preset: 'keycloak',
    issuer: 'https://keycloak.example.com/realms/your-realm',
    audience: 'your-api',
    issuerParts: /^(?<url>https?:\/\/.+)\/realms\/(?<realm>[^/]+)$/,
    parameters: [
      part('url', 'KEYCLOAK_URL'),
      part('realm', 'KEYCLOAK_REALM'),
      audience('What an audience mapper in a client scope adds to the tokens.'),
    ],
  },
  entraId: {
    label: 'Microsoft Entra ID',
    preset: 'entraId',
    issuer: `https://login.microsoftonline.com/${GUID}/v2.0`,
    audience: GUID,
    issuerParts: /^https:\/\/(?:login\.microsoftonline\.com|sts\.windows\.net)\/(?<tenantId>[^/]+)(?:\/|\/v2\.0)?$/,
    parameters: [part('tenantId', 'ENTRA_TENANT_ID'), audience("The client id of the API's registration.")],
    tokenClaims: ['tid: process.env.ENTRA_TENANT_ID', "appid: 'test-client'"],
  },
  cognito: {
    label: 'Amazon Cognito',
    preset: 'cognito',
    issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
    audience: 'your-app-client-id',
    issuerParts: /^https:\/\/cognito-idp\.(?<region>[a-z0-9-]+)\.amazonaws\.com\/(?<userPoolId>[\w-]+)$/,
    parameters: [
      part('region', 'COGNITO_REGION'),
      part('userPoolId', 'COGNITO_USER_POOL_ID'),
      audience('The app client: access tokens have no `aud`, and name that.', 'clientId', 'COGNITO_CLIENT_ID'),
    ],
    tokenClaims: ["token_use: 'access'"],
  },
  okta: {
    label: 'Okta',
    preset: 'okta',
    issuer: 'https://your-org.okta.com/oauth2/default',
    audience: 'api://default',
    issuerParts: /^https:\/\/(?<domain>[^/]+)\/oauth2\/(?<authorizationServerId>[^/]+)$/,
    parameters: [
      part('domain', 'OKTA_DOMAIN'),
      part('authorizationServerId', 'OKTA_AUTHORIZATION_SERVER_ID'),
      audience('The audience of the authorization server.'),
    ],
    tokenClaims: ["cid: 'test-client'"],
  },
  google: {
    label: 'Google',
    preset: 'google',
    issuer: 'https://accounts.google.com',
    audience: API,
    issuerParts: /^https:\/\/accounts\.google\.com$/,
    parameters: [
      audience('What callers ask the ID token for: the address of this service.'),
      {
        name: 'emails',
        variable: 'GOOGLE_CALLER_EMAIL',
        comment: 'The service account that may call. Anyone can get a token for any audience from Google.',
        from: { example: 'caller@your-project.iam.gserviceaccount.com' },
        isList: true,
      },
    ],
    tokenClaims: ['email: process.env.GOOGLE_CALLER_EMAIL', 'email_verified: true'],
  },
  firebase: {
    label: 'Firebase',
    preset: 'firebase',
    issuer: 'https://securetoken.google.com/your-project-id',
    audience: 'your-project-id',
    issuerParts: /^https:\/\/securetoken\.google\.com\/(?<projectId>[^/]+)$/,
    // The project's id is the audience, too.
    parameters: [part('projectId', 'FIREBASE_PROJECT_ID')],
    tokenClaims: ['auth_time: 1'],
  },
  zitadel: {
    label: 'ZITADEL',
    preset: 'zitadel',
    issuer: 'https://your-instance.zitadel.cloud',
    audience: '69234237810729019',
    issuerParts: /^(?<issuer>https?:\/\/[^/]+)$/,
    parameters: [part('issuer', 'AUTH_ISSUER'), audience('The id of the project, a number.')],
  },
  supabase: {
    label: 'Supabase',
    preset: 'supabase',
    issuer: 'https://your-project.supabase.co/auth/v1',
    audience: 'authenticated',
    issuerParts: /^(?<url>https?:\/\/.+)\/auth\/v1$/,
    parameters: [part('url', 'SUPABASE_URL'), audience('What the tokens of signed-in users name.')],
  },
  clerk: {
    label: 'Clerk',
    preset: 'clerk',
    issuer: 'https://your-instance.clerk.accounts.dev',
    audience: 'https://app.example.com',
    issuerParts: /^(?<frontendApiUrl>https:\/\/[^/]+)$/,
    parameters: [
      part('frontendApiUrl', 'CLERK_FRONTEND_API_URL'),
      audience(
        'The origin of your front end: session tokens have no `aud`, and name that in `azp`.',
        'authorizedParties',
        'CLERK_AUTHORIZED_PARTY',
      ),
    ],
    tokenClaims: ["sid: 'test-session'"],
  },
  logto: {
    label: 'Logto',
    preset: 'logto',
    issuer: 'https://your-tenant.logto.app/oidc',
    audience: API,
    issuerParts: /^(?<endpoint>https?:\/\/.+)\/oidc$/,
    parameters: [part('endpoint', 'LOGTO_ENDPOINT'), audience('The API Identifier in Logto.', 'resource')],
  },
  betterAuth: {
    label: 'Better Auth',
    preset: 'betterAuth',
    issuer: 'https://app.example.com',
    audience: 'https://app.example.com',
    issuerParts: /^(?<baseUrl>https?:\/\/[^/]+)$/,
    parameters: [
      part('baseUrl', 'BETTER_AUTH_URL'),
      audience('`jwt.audience` of the jwt plugin; by default the address of the application that runs Better Auth.'),
    ],
  },
  github: {
    label: 'GitHub Actions',
    preset: 'github',
    issuer: 'https://token.actions.githubusercontent.com',
    audience: API,
    issuerParts: /^(?<issuer>https:\/\/[^/]+)$/,
    parameters: [
      part('issuer', 'AUTH_ISSUER'),
      audience('What workflows ask the token for.'),
      {
        name: 'repositories',
        variable: 'AUTH_GITHUB_REPOSITORY',
        comment: 'Whose workflows may call. Anyone can get a token for any audience from GitHub.',
        from: { example: 'octo-org/octo-repo' },
        isList: true,
      },
    ],
    tokenClaims: ['repository: process.env.AUTH_GITHUB_REPOSITORY', "repository_id: '74'", "repository_owner_id: '65'"],
  },
  other: {
    label: 'the authorization server',
    preset: 'fromEnv',
    issuer: 'https://issuer.example.com',
    audience: API,
    issuerParts: /^(?<issuer>.+)$/,
    parameters: [
      { name: 'issuer', variable: 'AUTH_ISSUER', comment: 'The `iss` of the tokens, to the letter.', from: 'issuer' },
      audience('What tokens for this API name in `aud`.'),
    ],
  },
};

/**
 * How the application is set up for a provider. An issuer or audience that was not given is an example to be replaced.
 *
 * @throws Error when there is no such provider, or the issuer is not one of it
 */
export function setupOf(name: string, issuer: string | undefined, audienceGiven: string | undefined): ProviderSetup {
  const provider = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  if (provider === undefined) {
    throw new Error(`--provider must be one of ${Object.keys(PROVIDERS).join(', ')}; got ${JSON.stringify(name)}`);
  }
  // They are written into sources and into .env.example.
  if (issuer !== undefined && !/^https?:\/\/[^\s"'`\\$]+$/.test(issuer)) {
    throw new Error(`--issuer must be an address with https://; got ${JSON.stringify(issuer)}`);
  }
  if (audienceGiven !== undefined && !/^[^\s"'`\\$]+$/.test(audienceGiven)) {
    throw new Error(`--audience must have no spaces and no quotes; got ${JSON.stringify(audienceGiven)}`);
  }
  const found = provider.issuerParts.exec(issuer ?? provider.issuer);
  if (found === null) {
    throw new Error(
      `--issuer=${issuer ?? ''} is no issuer of ${provider.label}, which look like ${provider.issuer}; take --provider=other if it is right`,
    );
  }

  const variables = provider.parameters.map(({ name: parameter, variable, comment, from }): Variable => {
    const value = from === 'issuer' ? found.groups?.[parameter] : from === 'audience' ? audienceGiven : from.example;
    return { name: variable, value: value ?? provider.audience, comment };
  });
  return {
    preset: provider.preset,
    parameters: provider.preset === 'fromEnv' ? [] : provider.parameters.map(sourceOf),
    variables,
    tokenClaims: provider.tokenClaims ?? [],
  };
}

function sourceOf({ name, variable, isList }: Parameter): { name: string; source: string } {
  // A preset says what is wrong with an empty one, under the parameter's name.
  const value = `process.env.${variable} ?? ''`;
  return { name, source: isList === true ? `[${value}]` : value };
}
