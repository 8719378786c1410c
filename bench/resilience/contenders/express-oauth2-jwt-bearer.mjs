import { startExpress } from '../express-app.mjs';
import { loadPeer } from '../../peers.mjs';

const { auth } = loadPeer('express-oauth2-jwt-bearer');

export function start({ issuer, audience, lifeMs, cooldownMs }) {
  return startExpress(
    auth({
      issuerBaseURL: issuer,
      audience,
      ...(lifeMs && { cacheMaxAge: lifeMs }),
      ...(cooldownMs && { cooldownDuration: cooldownMs }),
    }),
  );
}
