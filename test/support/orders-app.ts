import type { ModuleMetadata } from '@nestjs/common';
import { AuthModule, type AuthModuleExtras, type AuthOptions } from '../../src/index.js';
import { type Answer, call, type Platform, type RunningApp, startApp } from './app.js';
import { AUDIENCE } from './local-issuer.js';
import type { LocalIssuer } from './local-issuer.js';
import { OrdersController } from './orders.js';

export type OrdersOptions = Partial<AuthOptions & AuthModuleExtras>;

type Given = ModuleMetadata & Parameters<typeof startApp>[2] & { readonly platform?: Platform };

export interface OrdersApp extends RunningApp {
  readonly ask: (headers?: Record<string, string | string[]>, path?: string) => Promise<Answer>;
}

/** Starts the orders API, or other controllers, with `AuthModule` and these options. */
export async function startOrders(
  issuer: LocalIssuer,
  options: OrdersOptions = {},
  { platform = 'express', imports = [], controllers = [OrdersController], providers = [], ...rest }: Given = {},
): Promise<OrdersApp> {
  const auth = AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE, ...options } as AuthOptions);
  const running = await startApp(platform, { imports: [auth, ...imports], controllers, providers }, rest);
  return { ...running, ask: (headers = {}, path = 'orders') => call(`${running.url}/${path}`, headers) };
}

/** The status, with the code of a refusal. */
export function outcomeOf({ status, body }: Answer): string {
  return typeof body.code === 'string' ? `${String(status)} ${body.code}` : String(status);
}
