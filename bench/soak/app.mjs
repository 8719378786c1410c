// The guarded application, as a process of its own: what it takes is its own, not the load's.
import 'reflect-metadata';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { setImmediate } from 'node:timers/promises';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AuthModule, CurrentUser, KeyHealth } from 'nestjs-resource-server';

const RESOLUTION_MS = 10;
const HEALTH_MS = 50;

class OrdersController {
  list(sub) {
    return { sub };
  }
}
// What decorators do where there is a compiler.
CurrentUser('sub')(OrdersController.prototype, 'list', 0);
Get()(OrdersController.prototype, 'list', Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list'));
Controller('orders')(OrdersController);

class AppModule {
  static with(options) {
    return { module: AppModule, imports: [AuthModule.forRoot(options)], controllers: [OrdersController] };
  }
}
Module({})(AppModule);

const loopDelay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
let app;
let healthTimer;

const COMMANDS = {
  async start(options) {
    app = await NestFactory.create(AppModule.with(options), new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    healthTimer = setInterval(tellHealth, HEALTH_MS);
    loopDelay.enable();
    return { url: await app.getUrl() };
  },

  /** Since the last time; the collection is not part of it. */
  async measure() {
    const loopDelayMs = Math.max(0, loopDelay.max / 1e6 - RESOLUTION_MS);
    globalThis.gc();
    await setImmediate();
    globalThis.gc();
    const { heapUsed } = process.memoryUsage();
    await setImmediate();
    loopDelay.reset();
    return { loopDelayMs, heapUsed };
  },

  /** Nothing ends the process hereafter: it has to have nothing left to do. */
  async stop() {
    clearInterval(healthTimer);
    loopDelay.disable();
    await app.close();
    process.off('disconnect', quit);
    return {};
  },
};

function tellHealth() {
  // Before it is asked: a set is never taken for younger than it is.
  const now = Date.now();
  const health = app.get(KeyHealth).issuers();
  process.send({
    health: health.map(({ issuer, source, ageSeconds = Infinity }) => ({
      issuer,
      source,
      fetchedAt: now - ageSeconds * 1000,
    })),
  });
}

function quit() {
  process.exit(1);
}

process.once('disconnect', quit);
// Ctrl-C goes to the whole group; it is for the parent to end us.
process.on('SIGINT', () => undefined);
process.on('message', ({ command, argument }) => {
  COMMANDS[command](argument).then(
    (result) => process.send({ command, result }),
    (error) => process.send({ command, error: String(error?.stack ?? error) }),
  );
});
