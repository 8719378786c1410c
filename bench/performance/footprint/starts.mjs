// What is started. Nothing is loaded before it is its turn.
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

/** Of the first ones the base is `nest`, of the others `node`. Each is given the one public key that it is to trust. */
export const STARTS = {
  node: () => undefined,
  nest: () => startNest(() => ({})),
  'nestjs-resource-server': ({ jwk }) =>
    startNest(async () => {
      const { AuthModule } = await import('nestjs-resource-server');
      const keys = { from: 'static', jwks: { keys: [jwk] } };
      return { imports: [AuthModule.forRoot({ issuer: ISSUER, audience: AUDIENCE, keys })] };
    }),
  // It fetches its key later, with the first token.
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
