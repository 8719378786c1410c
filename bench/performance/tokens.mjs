// Creates keys, and tokens with the claims of a typical large issuer.
import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';

export const ISSUER = 'https://issuer.example.com/';
export const AUDIENCE = 'https://api.example.com';

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = (namedCurve) => () => generateKeyPairSync('ec', { namedCurve });
const ieee = { dsaEncoding: 'ieee-p1363' };

export const ALGORITHMS = {
  RS256: { hash: 'sha256', options: {}, keys: rsa },
  PS256: { hash: 'sha256', options: { padding: 6, saltLength: -1 }, keys: rsa },
  ES256: { hash: 'sha256', options: ieee, keys: ec('P-256') },
  ES384: { hash: 'sha384', options: ieee, keys: ec('P-384') },
  EdDSA: { hash: null, options: {}, keys: () => generateKeyPairSync('ed25519') },
};

/** Creates a key pair and the JWK of the public key. */
export function newKey(algorithm, kid = 'bench') {
  const { privateKey, publicKey } = ALGORITHMS[algorithm].keys();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  return { algorithm, kid, privateKey, publicKey, jwk };
}

/** Returns claims of about 700 bytes. */
export function claimsOf(issuer = ISSUER, more = {}) {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    sub: `auth0|${randomUUID()}`,
    aud: [AUDIENCE, 'https://issuer.example.com/userinfo'],
    iat: now,
    exp: now + 3600,
    jti: randomUUID(),
    azp: 'q1w2e3r4t5z6u7i8o9p0',
    scope: 'openid profile email read:orders write:orders',
    permissions: ['read:orders', 'write:orders', 'read:invoices', 'write:invoices', 'admin:users'],
    'https://example.com/tenant': { id: randomUUID(), name: 'A tenant', plan: 'enterprise' },
    ...more,
  };
}

/** Creates a token and `floor`, the minimum work to verify it: the signature and parsing the claims. */
export function newToken({ algorithm, kid, privateKey, publicKey }, claims = claimsOf()) {
  const { hash, options } = ALGORITHMS[algorithm];
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const payload = JSON.stringify(claims);
  const header = encode({ alg: algorithm, typ: 'at+jwt', kid });
  const input = Buffer.from(`${header}.${Buffer.from(payload).toString('base64url')}`);
  const signature = sign(hash, input, { key: privateKey, ...options });
  // A flat string, like a header from the network. Concatenation would create a rope that V8 flattens on first use.
  const token = Buffer.from(`${input.toString()}.${signature.toString('base64url')}`).toString('latin1');
  return {
    token,
    /** Loads the token into the processor cache, where a header is after the HTTP parser has read it. */
    touch: () => token.indexOf('\0') + payload.indexOf('\0') + input.indexOf(0) + signature.indexOf(0),
    floor: () => {
      if (!verify(hash, input, { key: publicKey, ...options }, signature)) throw new Error('The signature is invalid');
      return JSON.parse(payload);
    },
  };
}

export function newTokens(key, count, claims = () => claimsOf()) {
  return Array.from({ length: count }, () => newToken(key, claims()));
}
