import type { AccessTokenClaims } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import type { IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { type OwnCheck, withOwnCheck } from './preset-checks.js';
import { matchIssuer, type Provider } from './provider.js';

export interface FirebaseOptions extends OwnCheck {
  /** The id of the project, `'my-project-1a2b3'`: its `aud`. Not its number and not its name. */
  readonly projectId: string;
  /** The custom claim in which your backend sets roles. Default `'roles'`. */
  readonly rolesClaim?: string;
}

/**
 * ID tokens of Firebase Authentication, which clients send to their own backend: Firebase has no access tokens for it.
 *
 * - `iss` is `https://securetoken.google.com/{projectId}`, `aud` the project's id, the algorithm RS256; `sub` must not be empty, and
 *   `auth_time` must be in the past
 *   (https://firebase.google.com/docs/auth/admin/verify-id-tokens#verify_id_tokens_using_a_third-party_jwt_library).
 * - That page names the keys as X.509 certificates, which cannot be read here. The same keys are published as a JSON Web Key Set at
 *   `…/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com`, which is the `jwks_uri` of the issuer's own metadata,
 *   `https://securetoken.google.com/{projectId}/.well-known/openid-configuration`.
 *
 * Not checked: whether the user was disabled or the session revoked (that takes a call to Firebase), whether the address in
 * `email` is verified, which tenant of Identity Platform the user is of (`firebase.tenant`), and how he signed in
 * (`firebase.sign_in_provider`; `anonymous` is one). Session cookies have another issuer; tokens of the emulator have no signature.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function firebase(options: FirebaseOptions): IssuerOptions {
  const given = new PresetArguments('firebase', options, ['projectId', 'rolesClaim', 'validate']);
  const projectId = given.text('projectId', "the id of the project, 'my-project-1a2b3' say");
  const rolesClaim = given.optionalText('rolesClaim', "a custom claim, 'roles' say") ?? 'roles';
  const validate = given.optionalFunction('validate') as FirebaseOptions['validate'];
  if (/^\d+$/.test(projectId)) {
    given.problem('projectId', "is the project's number; tokens name its id, 'my-project-1a2b3' say");
  } else if (projectId !== '' && !/^[a-z][a-z0-9-]*[a-z0-9]$/.test(projectId)) {
    given.problem('projectId', "must be the project's id alone: small letters, digits and hyphens");
  }
  given.finish();
  return {
    issuer: `https://securetoken.google.com/${projectId}`,
    audience: projectId,
    keys: {
      from: 'jwks',
      uri: 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
    },
    algorithms: ['RS256'],
    requiredClaims: ['sub', 'iat', 'auth_time'],
    claimPaths: { scopes: [], roles: [[rolesClaim]] },
    ...withOwnCheck(checkUser, validate, ['sub', 'iat', 'auth_time']),
  };
}

function checkUser({ sub, iat, auth_time: authTime }: AccessTokenClaims): void {
  if (sub === '') throw new AuthError('CLAIM_INVALID', { claim: 'sub', expected: 'the id of a user' });
  // `iat` is in the past: that was checked with the module's clock.
  if (typeof authTime !== 'number' || iat === undefined || !(authTime <= iat))
    throw new AuthError('CLAIM_INVALID', { claim: 'auth_time', expected: 'a time before iat' });
}

export const firebaseProvider: Provider<FirebaseOptions> = {
  name: 'firebase',
  label: 'Firebase',
  configure: firebase,
  recognize: (issuer) => matchIssuer(/^https:\/\/securetoken\.google\.com\/(?<projectId>[\w-]+)\/?$/i, issuer),
  exampleIssuer: 'https://securetoken.google.com/your-project-id',
  // The project's id is the audience, too.
  audience: { claim: 'aud', example: 'your-project-id', usual: ({ projectId }) => projectId },
  environment: [{ name: 'FIREBASE_PROJECT_ID', parameter: 'projectId', from: 'issuer' }],
  exampleClaims: { auth_time: 1 },
  checksMoreThanAudience: true,
  advice: {
    ALGORITHM_NOT_ALLOWED: 'Tokens of the Firebase emulator have no signature. Send a token of the project.',
  },
};
