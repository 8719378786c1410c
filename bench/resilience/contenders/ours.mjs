import { AuthModule, FileKeyStore } from 'nestjs-resource-server';
import { startNest } from '../nest-app.mjs';

export function start({ issuer, audience, lifeMs, staleMs, cooldownMs, keyStore }) {
  const auth = AuthModule.forRoot({
    issuer,
    audience,
    keys: {
      from: 'discovery',
      refreshSeconds: seconds(lifeMs),
      maxStaleSeconds: seconds(staleMs),
      unknownKidCooldownSeconds: seconds(cooldownMs),
    },
    keyStore: keyStore && new FileKeyStore(keyStore),
  });
  return startNest({ imports: [auth] });
}

function seconds(ms) {
  return ms && ms / 1000;
}
