// As tutorials have it: passport-jwt with the key provider of jwks-rsa.
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { loadPeer } from '../../peers.mjs';
import { startNest } from '../nest-app.mjs';

const { ExtractJwt, Strategy } = loadPeer('passport-jwt');
const { passportJwtSecret } = loadPeer('jwks-rsa');

export function start({ issuer, jwksUri, audience, lifeMs, staleMs }) {
  class JwtStrategy extends PassportStrategy(Strategy) {
    constructor() {
      super({
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKeyProvider: passportJwtSecret({
          cache: true,
          rateLimit: true,
          jwksRequestsPerMinute: 5,
          jwksUri,
          ...(lifeMs && { cacheMaxAge: lifeMs }),
          // No tutorial has it.
          ...(staleMs && { cacheMaxAgeFallback: staleMs - lifeMs }),
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
  return startNest({
    imports: [PassportModule],
    providers: [JwtStrategy, { provide: APP_GUARD, useClass: AuthGuard('jwt') }],
  });
}
