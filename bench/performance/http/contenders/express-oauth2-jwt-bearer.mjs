import { loadPeer } from '../../../peers.mjs';
import { startExpress } from '../express-app.mjs';

const { auth } = loadPeer('express-oauth2-jwt-bearer');

export function start({ issuer, audience }) {
  return startExpress(auth({ issuerBaseURL: issuer, audience }));
}
