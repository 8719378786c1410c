// The setup of most tutorials: passport-jwt with the key provider of jwks-rsa.
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { loadPeer } from './peers.mjs';

const { ExtractJwt, Strategy } = loadPeer('passport-jwt');
const { passportJwtSecret } = loadPeer('jwks-rsa');

/**
 * @param more additional options of the key provider.
 * @returns the module metadata.
 */
export function recipe({ issuer, jwksUri, audience, more = {} }) {
  class JwtStrategy extends PassportStrategy(Strategy) {
    constructor() {
      super({
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKeyProvider: passportJwtSecret({
          cache: true,
          rateLimit: true,
          jwksRequestsPerMinute: 5,
          jwksUri,
          ...more,
        }),
        issuer,
        audience,
        algorithms: ['RS256'],
      });
    }

    validate(payload) {
      return payload;
    }
  }
  return {
    imports: [PassportModule],
    providers: [JwtStrategy, { provide: APP_GUARD, useClass: AuthGuard('jwt') }],
  };
}
