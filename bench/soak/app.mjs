// The guarded application. Runs in a separate process, so that the load generator does not affect its memory and delays.
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
// Calls the decorators as functions, because this file is not compiled.
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

  /** Returns the maximum delay since the last call, without the garbage collection of this function. */
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

  /** Closes the application but does not exit. The process must exit because no work is left. */
  async stop() {
    clearInterval(healthTimer);
    loopDelay.disable();
    await app.close();
    process.off('disconnect', quit);
    return {};
  },
};

function tellHealth() {
  // Reads the clock first, so that the key set never appears newer than it is.
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
// Ctrl-C reaches the whole process group. The parent stops this process.
process.on('SIGINT', () => undefined);
process.on('message', ({ command, argument }) => {
  COMMANDS[command](argument).then(
    (result) => process.send({ command, result }),
    (error) => process.send({ command, error: String(error?.stack ?? error) }),
  );
});
