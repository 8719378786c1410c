// An issuer on loopback that serves its metadata and key set and signs tokens.
import { createServer } from 'node:http';
import { claimsOf, newKey, newToken, newTokens } from '../tokens.mjs';

/** The path of a Keycloak realm. nest-keycloak-connect requires it; the other contenders accept any path. */
const PATH = '/realms/bench';

export class Issuer {
  /** Number of received requests. */
  calls = 0;
  #key;
  #server;

  static async start(key) {
    const issuer = new Issuer();
    issuer.#key = key;
    issuer.#server = createServer((request, response) => issuer.#answer(request, response));
    await new Promise((resolve, reject) => {
      issuer.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return issuer;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}${PATH}`;
  }

  get jwksUri() {
    return `${this.url}/jwks`;
  }

  /** Creates tokens that all contenders accept. They have the same length, so that header parsing costs the same. */
  newTokens(count) {
    return newTokens(this.#key, count, () => this.#claims()).map(({ token }) => token);
  }

  /** Returns a token with the kid of the published key and a signature of another key. */
  strangersToken() {
    const stranger = newKey(this.#key.algorithm, this.#key.kid);
    return newToken(stranger, this.#claims()).token;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #claims() {
    // Keycloak sets this claim, and nest-keycloak-connect checks it.
    return claimsOf(this.url, { typ: 'Bearer' });
  }

  #answer({ url }, response) {
    this.calls += 1;
    const documents = {
      [`${PATH}/.well-known/openid-configuration`]: { issuer: this.url, jwks_uri: this.jwksUri },
      [`${PATH}/jwks`]: { keys: [this.#key.jwk] },
    };
    const document = documents[url];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  }
}
