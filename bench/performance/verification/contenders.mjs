// The contenders, configured as their documentation shows. All of them check issuer and audience. `start` receives a key and
// returns a function that verifies a token and throws or rejects if the token is invalid.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AccessTokenVerifier, AuthModule } from 'nestjs-resource-server';
import { loadPeer } from '../../peers.mjs';
import { AUDIENCE, ISSUER } from '../tokens.mjs';

const jsonwebtoken = loadPeer('jsonwebtoken');
const { createLocalJWKSet, jwtVerify } = loadPeer('jose');
const { createVerifier } = loadPeer('fast-jwt');
const { JwtVerifier } = loadPeer('aws-jwt-verify');
const { ExtractJwt, Strategy } = loadPeer('passport-jwt');
const { passportJwtSecret } = loadPeer('jwks-rsa');

const pem = ({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' });
const withoutEdDsa = ['RS256', 'PS256', 'ES256', 'ES384'];
const withoutPss = ['RS256', 'ES256', 'ES384', 'EdDSA'];

/** `again`: the contender has a token cache and is also measured with repeated tokens. */
export const CONTENDERS = [
  {
    name: 'nestjs-resource-server',
    again: true,
    async start({ jwk }) {
      const module = AuthModule.forRoot({
        issuer: ISSUER,
        audience: AUDIENCE,
        keys: { from: 'static', jwks: { keys: [jwk] } },
      });
      const app = await NestFactory.createApplicationContext(module, { logger: false });
      const verifier = app.get(AccessTokenVerifier);
      return (token) => verifier.verify(token);
    },
  },
  {
    name: 'fast-jwt',
    start: (key) => fastJwt(key, false),
  },
  {
    name: 'fast-jwt with its cache',
    again: true,
    start: (key) => fastJwt(key, 10_000),
  },
  {
    name: 'aws-jwt-verify',
    algorithms: withoutPss,
    start({ jwk }) {
      const jwksUri = `${ISSUER}jwks`;
      const verifier = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri });
      verifier.cacheJwks({ keys: [jwk] });
      return (token) => verifier.verifySync(token);
    },
  },
  {
    name: 'jsonwebtoken',
    algorithms: withoutEdDsa,
    start: ({ algorithm, publicKey }) => {
      const options = { algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE };
      return (token) => jsonwebtoken.verify(token, publicKey, options);
    },
  },
  {
    name: 'jose',
    start({ algorithm, jwk }) {
      const keys = createLocalJWKSet({ keys: [jwk] });
      const options = { algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE };
      return (token) => jwtVerify(token, keys, options);
    },
  },
  {
    name: 'passport-jwt and jwks-rsa',
    algorithms: withoutEdDsa,
    start({ algorithm }, { jwksUri }) {
      const options = {
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKeyProvider: passportJwtSecret({ cache: true, rateLimit: true, jwksRequestsPerMinute: 5, jwksUri }),
        algorithms: [algorithm],
        issuer: ISSUER,
        audience: AUDIENCE,
      };
      const strategy = new Strategy(options, (claims, done) => done(null, claims));
      return (token) =>
        new Promise((resolve, reject) => {
          // passport creates such an object for each request.
          const attempt = Object.assign(Object.create(strategy), { success: resolve, fail: reject, error: reject });
          attempt.authenticate({ headers: { authorization: `Bearer ${token}` } });
        });
    },
  },
];

function fastJwt({ algorithm, ...key }, cache) {
  return createVerifier({
    key: pem(key),
    algorithms: [algorithm],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    cache,
  });
}
