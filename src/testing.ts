export { AuthTestingModule } from './testing/auth-testing.module.js';
export { mockAuth, type MockAuthOptions } from './testing/mock-auth.js';
export type { MockCaller } from './testing/mock-caller.js';
export { TestIssuer, type TestIssuerOptions } from './testing/test-issuer.js';
export type { TokenRequest } from './testing/test-token.js';
export { withTestIssuer } from './testing/with-test-issuer.js';
