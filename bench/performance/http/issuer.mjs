// An issuer on loopback: its keys for those who fetch them, and its tokens.
import { createServer } from 'node:http';
import { claimsOf, newKey, newToken, newTokens } from '../tokens.mjs';

/** Where Keycloak has its issuers: one of the contenders takes no other, and the rest do not care. */
const PATH = '/realms/bench';

export class Issuer {
  /** How often it was asked for something. */
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

  /** Good for all contenders alike, and all of one length: whatever else is done, the same headers are parsed. */
  newTokens(count) {
    return newTokens(this.#key, count, () => this.#claims()).map(({ token }) => token);
  }

  /** Names our key, and is signed by another one. */
  strangersToken() {
    const stranger = newKey(this.#key.algorithm, this.#key.kid);
    return newToken(stranger, this.#claims()).token;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #claims() {
    // As Keycloak has it.
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
