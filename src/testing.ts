export { AuthTestingModule } from './testing/auth-testing.module.js';
export { mockAuth, type MockCaller } from './testing/mock-auth.js';
export { TestIssuer, type TestIssuerOptions, type TokenRequest } from './testing/test-issuer.js';
export { withTestIssuer } from './testing/with-test-issuer.js';
