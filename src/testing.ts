export { mockAuth, type MockAuthOptions, type MockCaller } from './testing/mock-auth.js';
export { TestIssuer, type TestIssuerOptions } from './testing/test-issuer.js';
export type { TokenRequest } from './testing/test-token.js';
export { AuthTestingModule, withTestIssuer } from './testing/with-test-issuer.js';
