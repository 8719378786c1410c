// A worker of server.mjs: a guarded Nest application on Fastify.
import 'reflect-metadata';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AccessTokenVerifier, AuthModule } from 'nestjs-resource-server';
import { AUDIENCE, ISSUER, newTokens } from '../tokens.mjs';

const LOOP_TOKENS = 200;
/** Verifications between two clock reads, so that reading the clock does not affect the result. */
const BETWEEN_CLOCKS = 50;

class OrdersController {
  list() {
    return { orders: [] };
  }
}
Controller('orders')(OrdersController);
Get()(OrdersController.prototype, 'list', Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list'));

export async function startWorker({ jwk, ...pair }) {
  const options = { issuer: ISSUER, audience: AUDIENCE, keys: { from: 'static', jwks: { keys: [jwk] } } };
  class AppModule {}
  Module({ imports: [AuthModule.forRoot(options)], controllers: [OrdersController] })(AppModule);
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');

  const key = { ...pair, privateKey: createPrivateKey(pair.privateKey), publicKey: createPublicKey(pair.privateKey) };
  const tokens = newTokens(key, LOOP_TOKENS);
  const forgetful = AuthModule.forRoot({ ...options, tokenCache: false });
  const other = await NestFactory.createApplicationContext(forgetful, { logger: false });
  const [known, fresh] = [app.get(AccessTokenVerifier), other.get(AccessTokenVerifier)];
  const kinds = {
    floor: ({ floor }) => floor(),
    fresh: ({ token }) => fresh.verify(token),
    again: ({ token }) => known.verify(token),
  };
  return {
    port: app.getHttpServer().address().port,
    verifyFor: ({ kind, ms }) => loop(tokens, kinds[kind], ms),
  };
}

export function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function loop(tokens, run, ms) {
  const [startedAt, cpuBefore] = [performance.now(), cpuSeconds()];
  let done = 0;
  while (performance.now() - startedAt < ms) {
    for (let index = 0; index < BETWEEN_CLOCKS; index += 1) {
      await run(tokens[done % tokens.length]);
      done += 1;
    }
  }
  const perSecond = (done * 1000) / (performance.now() - startedAt);
  return { done, perSecond, cpuSeconds: cpuSeconds() - cpuBefore };
}
