import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AccessTokenVerifier, AuthModule } from 'nestjs-resource-server';
import { AUDIENCE, ISSUER } from '../tokens.mjs';

/** Starts a Nest application context and returns its verifier. */
export async function startVerifier(options) {
  const app = await NestFactory.createApplicationContext(AuthModule.forRoot(options), { logger: false });
  return { verifier: app.get(AccessTokenVerifier), close: () => app.close() };
}

/** Starts a verifier with one issuer and one key. */
export function startVerifierOf({ jwk }) {
  return startVerifier({ issuer: ISSUER, audience: AUDIENCE, keys: { from: 'static', jwks: { keys: [jwk] } } });
}
