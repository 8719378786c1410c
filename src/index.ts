/**
 * The module, the guard, the strategy, decorators, errors and services.
 * @module nestjs-resource-server
 */

export type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from './model/access-token.js';
export type { SignatureAlgorithm } from './keys/algorithms.js';
export {
  AuthError,
  type AuthErrorCode,
  type AuthErrorDetail,
  ConfigurationError,
  type ConfigurationProblem,
  ERRORS,
} from './model/errors.js';
export type { IssuerKeyHealth } from './keys/key-source.js';
export type { KeyStore, StoredKeys } from './keys/key-store.js';
export type { ReportedRefusal } from './access/reported-refusals.js';
export { ReportedRefusals } from './access/reported-refusals.js';
export { AuthGuard } from './nest/auth.guard.js';
export { authHook } from './nest/auth-hook.js';
export { AuthMiddleware } from './nest/auth.middleware.js';
export type { AccessPolicy, AuthOptions, PolicyReference, RequireOptions, TokenReader } from './nest/auth-options.js';
export { AuthenticatedGateway } from './nest/sockets/authenticated-gateway.js';
export { SocketAuthenticator } from './nest/sockets/socket-authenticator.js';
export {
  allOf,
  anyOf,
  not,
  RequireAcr,
  RequireAnyPermission,
  RequireAnyRole,
  RequireAnyScope,
  RequireAuthorizationDetails,
  type RequirementDecorator,
  type RequirementOptions,
  RequirePermissions,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from './nest/routes/requirement.decorators.js';
export { type AdmittedEvent, type AuthEvent, AuthEvents, type RefusedEvent } from './nest/auth-events.js';
export type { ReportedRequirement, ReportedRoute, RouteReport } from './nest/routes/route-report.js';
export { openRoutes, routeReport } from './nest/routes/route-reporter.js';
export {
  fromBearerHeader,
  fromCookie,
  fromFormBody,
  fromHeader,
  fromQuery,
  type TokenPlace,
} from './options/token-places.js';
export type { AuthorizationDetail } from './model/requirement.js';
export { AuthModule } from './nest/auth.module.js';
export type { AuthModuleExtras, AuthOptionsCreator } from './nest/auth.module-definition.js';
export {
  AccessToken,
  CurrentUser,
  OptionalAuth,
  type ParameterDecoratorFor,
  Public,
  Resource,
} from './nest/decorators.js';
export { JwtStrategy } from './nest/jwt.strategy.js';
export { KeyHealth, type KeyHealthResult } from './nest/key-health.js';
export type { Register, RegisteredUser } from './options/options.js';
export type {
  CheckOptions,
  ClaimPath,
  ClaimPaths,
  ConnectionOptions,
  GrantedAuthorities,
  IssuerOptions,
  IssuerResolver,
  JsonWebKey,
  KeysOptions,
  ModuleOptions,
  RemoteKeyOptions,
  ReportableCheck,
  PathResourceOptions,
  RequestHeaders,
  ResourceOptions,
  ScopeImplications,
  ScopeImplier,
  UnnamedIssuerOptions,
} from './options/options.js';
export { FileKeyStore } from './store/file-key-store.js';
export type { ExplainedCheck, Explanation } from './token/explain.js';
export { AccessTokenVerifier, type VerificationContext } from './token/access-token-verifier.js';
