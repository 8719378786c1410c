import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AuthOptions, routeReport } from 'nestjs-resource-server';
import { AppModule } from './app.module.js';
import { AuthorizationServer } from './authorization-server.js';
import { DOCS_CLIENT, serveDocs } from './docs.js';
import { printedCommands } from './printed-commands.js';
import { formatResults, formatRoutes, makeRefusedCalls, makeSampleCalls, type SampleResult } from './sample-calls.js';

const AUDIENCE = 'https://orders.example.com';
const OTHER_AUDIENCE = 'https://invoices.example.com';
const REDIRECT_URI = 'http://127.0.0.1/callback';

async function startApi(
  options: { issuer: string; audience: string },
  { canSignIn }: { canSignIn: boolean },
): Promise<{ app: INestApplication; url: string }> {
  const app = await NestFactory.create(AppModule.for(options as AuthOptions), { logger: ['warn', 'error'] });
  app.enableShutdownHooks();
  let url = '';
  serveDocs(app, canSignIn ? { ...options, apiUrl: () => url } : undefined);
  await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  url = await app.getUrl();
  return { app, url };
}

function addressesOf(url: string): Record<string, string> {
  return {
    'Orders API': `${url}/orders`,
    GraphQL: `${url}/graphql`,
    WebSocket: `${url}/orders (socket.io, namespace orders)`,
    'Swagger UI': `${url}/docs`,
  };
}

function printAddresses(addresses: Record<string, string>): void {
  for (const [name, address] of Object.entries(addresses)) console.log(`${name.padEnd(23)}${address}`);
  console.log('');
}

/** Starts only the API, for the issuer in `AUTH_ISSUER` and `AUTH_AUDIENCE`. */
async function runWithIssuer(issuer: string, audience: string): Promise<number> {
  const { app, url } = await startApi({ issuer, audience }, { canSignIn: false });
  printAddresses({ ...addressesOf(url), Issuer: issuer, Audience: audience });
  console.log(`Call it with your own token:\n\ncurl -i ${url}/orders -H "Authorization: Bearer $TOKEN"\n`);
  return finish(app, await makeRefusedCalls(url, issuer, audience), () => app.close());
}

async function runWithEmbeddedServer(): Promise<number> {
  const server = await AuthorizationServer.start({
    audiences: [AUDIENCE, OTHER_AUDIENCE],
    redirectUri: REDIRECT_URI,
    docs: DOCS_CLIENT,
  });
  const { app, url } = await startApi({ issuer: server.issuer, audience: AUDIENCE }, { canSignIn: true });
  printAddresses({
    ...addressesOf(url),
    'Authorization server': `${server.issuer}/.well-known/openid-configuration`,
    Audience: AUDIENCE,
    Users: 'alice and bob have orders; the sign-in page accepts any name with any password',
  });
  const token = await server.clientCredentialsToken(AUDIENCE);
  for (const { title, command } of printedCommands({ url, issuer: server.issuer, audience: AUDIENCE, token }))
    console.log(`${title}:\n\n${command}\n`);
  const results = await makeSampleCalls(url, server, {
    audience: AUDIENCE,
    otherAudience: OTHER_AUDIENCE,
    redirectUri: REDIRECT_URI,
  });
  return finish(app, results, async () => {
    await app.close();
    await server.stop();
  });
}

/** @returns the exit code: 1 if any result is not the expected one. */
async function finish(
  app: INestApplication,
  results: readonly SampleResult[],
  close: () => Promise<void>,
): Promise<number> {
  console.log(formatResults(results));
  console.log(`\nRoutes (routeReport(app)):\n\n${formatRoutes(routeReport(app))}`);
  if (isOnce) await close();
  else console.log('\nPress Ctrl+C to stop.');
  return results.every(({ isExpected }) => isExpected) ? 0 : 1;
}

const isOnce = process.argv.includes('--once');
const { AUTH_ISSUER = '', AUTH_AUDIENCE = '' } = process.env;

if (AUTH_ISSUER !== '' && AUTH_AUDIENCE !== '') {
  process.exitCode = await runWithIssuer(AUTH_ISSUER, AUTH_AUDIENCE);
} else if (AUTH_ISSUER === '' && AUTH_AUDIENCE === '') {
  process.exitCode = await runWithEmbeddedServer();
} else {
  console.error('Set both AUTH_ISSUER and AUTH_AUDIENCE (the `aud` of the tokens), or neither.');
  process.exitCode = 1;
}
