/**
 * Security requirements for OpenAPI documents, and the Authorize button of Swagger UI.
 * @module nestjs-resource-server/swagger
 */

export { authorizeButton, type AuthorizeButton, type AuthorizeButtonOptions } from './swagger/authorize-button.js';
export type {
  BearerScheme,
  DerivedScheme,
  OAuth2Scheme,
  OpenIdConnectScheme,
  SecurityOptions,
} from './swagger/security-scheme.js';
export { withSecurity } from './swagger/with-security.js';
