import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AccessTokenVerifier, AuthModule } from 'nestjs-resource-server';
import { AUDIENCE, ISSUER } from '../tokens.mjs';

/** A verifier with these options, as an application has it. */
export async function startVerifier(options) {
  const app = await NestFactory.createApplicationContext(AuthModule.forRoot(options), { logger: false });
  return { verifier: app.get(AccessTokenVerifier), close: () => app.close() };
}

/** Of the one issuer, whose one key it is. */
export function startVerifierOf({ jwk }) {
  return startVerifier({ issuer: ISSUER, audience: AUDIENCE, keys: { from: 'static', jwks: { keys: [jwk] } } });
}
