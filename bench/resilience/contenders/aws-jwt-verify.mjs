// The Express example of its README: every error is answered with 403.
import { Agent } from 'node:http';
import { startExpress } from '../express-app.mjs';
import { loadPeer } from '../../peers.mjs';

const { JwtVerifier } = loadPeer('aws-jwt-verify');
const { SimpleFetcher } = loadPeer('aws-jwt-verify/https');
const { SimpleJwksCache, SimplePenaltyBox } = loadPeer('aws-jwt-verify/jwk');

export function start({ issuer, jwksUri, audience, cooldownMs }) {
  // The default fetcher supports only https. An http agent enables http and keeps the default timeouts and retries.
  const fetcher = new SimpleFetcher({ defaultRequestOptions: { agent: new Agent() } });
  const penaltyBox = new SimplePenaltyBox(cooldownMs && { waitSeconds: cooldownMs / 1000 });
  const jwksCache = new SimpleJwksCache({ fetcher, penaltyBox });
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri }, { jwksCache });
  return startExpress(async (request, response, next) => {
    try {
      await verifier.verify((request.header('authorization') ?? '').replace(/^Bearer /, ''));
    } catch {
      return response.status(403).json({ statusCode: 403, message: 'Forbidden' });
    }
    next();
  });
}
