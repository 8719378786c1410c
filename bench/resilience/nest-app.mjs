// The application of the Nest contenders.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class OrdersController {
  list() {
    return 'ok';
  }
}
Controller()(OrdersController);
Get()(OrdersController.prototype, 'list', Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list'));

/** @param metadata the module metadata with the guard. */
export async function startNest(metadata) {
  class AppModule {}
  Module({ ...metadata, controllers: [OrdersController] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  return app.getHttpServer();
}
