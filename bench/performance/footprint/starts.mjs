// The contenders of the start-up measurement. Each one loads its packages only when it starts.
import { loadPeer } from '../../peers.mjs';
import { AUDIENCE, ISSUER } from '../tokens.mjs';

async function startNest(metadata) {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  class AppModule {}
  Module(await metadata())(AppModule);
  await NestFactory.createApplicationContext(AppModule, { logger: false });
}

/** The base of the Nest contenders is `nest`, of the others `node`. Contenders that support it receive the public key. */
export const STARTS = {
  node: () => undefined,
  nest: () => startNest(() => ({})),
  'nestjs-resource-server': ({ jwk }) =>
    startNest(async () => {
      const { AuthModule } = await import('nestjs-resource-server');
      const keys = { from: 'static', jwks: { keys: [jwk] } };
      return { imports: [AuthModule.forRoot({ issuer: ISSUER, audience: AUDIENCE, keys })] };
    }),
  // jwks-rsa fetches the key with the first token, so the start includes no fetch.
  recipe: () =>
    startNest(async () => {
      const { recipe } = await import('../../recipe.mjs');
      return recipe({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}jwks` });
    }),
  'nest-keycloak-connect': ({ der }) =>
    startNest(async () => {
      const { APP_GUARD } = await import('@nestjs/core');
      const { AuthGuard, KeycloakConnectModule, TokenValidation } = loadPeer('nest-keycloak-connect');
      const keycloak = KeycloakConnectModule.register({
        authServerUrl: ISSUER,
        realm: 'bench',
        clientId: AUDIENCE,
        realmPublicKey: der,
        bearerOnly: true,
        tokenValidation: TokenValidation.OFFLINE,
      });
      return { imports: [keycloak], providers: [{ provide: APP_GUARD, useClass: AuthGuard }] };
    }),
  'express-oauth2-jwt-bearer': () => loadPeer('express-oauth2-jwt-bearer'),
  'aws-jwt-verify': () => loadPeer('aws-jwt-verify'),
  'fast-jwt': () => loadPeer('fast-jwt'),
  jose: () => loadPeer('jose'),
  jsonwebtoken: () => loadPeer('jsonwebtoken'),
};
