// The application of all Nest contenders.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

const ADAPTERS = { express: ExpressAdapter, fastify: FastifyAdapter };

class OrdersController {
  list() {
    return { ok: true };
  }
}
Controller()(OrdersController);
Get()(OrdersController.prototype, 'list', Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list'));

/** @param metadata the module metadata with the guard. */
export async function startNest(platform, metadata = {}) {
  class AppModule {}
  Module({ ...metadata, controllers: [OrdersController] })(AppModule);
  const app = await NestFactory.create(AppModule, new ADAPTERS[platform](), { logger: false });
  await app.listen(0, '127.0.0.1');
  return app.getHttpServer();
}
