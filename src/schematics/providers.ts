import { type PresetName, PRESETS, recognisedIssuer, type RecognisedIssuer } from '../presets/recognised-issuers.js';

/** What an application of a provider reads from its environment, and how. */
export interface ProviderSetup {
  readonly label: string;
  /** A function of `nestjs-resource-server/presets` that returns options. */
  readonly preset: PresetName | 'fromEnv';
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
  /** What most applications have, and no issuer needs to say: it need not be replaced. */
  readonly usual?: string;
}

interface Provider {
  readonly label: string;
  readonly preset: PresetName | 'fromEnv';
  /** An issuer as the provider spells it. */
  readonly issuer: string;
  /** An audience as the provider spells it. */
  readonly audience: string;
  /** Of servers that are not recognised by their name, where there are such. Its groups are named as the preset's parameters. */
  readonly issuerParts?: RegExp;
  readonly parameters: readonly Parameter[];
  readonly tokenClaims?: readonly string[];
}

const API = 'https://api.example.com';
const GUID = '00000000-0000-0000-0000-000000000000';

function part(name: string, variable: string, more: Pick<Parameter, 'usual'> = {}): Parameter {
  return { name, variable, from: 'issuer', ...more };
}

function audience(comment: string, preset?: PresetName, variable = 'AUTH_AUDIENCE'): Parameter {
  const name = (preset && PRESETS[preset].audienceParameter) ?? 'audience';
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
    parameters: [part('tenantId', 'ENTRA_TENANT_ID'), audience("The client id of the API's registration.")],
    tokenClaims: ['tid: process.env.ENTRA_TENANT_ID', "appid: 'test-client'"],
  },
  cognito: {
    label: 'Amazon Cognito',
    preset: 'cognito',
    issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
    audience: 'your-app-client-id',
    parameters: [
      part('region', 'COGNITO_REGION'),
      part('userPoolId', 'COGNITO_USER_POOL_ID'),
      audience('The app client: access tokens have no `aud`, and name that.', 'cognito', 'COGNITO_CLIENT_ID'),
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
      part('authorizationServerId', 'OKTA_AUTHORIZATION_SERVER_ID', { usual: 'default' }),
      { ...audience('The audience of the authorization server.'), usual: 'api://default' },
    ],
    tokenClaims: ["cid: 'test-client'"],
  },
  google: {
    label: 'Google',
    preset: 'google',
    issuer: 'https://accounts.google.com',
    audience: API,
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
      { ...audience('What the tokens of signed-in users name.'), usual: 'authenticated' },
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
        'clerk',
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
    parameters: [part('endpoint', 'LOGTO_ENDPOINT'), audience('The API Identifier in Logto.', 'logto')],
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
    // GitHub Enterprise Server has a path.
    issuerParts: /^(?<issuer>https:\/\/[^?#]+)$/,
    parameters: [
      part('issuer', 'AUTH_ISSUER', { usual: 'https://token.actions.githubusercontent.com' }),
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
  const parts = partsOf(name, provider, spelled ?? provider.issuer);
  const { preset, label, tokenClaims = [] } = provider;
  const variables = provider.parameters.map((parameter) =>
    variableOf(parameter, provider, parts, spelled, audienceGiven),
  );
  const unsafe = variables.find(({ value }) => UNSAFE.test(value));
  if (unsafe !== undefined) {
    throw new Error(`--issuer has ${JSON.stringify(unsafe.value)} in it, which cannot be written into a source.`);
  }
  const constants = Object.entries(parts)
    .filter(([part]) => preset !== 'fromEnv' && !variables.some(({ parameter }) => parameter === part))
    .map(([parameter, value]) => ({ parameter, value }));
  return { label, preset, variables, constants, tokenClaims };
}

type Parts = RecognisedIssuer['parts'];

function partsOf(name: string, { preset, label, issuer: example, issuerParts }: Provider, issuer: string): Parts {
  const recognised = recognisedIssuer(issuer);
  if (recognised?.preset === preset) return recognised.parts;
  const facts = recognised && PRESETS[recognised.preset];
  if (recognised !== undefined && facts?.checksMore === true) {
    const why =
      facts.isOpenToAnyone === true
        ? 'where anyone can get a token for any audience'
        : 'whose tokens need more checks than those of issuer and audience';
    const own = Object.entries(PROVIDERS).find(([, provider]) => provider.preset === recognised.preset);
    throw new Error(
      `--issuer=${issuer} is an issuer of ${own?.[1].label ?? recognised.preset}, ${why}: take --provider=${own?.[0] ?? recognised.preset}, not ${name}`,
    );
  }
  const found = issuerParts?.exec(issuer);
  if (found == null) {
    throw new Error(
      `--issuer=${issuer} is no issuer of ${label}, which look like ${example}; take --provider=other if it is right`,
    );
  }
  return { ...found.groups };
}

function variableOf(
  { name, variable, comment, from, isList = false, usual }: Parameter,
  provider: Provider,
  parts: Parts,
  issuer: string | undefined,
  audienceGiven: string | undefined,
): Variable {
  const common = { name: variable, comment, parameter: name, isList };
  if (from === 'issuer') {
    const isExample = issuer === undefined && usual === undefined;
    return { ...common, value: parts[name] ?? usual ?? '', isExample, option: from };
  }
  if (from === 'audience') {
    const isExample = audienceGiven === undefined && usual === undefined;
    return { ...common, value: audienceGiven ?? usual ?? provider.audience, isExample, option: from };
  }
  return { ...common, value: from.example, isExample: true, option: undefined };
}

function spelledOut(issuer: string): string {
  const withScheme = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:\/|$)/.test(issuer) ? `https://${issuer}` : issuer;
  return withScheme.replace(/\/+$/, '');
}
