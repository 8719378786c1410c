import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { Controller, type ExecutionContext, Get } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Measured } from '../../support/decorated-class.js';
import { RouteNames } from '../../../src/nest/routes/route-names.js';

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

it('distinguishes handlers to which a decorator gave the same name', async () => {
  const module = await Test.createTestingModule({ controllers: [ShopsController] }).compile();
  const names = new RouteNames(module.get(ModulesContainer), module.get(ApplicationConfig));
  const nameOf = (name: 'list' | 'one') =>
    names.of({
      getClass: () => ShopsController,
      getHandler: () => Reflect.get(ShopsController.prototype, name),
    } as unknown as ExecutionContext);
  expect([nameOf('list'), nameOf('one')]).toEqual(['GET /shops', 'GET /shops/:id']);
  await module.close();
});

it('finds the route of a handler that instrumentation replaced by a function of the same name', async () => {
  const module = await Test.createTestingModule({ controllers: [OrdersController] }).compile();
  const names = new RouteNames(module.get(ModulesContainer), module.get(ApplicationConfig));
  const wrapped = Object.defineProperty(() => OrdersController.prototype.one(), 'name', { value: 'one' });
  const nameOf = (controller: object, handler: object) =>
    names.of({ getClass: () => controller, getHandler: () => handler } as unknown as ExecutionContext);
  expect(nameOf(OrdersController, wrapped)).toBe('GET /orders/:id');
  expect(nameOf(RouteNames, wrapped)).toBeUndefined();
  expect(nameOf(OrdersController, RouteNames)).toBeUndefined();
  await module.close();
});
