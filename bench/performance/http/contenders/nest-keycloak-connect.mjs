// With the key in its configuration, so that it asks nobody. It names Nest before 11 only, and runs on what we run on.
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
    // To Keycloak the audience is a client, and it is only looked at when that is asked for. All others look at it, too.
    clientId: audience,
    verifyTokenAudience: true,
    bearerOnly: true,
    tokenValidation: TokenValidation.OFFLINE,
  });
  return startNest(platform, { imports: [keycloak], providers: [{ provide: APP_GUARD, useClass: AuthGuard }] });
}
