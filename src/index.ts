export type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from './access-token.js';
export type { SignatureAlgorithm } from './algorithms.js';
export {
  AuthError,
  type AuthErrorCode,
  type AuthErrorDetail,
  ConfigurationError,
  type ConfigurationProblem,
  ERRORS,
} from './errors.js';
export type { IssuerKeyHealth } from './keys/key-health.js';
export type { KeyStore, StoredKeys } from './keys/key-store.js';
export { AuthGuard } from './nest/auth.guard.js';
export { AuthModule } from './nest/auth.module.js';
export type { AuthOptionsCreator } from './nest/auth.module-definition.js';
export { AccessToken, CurrentUser, OptionalAuth, type ParameterDecoratorFor, Public } from './nest/decorators.js';
export { JwtStrategy } from './nest/jwt.strategy.js';
export { KeyHealth } from './nest/key-health.js';
export { KeyHealthIndicator, type KeyHealthResult } from './nest/key-health.indicator.js';
export type { Register, RegisteredUser } from './registered-user.js';
export type {
  AuthModuleExtras,
  AuthOptions,
  CheckOptions,
  ClaimPath,
  ClaimPaths,
  IssuerOptions,
  IssuerResolver,
  JsonWebKey,
  KeysOptions,
  ModuleOptions,
  RemoteKeyOptions,
} from './options/options.js';
export { FileKeyStore } from './store/file-key-store.js';
export { AccessTokenVerifier } from './token/verify.js';
