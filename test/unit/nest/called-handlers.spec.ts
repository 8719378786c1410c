import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { Controller, Get, type Type } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { Test } from '@nestjs/testing';
import { Measured } from '../../support/decorated-class.js';
import { CalledHandlers } from '../../../src/nest/routes/called-handlers.js';
import { HandlerDiscovery } from '../../../src/nest/routes/handler-discovery.js';

@Controller('orders')
class OrdersController {
  @Get(':id')
  one() {
    return {};
  }
}

@Controller('shops')
class ShopsController {
  @Get()
  @Measured()
  list() {
    return {};
  }

  @Get(':id')
  @Measured()
  one() {
    return {};
  }
}

async function routesOf(controller: Type) {
  const module = await Test.createTestingModule({ controllers: [controller] }).compile();
  const handlers = new CalledHandlers();
  const discovery = new HandlerDiscovery(module.get(ModulesContainer), module.get(ApplicationConfig));
  handlers.register(discovery.all({ http: true }));
  await module.close();
  return (type: Type, handler: unknown) =>
    handlers.routeOf(new ExecutionContextHost([{}], type, handler as () => void));
}

it('distinguishes handlers to which a decorator gave the same name', async () => {
  const routeOf = await routesOf(ShopsController);
  const methods = ['list', 'one'].map((name): unknown => Reflect.get(ShopsController.prototype, name));
  expect(methods.map((method) => routeOf(ShopsController, method))).toEqual(['GET /shops', 'GET /shops/:id']);
});

it('finds the route of a handler that instrumentation replaced by a function of the same name', async () => {
  const routeOf = await routesOf(OrdersController);
  const wrapped = Object.defineProperty(() => OrdersController.prototype.one(), 'name', { value: 'one' });
  expect(routeOf(OrdersController, wrapped)).toBe('GET /orders/:id');
  expect(routeOf(ShopsController, wrapped)).toBeUndefined();
  expect(routeOf(OrdersController, () => undefined)).toBeUndefined();
});
