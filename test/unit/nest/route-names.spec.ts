import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { Controller, type ExecutionContext, Get } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { RouteNames } from '../../../src/nest/routes/route-names.js';

@Controller('orders')
class OrdersController {
  @Get(':id')
  one() {
    return {};
  }
}

/** A decorator that wraps handlers gives all of them the same name. */
function Wrapped(): MethodDecorator {
  return (_target, _name, descriptor) => {
    const { value } = descriptor as { value?: unknown };
    const wrapper = function (this: unknown, ...given: unknown[]): unknown {
      return (value as (...parameters: unknown[]) => unknown).apply(this, given);
    };
    Object.assign(descriptor, { value: wrapper });
  };
}

@Controller('shops')
class ShopsController {
  @Get()
  @Wrapped()
  list() {
    return {};
  }

  @Get(':id')
  @Wrapped()
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
