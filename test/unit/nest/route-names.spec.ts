import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { Controller, type ExecutionContext, Get } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { RouteNames } from '../../../src/nest/route-names.js';

@Controller('orders')
class OrdersController {
  @Get(':id')
  one() {
    return {};
  }
}

it('names a route also where something that measures has put a function of its own in the place of the handler', async () => {
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
