// nest-keycloak-connect with a configured key, so that it sends no requests. Its peer dependency range excludes Nest 11, but
// it runs on the version used here.
import { createPublicKey } from 'node:crypto';
import { APP_GUARD } from '@nestjs/core';
import { loadPeer } from '../../../peers.mjs';
import { startNest } from '../nest-app.mjs';

const { AuthGuard, KeycloakConnectModule, TokenValidation } = loadPeer('nest-keycloak-connect');

export function start({ platform = 'express', issuer, audience, jwk }) {
  const [authServerUrl, realm] = issuer.split('/realms/');
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  const keycloak = KeycloakConnectModule.register({
    authServerUrl,
    realm,
    realmPublicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    // In Keycloak the audience is a client. The audience check is off by default; the other contenders check it too.
    clientId: audience,
    verifyTokenAudience: true,
    bearerOnly: true,
    tokenValidation: TokenValidation.OFFLINE,
  });
  return startNest(platform, { imports: [keycloak], providers: [{ provide: APP_GUARD, useClass: AuthGuard }] });
}
