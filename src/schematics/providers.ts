import type * as presets from '../presets.js';

/** A function of `nestjs-resource-server/presets` that returns options. */
export type PresetName = Exclude<keyof typeof presets, 'requiredEnv'>;

/** What an application of a provider reads from its environment, and how. */
export interface ProviderSetup {
  readonly label: string;
  readonly preset: PresetName;
  readonly variables: readonly Variable[];
  /** Arguments of the preset that are no variables. */
  readonly constants: readonly Constant[];
  /** What the preset asks of a token beside what every token has: members of an object, as source text. */
  readonly tokenClaims: readonly string[];
}

/** An environment variable with its value, or an example of it. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** The value is to be replaced. */
  readonly isExample: boolean;
  readonly comment: string | undefined;
  /** The argument of the preset that it becomes. */
  readonly parameter: string;
  /** The preset takes a list; the variable has one of it. */
  readonly isList: boolean;
  /** What the user is asked for it; undefined where it is always an example. */
  readonly option: 'issuer' | 'audience' | undefined;
}

interface Constant {
  readonly parameter: string;
  readonly value: string;
}

interface Parameter {
  readonly name: string;
  readonly variable: string;
  readonly comment?: string;
  /** Where the value comes from: the part of the issuer that has the parameter's name, the audience, or an example. */
  readonly from: 'issuer' | 'audience' | { readonly example: string };
  readonly isList?: boolean;
  /** What stands in our example is what most applications have: it need not be replaced. */
  readonly isUsual?: boolean;
  /** What the preset takes for what stands in the issuer. */
  readonly read?: (part: string) => string;
}

interface Provider {
  readonly label: string;
  readonly preset: PresetName;
  /** An issuer as the provider spells it. */
  readonly issuer: string;
  /** An audience as the provider spells it. */
  readonly audience: string;
  /** Its groups are named as the preset's parameters. */
  readonly issuerParts: RegExp;
  readonly parameters: readonly Parameter[];
  /** What the preset must be told for some issuers. */
  readonly constants?: readonly (Constant & { readonly for: RegExp })[];
  readonly tokenClaims?: readonly string[];
}

const API = 'https://api.example.com';
const GUID = '00000000-0000-0000-0000-000000000000';

