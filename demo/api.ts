import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AuthOptions } from 'nestjs-resource-server';
import { AppModule } from './app.module.js';
import { serveDocs } from './docs.js';
import { freePort } from './free-port.js';

export interface RunningApi {
  readonly app: INestApplication;
  readonly url: string;
}

/** @param canSignIn whether the issuer is the embedded authorization server, which knows the client of Swagger UI. */
export async function startApi(
  { issuer, audience }: { issuer: string; audience: string },
  { canSignIn, port = 0 }: { canSignIn: boolean; port?: number },
): Promise<RunningApi> {
  // The metadata of the MCP server state the address, so it must be known before the API starts.
  const ownPort = port === 0 ? await freePort() : port;
  const url = `http://127.0.0.1:${String(ownPort)}`;
  const options: AuthOptions = {
    issuer,
    audience,
    publicUrl: url,
    resources: { '/mcp': { name: 'Orders for agents' } },
  };
  const app = await NestFactory.create(AppModule.for(options), { logger: ['warn', 'error'] });
  app.enableShutdownHooks();
  serveDocs(app, canSignIn ? { issuer, audience, apiUrl: () => url } : undefined);
  await app.listen(ownPort, '127.0.0.1');
  return { app, url };
}
