import { adfsProvider } from './adfs.js';
import { auth0Provider } from './auth0.js';
import { awsAlbProvider } from './aws-alb.js';
import { authentikProvider } from './authentik.js';
import { betterAuthProvider } from './better-auth.js';
import { clerkProvider } from './clerk.js';
import { cloudflareAccessProvider } from './cloudflare-access.js';
import { cognitoProvider } from './cognito.js';
import { dexProvider } from './dex.js';
import { entraIdProvider } from './entra-id.js';
import { firebaseProvider } from './firebase.js';
import { githubProvider } from './github.js';
import { googleIapProvider } from './google-iap.js';
import { gitlabProvider } from './gitlab.js';
import { googleProvider } from './google.js';
import { keycloakProvider } from './keycloak.js';
import { kindeProvider } from './kinde.js';
import { kubernetesProvider } from './kubernetes.js';
import { logtoProvider } from './logto.js';
import { oktaProvider } from './okta.js';
import { oryProvider } from './ory.js';
import type { Provider } from './provider.js';
import { supabaseProvider } from './supabase.js';
import { workosConnectProvider } from './workos-connect.js';
import { workosProvider } from './workos.js';
import { zitadelProvider } from './zitadel.js';

/** All supported identity providers, in the order in which `nest add` lists them. */
export const PROVIDERS: readonly Provider[] = [
  auth0Provider,
  keycloakProvider,
  entraIdProvider,
  cognitoProvider,
  oktaProvider,
  googleProvider,
  firebaseProvider,
  zitadelProvider,
  supabaseProvider,
  clerkProvider,
  logtoProvider,
  betterAuthProvider,
  githubProvider,
  cloudflareAccessProvider,
  googleIapProvider,
  authentikProvider,
  oryProvider,
  workosProvider,
  workosConnectProvider,
  kubernetesProvider,
  gitlabProvider,
  dexProvider,
  kindeProvider,
  adfsProvider,
  awsAlbProvider,
];

// They come last: their issuers have any host, and their path can be appended to the issuer of another provider.
const WITH_ANY_HOST: readonly Provider[] = [dexProvider, adfsProvider, authentikProvider, keycloakProvider];
const RECOGNITION_ORDER = [...PROVIDERS.filter((provider) => !WITH_ANY_HOST.includes(provider)), ...WITH_ANY_HOST];

export type RecognizedIssuer = NonNullable<ReturnType<typeof recognizeIssuer>>;

/**
 * Recognizes the provider from the issuer's name. A custom domain is not recognized: it can belong to any provider.
 * @param issuer with or without a trailing slash, in any case. The preset may write it differently.
 */
export function recognizeIssuer(issuer: string) {
  for (const provider of RECOGNITION_ORDER) {
    const parts = provider.recognize(issuer);
    if (parts === undefined) continue;
    const present = Object.entries(parts).filter(([, value]) => value !== undefined);
    return { provider, parts: Object.fromEntries(present), usualAudience: provider.audience.usual?.(parts) };
  }
  return undefined;
}

/** An API that trusts a common audience accepts tokens for every API of the provider. */
export function isCommonAudience(audience: string, issuer?: string): boolean {
  return PROVIDERS.some((provider) => provider.audience.isCommon?.(audience, issuer) === true);
}