function part(name: string, variable: string, more: Pick<Parameter, 'isUsual' | 'read'> = {}): Parameter {
  return { name, variable, from: 'issuer', ...more };
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
      part('realm', 'KEYCLOAK_REALM', { read: decoded }),
      audience('What an audience mapper in a client scope adds to the tokens.'),
    ],
  },
  entraId: {
    label: 'Microsoft Entra ID',
    preset: 'entraId',
    issuer: `https://login.microsoftonline.com/${GUID}/v2.0`,
    audience: GUID,
    issuerParts:
      /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|sts\.chinacloudapi\.cn)\/(?<tenantId>[^/]+)(?:\/v2\.0)?$/,
    parameters: [
      part('tenantId', 'ENTRA_TENANT_ID', { read: (tenant) => tenant.toLowerCase() }),
      audience("The client id of the API's registration."),
    ],
    // sts.windows.net is Azure Government's, too; its tenants are told apart by the issuer of version 2.0 only.
    constants: [
      { parameter: 'cloud', value: 'us-government', for: /^https:\/\/login\.microsoftonline\.us\// },
      {
        parameter: 'cloud',
        value: 'china',
        for: /^https:\/\/(?:sts\.chinacloudapi|login\.partner\.microsoftonline)\.cn\//,
      },
    ],
    tokenClaims: ['tid: process.env.ENTRA_TENANT_ID', "appid: 'test-client'"],
  },
  cognito: {
    label: 'Amazon Cognito',
    preset: 'cognito',
    issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
    audience: 'your-app-client-id',
    issuerParts: /^https:\/\/(?:issuer-)?cognito-idp\.(?<region>[a-z0-9-]+)\.amazonaws\.com\/(?<userPoolId>[\w-]+)$/,
    parameters: [
      part('region', 'COGNITO_REGION'),
      part('userPoolId', 'COGNITO_USER_POOL_ID'),
      audience('The app client: access tokens have no `aud`, and name that.', 'clientId', 'COGNITO_CLIENT_ID'),
    ],
    constants: [{ parameter: 'issuerType', value: 'updated', for: /^https:\/\/issuer-/ }],
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
      part('authorizationServerId', 'OKTA_AUTHORIZATION_SERVER_ID', { isUsual: true }),
      { ...audience('The audience of the authorization server.'), isUsual: true },
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
    parameters: [
      part('url', 'SUPABASE_URL'),
      { ...audience('What the tokens of signed-in users name.'), isUsual: true },
    ],
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
      part('issuer', 'AUTH_ISSUER', { isUsual: true }),
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

// They are written into sources and into .env.example.
const UNSAFE = /["'`\\$\r\n]/;

/**
 * How the application is set up for a provider. An issuer or audience that was not given is an example to be replaced. An issuer may
 * lack its `https://`, or have a slash too many, where the preset writes it itself.
 *
 * @throws Error when there is no such provider, or the issuer is not one of it
 */
export function setupOf(name: string, issuer: string | undefined, audienceGiven: string | undefined): ProviderSetup {
  const provider = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  if (provider === undefined) {
    throw new Error(`--provider must be one of ${Object.keys(PROVIDERS).join(', ')}; got ${JSON.stringify(name)}`);
  }
  const spelled = issuer === undefined || provider.preset === 'fromEnv' ? issuer : spelledOut(issuer);
  if (spelled !== undefined && (!/^https?:\/\/\S+$/.test(spelled) || UNSAFE.test(spelled))) {
    throw new Error(`--issuer must be an address with https://; got ${JSON.stringify(issuer)}`);
  }
  if (audienceGiven !== undefined && (/\s/.test(audienceGiven) || UNSAFE.test(audienceGiven))) {
    throw new Error(`--audience must have no spaces and no quotes; got ${JSON.stringify(audienceGiven)}`);
  }
  const found = provider.issuerParts.exec(spelled ?? provider.issuer);
  if (found === null) {
    throw new Error(
      `--issuer=${issuer ?? ''} is no issuer of ${provider.label}, which look like ${provider.issuer}; take --provider=other if it is right`,
    );
  }
  const { preset, label, constants = [], tokenClaims = [] } = provider;
  const variables = provider.parameters.map((parameter) =>
    variableOf(parameter, provider, found, spelled, audienceGiven),
  );
  const unsafe = variables.find(({ value }) => UNSAFE.test(value));
  if (unsafe !== undefined) {
    throw new Error(`--issuer has ${JSON.stringify(unsafe.value)} in it, which cannot be written into a source.`);
  }
  return {
    label,
    preset,
    variables,
    constants: constants.filter((constant) => constant.for.test(found[0])),
    tokenClaims,
  };
}

function variableOf(
  { name, variable, comment, from, isList = false, isUsual = false, read }: Parameter,
  provider: Provider,
  found: RegExpExecArray,
  issuer: string | undefined,
  audienceGiven: string | undefined,
): Variable {
  const common = { name: variable, comment, parameter: name, isList };
  if (from === 'issuer') {
    const part = found.groups?.[name] ?? '';
    const isExample = issuer === undefined && !isUsual;
    return { ...common, value: read?.(part) ?? part, isExample, option: from };
  }
  if (from === 'audience') {
    const isExample = audienceGiven === undefined && !isUsual;
    return { ...common, value: audienceGiven ?? provider.audience, isExample, option: from };
  }
  return { ...common, value: from.example, isExample: true, option: undefined };
}

function spelledOut(issuer: string): string {
  const withScheme = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:\/|$)/.test(issuer) ? `https://${issuer}` : issuer;
  return withScheme.replace(/\/+$/, '');
}

/** As it stands where that is no encoding of anything: the preset refuses it. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
