// An issuer on loopback that counts requests, rotates its keys and simulates failures.
import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';

export const AUDIENCE = 'https://api.example.com';

/** Responses of the key set endpoint. The metadata endpoint always works. */
const ANSWERS = {
  well: (response, body) => json(response, body),
  error: (response) => response.writeHead(503).end(),
  hang: () => undefined,
  drip: (response, body) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
    let sent = 0;
    const drop = () => {
      if (response.destroyed || sent === body.length) return;
      response.write(body.slice(sent, sent + 1));
      sent += 1;
      setTimeout(drop, 1_000).unref();
    };
    drop();
  },
  cut: (response, body) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
    response.write(body.slice(0, body.length / 2), () => response.socket?.destroy());
  },
};

function newKey() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' } };
}

/** Created in advance, because key generation blocks the event loop. */
export const KEYS = Array.from({ length: 8 }, newKey);

export class Issuer {
  calls = 0;
  /** A key of `ANSWERS`. */
  mood = 'well';
  /** Delay of a key set response. */
  delayMs = 0;
  url = '';
  #port = 0;
  #claims;
  #server = createServer((request, response) => {
    this.calls += 1;
    if (request.url === '/.well-known/openid-configuration') {
      json(response, JSON.stringify({ issuer: this.url, jwks_uri: this.jwksUri }));
    } else if (request.url === '/jwks') {
      const body = JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) });
      setTimeout(() => ANSWERS[this.mood](response, body), this.delayMs);
    } else {
      response.writeHead(404).end();
    }
  });

  /** @param keys the published keys. */
  constructor(keys) {
    this.keys = keys;
  }

  get jwksUri() {
    return `${this.url}/jwks`;
  }

  /** Starts the server. After `stop`, it starts again on the same port. */
  async start() {
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = this.#server.address().port;
    this.url = `http://127.0.0.1:${this.#port}`;
  }

  /** Stops the server. New connections are refused. */
  async stop() {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Creates a valid access token. */
  token(key) {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, aud: AUDIENCE, sub: 'alice', iat: now, exp: now + 3600, jti: randomUUID() };
    const input = [{ alg: 'RS256', typ: 'JWT', kid: key.kid }, claims].map(encode).join('.');
    return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`;
  }

  /** Creates a token with the kid of this key and an invalid signature, as any attacker can. */
  forged(key) {
    // Created once: a signature per token would use more CPU time than the measured applications.
    this.#claims ??= this.token(key).split('.')[1];
    return `${encode({ alg: 'RS256', typ: 'JWT', kid: key.kid })}.${this.#claims}.${JUNK_SIGNATURE}`;
  }

  /** Creates a forged token with a random kid. */
  junk() {
    return this.forged({ ...KEYS[0], kid: randomUUID() });
  }
}

const JUNK_SIGNATURE = randomBytes(256).toString('base64url');

function encode(part) {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function json(response, body) {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) }).end(body);
}
