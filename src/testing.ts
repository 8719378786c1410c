/**
 * A test issuer and a mock of the caller, for tests.
 * @module nestjs-resource-server/testing
 */

export { mockAuth, type MockAuthOptions, type MockCaller } from './testing/mock-auth.js';
export { TestIssuer, type TestIssuerOptions } from './testing/test-issuer.js';
export type { TokenRequest } from './testing/test-token.js';
export { AuthTestingModule, withTestIssuer } from './testing/with-test-issuer.js';
