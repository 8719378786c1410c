import { AuthModule } from 'nestjs-resource-server';
import { startNest } from '../nest-app.mjs';

export function start({ platform, issuer, audience, jwk, tokenCache }) {
  const keys = { from: 'static', jwks: { keys: [jwk] } };
  return startNest(platform, {
    imports: [AuthModule.forRoot({ issuer, audience, keys, ...(tokenCache && { tokenCache }) })],
  });
}
