/**
 * The options of issuers of known providers.
 * @module nestjs-resource-server/presets
 */

export { adfs, type AdfsOptions } from './presets/adfs.js';
export { auth0, type Auth0Options } from './presets/auth0.js';
export { awsAlb, type AwsAlbOptions } from './presets/aws-alb.js';
export { authentik, type AuthentikOptions } from './presets/authentik.js';
export { betterAuth, type BetterAuthOptions } from './presets/better-auth.js';
export { clerk, type ClerkOptions } from './presets/clerk.js';
export { cloudflareAccess, type CloudflareAccessOptions } from './presets/cloudflare-access.js';
export { cognito, type CognitoOptions } from './presets/cognito.js';
export { dex, type DexOptions } from './presets/dex.js';
export { type EntraCloud, entraId, type EntraIdOptions, type EntraIdTenantsOptions } from './presets/entra-id.js';
export { firebase, type FirebaseOptions } from './presets/firebase.js';
export { fromEnv, requiredEnv } from './presets/from-env.js';
export { github, type GithubOptions } from './presets/github.js';
export { gitlab, type GitlabOptions } from './presets/gitlab.js';
export { google, type GoogleOptions } from './presets/google.js';
export { googleIap, type GoogleIapOptions } from './presets/google-iap.js';
export { keycloak, type KeycloakOptions } from './presets/keycloak.js';
export { kinde, type KindeOptions } from './presets/kinde.js';
export { kubernetes, type KubernetesOptions } from './presets/kubernetes.js';
export { logto, type LogtoOptions } from './presets/logto.js';
export { okta, type OktaOptions } from './presets/okta.js';
export { ory, type OryOptions } from './presets/ory.js';
export { supabase, type SupabaseOptions } from './presets/supabase.js';
export { workosConnect, type WorkosConnectOptions } from './presets/workos-connect.js';
export { workos, type WorkosOptions } from './presets/workos.js';
export { zitadel, type ZitadelOptions } from './presets/zitadel.js';
