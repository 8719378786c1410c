// What a verification costs beside the cryptography that nobody can do without: of a fresh token, which is verified once,
// and of one that comes again.
// Usage: npm run bench [-- --quick]
import 'reflect-metadata';
import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { AccessTokenVerifier, AuthModule } from 'nestjs-resource-server';

const isQuick = process.argv.includes('--quick');
const WARM_UP_ROUNDS = 60;
const ROUNDS = isQuick ? 9 : 31;
const TOKENS_PER_ROUND = isQuick ? 100 : 300;

const ISSUER = 'https://issuer.example.com/';
const AUDIENCE = 'https://api.example.com';

const ALGORITHMS = {
  RS256: { hash: 'sha256', options: {}, keys: () => generateKeyPairSync('rsa', { modulusLength: 2048 }) },
  PS256: {
    hash: 'sha256',
    options: { padding: 6, saltLength: -1 },
    keys: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  },
  ES256: {
    hash: 'sha256',
    options: { dsaEncoding: 'ieee-p1363' },
    keys: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  },
  EdDSA: { hash: null, options: {}, keys: () => generateKeyPairSync('ed25519') },
};

/** Claims as an access token of a large issuer has them, about 700 bytes. */
function claims() {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    sub: `auth0|${randomUUID()}`,
    aud: [AUDIENCE, 'https://issuer.example.com/userinfo'],
    iat: now,
    exp: now + 3600,
    jti: randomUUID(),
    azp: 'q1w2e3r4t5z6u7i8o9p0',
    scope: 'openid profile email read:orders write:orders',
    permissions: ['read:orders', 'write:orders', 'read:invoices', 'write:invoices', 'admin:users'],
    'https://example.com/tenant': { id: randomUUID(), name: 'A tenant', plan: 'enterprise' },
  };
}

function prepare(algorithm, { hash, options }, { privateKey, publicKey }, count) {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const header = encode({ alg: algorithm, typ: 'at+jwt', kid: 'bench' });
  return Array.from({ length: count }, () => {
    const payload = JSON.stringify(claims());
    const input = Buffer.from(`${header}.${Buffer.from(payload).toString('base64url')}`);
    const signature = sign(hash, input, { key: privateKey, ...options });
    return {
      // As a header comes from the network: one flat string, not one that is still to be put together.
      token: Buffer.from(`${input.toString()}.${signature.toString('base64url')}`).toString('latin1'),
      floor: () => {
        if (!verify(hash, input, { key: publicKey, ...options }, signature)) throw new Error('not valid');
        return JSON.parse(payload);
      },
    };
  });
}

async function microsecondsEach(items, run) {
  const start = process.hrtime.bigint();
  for (const item of items) await run(item);
  return Number(process.hrtime.bigint() - start) / 1000 / items.length;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function verifierFor(publicKey) {
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench' }] };
  const module = AuthModule.forRoot({ issuer: ISSUER, audience: AUDIENCE, keys: { from: 'static', jwks } });
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  return { verifier: app.get(AccessTokenVerifier), close: () => app.close() };
}

async function measure(algorithm, row) {
  const keys = row.keys();
  const { verifier, close } = await verifierFor(keys.publicKey);
  const times = { floor: [], ours: [], again: [] };
  // Until both are compiled: the same few tokens will do for that.
  const warmUp = prepare(algorithm, row, keys, 50);
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    await microsecondsEach(warmUp, ({ floor }) => floor());
    await microsecondsEach(warmUp, ({ token }) => verifier.verify(token));
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const items = prepare(algorithm, row, keys, TOKENS_PER_ROUND);
    const floor = () => microsecondsEach(items, ({ floor }) => floor());
    const ours = () => microsecondsEach(items, ({ token }) => verifier.verify(token));
    // In turn, so that a machine that changes its speed changes it for both.
    const order = round % 2 === 0 ? ['floor', 'ours'] : ['ours', 'floor'];
    for (const name of order) times[name].push(await (name === 'floor' ? floor() : ours()));
    // From the third time on a token is remembered.
    await ours();
    times.again.push(await ours());
  }
  await close();
  const ratio = (name) => median(times[name].map((time, round) => time / times.floor[round]));
  const medians = { floor: median(times.floor), ours: median(times.ours), again: median(times.again) };
  return { ...medians, ratio: ratio('ours'), ratioAgain: ratio('again') };
}

console.log(`Verification of a token, µs each, medians of ${ROUNDS} rounds of ${TOKENS_PER_ROUND} tokens`);
console.log('floor: crypto.verify and JSON.parse of the payload, with everything split and decoded beforehand\n');
console.log('| algorithm | floor | fresh | ratio | again | ratio |\n|---|---|---|---|---|---|');
for (const [algorithm, row] of Object.entries(ALGORITHMS)) {
  const { floor, ours, ratio, again, ratioAgain } = await measure(algorithm, row);
  const cells = [
    floor.toFixed(1),
    ours.toFixed(1),
    `${ratio.toFixed(2)}×`,
    again.toFixed(1),
    `${ratioAgain.toFixed(2)}×`,
  ];
  console.log(`| ${algorithm} | ${cells.join(' | ')} |`);
}
