import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { allowInsecureRequests, processResourceDiscoveryResponse, resourceDiscoveryRequest } from 'oauth4webapi';
import { type RunningApi, startApi } from '../../demo/api.js';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { makeMcpCalls } from '../../demo/mcp/mcp-calls.js';
import { printedCommands } from '../../demo/printed-commands.js';
import { formatRoutes, makeSampleCalls } from '../../demo/sample-calls.js';
import { openRoutes, routeReport } from '../../src/index.js';

const AUDIENCE = 'https://orders.example.com';
const OTHER_AUDIENCE = 'https://invoices.example.com';
const REDIRECT_URI = 'http://127.0.0.1/callback';

let server: AuthorizationServer;
let api: RunningApi;

beforeAll(async () => {
  server = await AuthorizationServer.start({
    audiences: [AUDIENCE, OTHER_AUDIENCE],
    redirectUri: REDIRECT_URI,
    canRegister: true,
  });
  api = await startApi({ issuer: server.issuer, audience: AUDIENCE }, { canSignIn: true });
});

afterAll(async () => {
  await api.app.close();
  await server.stop();
});

describe('The demo', () => {
  it('leaves only the health route and the catalogue query public', () => {
    expect(openRoutes(api.app)).toEqual(['GET /orders/health', 'Query catalogue']);
  });

  it('prints its routes with what each requires, and has no warnings', () => {
    const report = routeReport(api.app);
    expect(formatRoutes(report).split('\n').slice(1)).toEqual([
      'guarded   http       GET /orders            @RequireScopes all of read:orders',
      'guarded   http       POST /orders           @RequireScopes all of write:orders',
      'guarded   http       GET /orders/mine',
      'optional  http       GET /orders/catalogue',
      'open      http       GET /orders/health',
      'guarded   http       GET /orders/:id        @RequirePolicy OrderOwner',
      'guarded   http       ALL /mcp               @RequireScopes all of read:orders',
      'guarded   graphql    Query orders           @RequireScopes all of read:orders',
      'open      graphql    Query catalogue',
      'guarded   graphql    Mutation createOrder   @RequireScopes all of write:orders',
      'guarded   ws         connection orders',
      'guarded   ws         message orders         @RequireScopes all of read:orders',
      'guarded   ws         message create         @RequireScopes all of write:orders',
      'guarded   ws         message authenticate',
    ]);
    expect(report.warnings).toEqual([]);
  });

  it('prints commands that work as they are', async () => {
    const { url } = api;
    const token = await server.clientCredentialsToken(AUDIENCE);
    const mcpToken = await server.clientCredentialsToken(`${url}/mcp`);
    const commands = printedCommands({ url, issuer: server.issuer, audience: AUDIENCE, token, mcpToken });
    const outputs = await Promise.all(
      commands.map(async ({ command }) => (await promisify(execFile)('bash', ['-c', command])).stdout),
    );
    const [orders = '', graphql = '', tools = '', tokens = ''] = outputs;
    expect(orders).toContain('HTTP/1.1 200 OK');
    expect(graphql).toContain('HTTP/1.1 200 OK');
    expect(graphql).toContain('{"data":{"orders":[');
    expect(tools).toContain('HTTP/1.1 200 OK');
    expect(tools).toContain('"name":"place-order"');
    const { access_token: another } = JSON.parse(tokens) as { access_token: string };
    const headers = { authorization: `Bearer ${another}` };
    expect((await fetch(`${url}/orders`, { headers })).status).toBe(200);
    expect(commands).toHaveLength(4);
  });

  it('returns the expected result for each sample call over HTTP, GraphQL and WebSocket', async () => {
    const results = await makeSampleCalls(api.url, server, {
      audience: AUDIENCE,
      otherAudience: OTHER_AUDIENCE,
      redirectUri: REDIRECT_URI,
    });
    expect(results.filter(({ isExpected }) => !isExpected)).toEqual([]);
    expect(results.length).toBeGreaterThan(20);
  });

  it('lets an MCP client find the authorization server, sign in, call tools, and get more scopes', async () => {
    const results = await makeMcpCalls(api.url, await server.clientCredentialsToken(AUDIENCE));
    expect(results.filter(({ isExpected }) => !isExpected)).toEqual([]);
    const asked = results.filter(({ outcome }) => outcome === 'user is asked').map(({ detail }) => detail);
    expect(asked).toEqual(['scope read:orders', 'scope read:orders write:orders']);
    const resource = new URL('/mcp', api.url);
    const response = await resourceDiscoveryRequest(resource, { [allowInsecureRequests]: true });
    expect(await processResourceDiscoveryResponse(resource, response)).toMatchObject({
      scopes_supported: ['read:orders', 'write:orders'],
    });
  });
});
