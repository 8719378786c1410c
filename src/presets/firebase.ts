import { AuthError } from '../model/errors.js';
import type { IssuerOptions } from '../options/options.js';
import { PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface FirebaseOptions extends ValidateOption {
  /** The id of the project, for example `'my-project-1a2b3'`. Not its number or name. */
  readonly projectId: string;
  /** The custom claim in which your backend writes roles. Default `'roles'`. */
  readonly rolesClaim?: string;
}

/**
 * ID tokens of Firebase Authentication, which clients send to their own backend. Firebase issues no access tokens for it.
 *
 * `iss` is `https://securetoken.google.com/{projectId}`, `aud` the project's id. `sub` must not be empty, `auth_time` must be in the past.
 *
 * Not supported: session cookies, which have another issuer, and tokens of the emulator, which have no signature. Not checked: whether
 * the user was disabled or the session revoked, whether `email` is verified, the tenant of Identity Platform (`firebase.tenant`) and
 * the sign-in method (`firebase.sign_in_provider`, which can be `anonymous`).
 * @see https://firebase.google.com/docs/auth/admin/verify-id-tokens#verify_id_tokens_using_a_third-party_jwt_library
 * @throws ConfigurationError if an option is missing or invalid
 */
export function firebase(options: FirebaseOptions): IssuerOptions {
  const reader = new PresetReader('firebase', options);
  const meaning = "the id of the project, not its number or name, for example 'my-project-1a2b3'";
  const projectId = reader.text('projectId', meaning, /^[a-z][a-z0-9-]*[a-z0-9]$/);
  const rolesClaim = reader.optionalText('rolesClaim', "a custom claim, for example 'roles'") ?? 'roles';
  return reader.finishWith({
    issuer: `https://securetoken.google.com/${projectId}`,
    audience: projectId,
    keys: {
      from: 'jwks',
      uri: 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
    },
    algorithms: ['RS256'],
    claimPaths: { scopes: [], roles: [[rolesClaim]] },
    ...providerCheck(['sub', 'iat', 'auth_time'], reader.validate(), ({ sub, iat = 0, auth_time: authTime }) => {
      if (sub === '') throw new AuthError('CLAIM_INVALID', { claim: 'sub', expected: 'the id of a user' });
      // `iat` was compared with the module's clock before.
      if (typeof authTime !== 'number' || !(authTime <= iat))
        throw new AuthError('CLAIM_INVALID', { claim: 'auth_time', expected: 'a time before iat' });
    }),
  });
}

export const firebaseProvider: Provider<FirebaseOptions> = {
  name: 'firebase',
  label: 'Firebase',
  configure: firebase,
  recognize: (issuer) => matchIssuer(/^https:\/\/securetoken\.google\.com\/(?<projectId>[\w-]+)\/?$/i, issuer),
  exampleIssuer: 'https://securetoken.google.com/your-project-id',
  variables: { projectId: 'FIREBASE_PROJECT_ID' },
  audience: { parameter: 'projectId', example: 'your-project-id', usual: ({ projectId }) => projectId },
  exampleClaims: ['auth_time: 1'],
  advice: {
    ALGORITHM_NOT_ALLOWED: 'Tokens of the Firebase emulator have no signature. Send a token of the project.',
  },
};
