import type { ExecutionContext, Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { ExternalContextCreator } from '@nestjs/core';
import type { AuthOptions } from '../../../src/index.js';
import { startApp } from '../app.js';
import { Clock } from '../guarded-app.js';
import type { LocalIssuer } from '../local-issuer.js';
import { authModule, type HandlerName, handlerClasses, type TransportDriver } from './handlers.js';

export interface Delivery {
  readonly token?: string;
}

/** Reads the token of a delivery, which is the first argument of a handler. */
export const tokenInDelivery = (context: ExecutionContext) =>
  context.getType<string>() === 'rmq' ? context.getArgByIndex<Delivery | undefined>(0)?.token : undefined;

/** Starts an application with handlers that a library calls as those of RabbitMQ, Telegraf and Discord do. */
export async function startExternal(
  issuer: LocalIssuer,
  providers: Type[],
  options: Partial<AuthOptions> = {},
  app: Parameters<typeof startApp>[2] = {},
) {
  const clock = new Clock();
  const started = await startApp('express', { imports: [authModule(issuer, clock, options)], providers }, app);
  const creator = started.app.get(ExternalContextCreator);
  const parameters = { exchangeKeyForValue: (_type: number, index: unknown, args: unknown[]) => args[Number(index)] };
  /** Calls a handler with these arguments. The library passes the method itself to Nest, or a bound function. */
  const deliver = (
    type: Type,
    name: string,
    args: readonly unknown[],
    transport = 'rmq',
    { isBound = false } = {},
  ): Promise<unknown> => {
    const instance = started.app.get<Record<string, (...args: unknown[]) => unknown>>(type);
    const handler = creator.create(
      instance,
      (isBound ? instance[name]?.bind(instance) : instance[name]) as never,
      name,
      ROUTE_ARGS_METADATA,
      parameters,
      undefined,
      undefined,
      undefined,
      transport,
    );
    return handler(...args);
  };
  return { ...started, clock, deliver };
}

const refusalText = (error: unknown) => (error as { code?: string }).code ?? (error as Error).message;

export const externalDriver = {
  name: 'a library that uses ExternalContextCreator',
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>) {
    const undecorated = () => () => undefined;
    const types = handlerClasses(undecorated, (text) => text);
    const started = await startExternal(issuer, [...types], { tokenFrom: [tokenInDelivery], ...options });
    // Shared by all calls.
    const channel = {};
    return {
      ...started,
      call: async (handler: HandlerName, token?: string) => {
        const [plain, inClass] = types;
        const type = Object.hasOwn(plain.prototype as object, handler) ? plain : inClass;
        const result = started.deliver(type, handler, [{ token }, channel]);
        return String(await result.catch((error: unknown) => refusalText(error)));
      },
    };
  },
} satisfies TransportDriver;
