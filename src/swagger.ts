export { authorizeButton, type AuthorizeButton, type AuthorizeButtonOptions } from './swagger/authorize-button.js';
export type {
  BearerScheme,
  DerivedScheme,
  OAuth2Scheme,
  OpenIdConnectScheme,
  SecurityOptions,
} from './swagger/security-scheme.js';
export { withSecurity } from './swagger/with-security.js';
