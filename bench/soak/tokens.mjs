import { createHmac, generateKeyPair, randomUUID, sign } from 'node:crypto';
import { promisify } from 'node:util';

export const AUDIENCE = 'https://orders.example.com';

const generate = promisify(generateKeyPair);
const GENERATE = {
  RS256: () => generate('rsa', { modulusLength: 2048 }),
  ES256: () => generate('ec', { namedCurve: 'P-256' }),
};

/** Creates a signing key. Asynchronous, because an RSA key takes a tenth of a second. */
export async function createKey(algorithm, kid) {
  const { publicKey, privateKey } = await GENERATE[algorithm]();
  const named = { kid, alg: algorithm, use: 'sig' };
  return {
    algorithm,
    kid,
    privateKey,
    publicJwk: { ...publicKey.export({ format: 'jwk' }), ...named },
    privateJwk: { ...privateKey.export({ format: 'jwk' }), ...named },
  };
}

/** Signs an access token. `claims` and `header` override the defaults; an undefined member is omitted. */
export function signToken({ algorithm, kid, privateKey }, claims, header = {}) {
  const input = signingInput({ alg: algorithm, typ: 'at+jwt', kid, ...header }, claims);
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** Signs with a symmetric key that is published in the key set, and therefore not secret. */
export function signWithSecret({ kid, k }, claims) {
  const input = signingInput({ alg: 'HS256', typ: 'at+jwt', kid }, claims);
  return `${input}.${createHmac('sha256', Buffer.from(k, 'base64url')).update(input).digest('base64url')}`;
}

export function unsigned(claims) {
  return `${signingInput({ alg: 'none', typ: 'at+jwt' }, claims)}.`;
}

function signingInput(header, claims) {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    aud: AUDIENCE,
    sub: randomUUID(),
    iat: now,
    exp: now + 300,
    jti: randomUUID(),
    scope: 'read',
    ...claims,
  };
  return [header, all].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}
