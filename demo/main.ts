import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { routeReport } from 'nestjs-resource-server';
import { startApi } from './api.js';
import { AuthorizationServer } from './authorization-server.js';
import { DOCS_CLIENT } from './docs.js';
import { makeMcpCalls } from './mcp/mcp-calls.js';
import { printedCommands } from './printed-commands.js';
import { formatResults, formatRoutes, makeRefusedCalls, makeSampleCalls, type SampleResult } from './sample-calls.js';

const AUDIENCE = 'https://orders.example.com';
const OTHER_AUDIENCE = 'https://invoices.example.com';
/** 0: any free port. */
const PORT = Number(process.env.PORT ?? 0);
const REDIRECT_URI = 'http://127.0.0.1/callback';

function addressesOf(url: string): Record<string, string> {
  return {
    'Orders API': `${url}/orders`,
    GraphQL: `${url}/graphql`,
    WebSocket: `${url}/orders (socket.io, namespace orders)`,
    MCP: `${url}/mcp`,
    'Swagger UI': `${url}/docs`,
  };
}

function printAddresses(addresses: Record<string, string>): void {
  for (const [name, address] of Object.entries(addresses)) console.log(`${name.padEnd(23)}${address}`);
  console.log('');
}

/** Starts only the API, for the issuer in `AUTH_ISSUER` and `AUTH_AUDIENCE`. */
async function runWithIssuer(issuer: string, audience: string): Promise<number> {
  const { app, url } = await startApi({ issuer, audience }, { canSignIn: false, port: PORT });
  printAddresses({ ...addressesOf(url), Issuer: issuer, Audience: audience });
  console.log(`Call it with your own token:\n\ncurl -i ${url}/orders -H "Authorization: Bearer $TOKEN"\n`);
  return finish(app, await makeRefusedCalls(url, issuer, audience), () => app.close());
}

async function runWithEmbeddedServer(): Promise<number> {
  const server = await AuthorizationServer.start({
    audiences: [AUDIENCE, OTHER_AUDIENCE],
    redirectUri: REDIRECT_URI,
    docs: DOCS_CLIENT,
    canRegister: true,
  });
  const { app, url } = await startApi({ issuer: server.issuer, audience: AUDIENCE }, { canSignIn: true, port: PORT });
  printAddresses({
    ...addressesOf(url),
    'Authorization server': `${server.issuer}/.well-known/openid-configuration`,
    Audience: AUDIENCE,
    Users: 'alice and bob have orders; the sign-in page accepts any name with any password',
  });
  const token = await server.clientCredentialsToken(AUDIENCE);
  const mcpToken = await server.clientCredentialsToken(`${url}/mcp`);
  for (const { title, command } of printedCommands({ url, issuer: server.issuer, audience: AUDIENCE, token, mcpToken }))
    console.log(`${title}:\n\n${command}\n`);
  const entry = { mcpServers: { orders: { type: 'http', url: `${url}/mcp` } } };
  console.log(`Connect an MCP client, which then signs you in, with this entry of its configuration:\n`);
  console.log(`${JSON.stringify(entry)}\n`);
  const audiences = { audience: AUDIENCE, otherAudience: OTHER_AUDIENCE, redirectUri: REDIRECT_URI };
  const results = [...(await makeSampleCalls(url, server, audiences)), ...(await makeMcpCalls(url, token))];
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
