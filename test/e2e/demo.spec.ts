import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AppModule } from '../../demo/app.module.js';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { printedCommands } from '../../demo/printed-commands.js';
import { formatRoutes, makeSampleCalls } from '../../demo/sample-calls.js';
import { openRoutes, routeReport } from '../../src/index.js';

const AUDIENCE = 'https://orders.example.com';
const OTHER_AUDIENCE = 'https://invoices.example.com';
const REDIRECT_URI = 'http://127.0.0.1/callback';

let server: AuthorizationServer;
let app: INestApplication;

beforeAll(async () => {
  server = await AuthorizationServer.start({ audiences: [AUDIENCE, OTHER_AUDIENCE], redirectUri: REDIRECT_URI });
  const module = AppModule.for({ issuer: server.issuer, audience: AUDIENCE });
  app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
});

afterAll(async () => {
  await app.close();
  await server.stop();
});

describe('The demo', () => {
  it('leaves only the health route and the catalogue query public', () => {
    expect(openRoutes(app)).toEqual(['GET /orders/health', 'Query catalogue']);
  });

  it('prints its routes with what each requires, and has no warnings', () => {
    const report = routeReport(app);
    expect(formatRoutes(report).split('\n').slice(1)).toEqual([
      'guarded   http       GET /orders            @RequireScopes all of read:orders',
      'guarded   http       POST /orders           @RequireScopes all of write:orders',
      'guarded   http       GET /orders/mine',
      'optional  http       GET /orders/catalogue',
      'open      http       GET /orders/health',
      'guarded   http       GET /orders/:id        @RequirePolicy OrderOwner',
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
    const url = await app.getUrl();
    const token = await server.clientCredentialsToken(AUDIENCE);
    const commands = printedCommands({ url, issuer: server.issuer, audience: AUDIENCE, token });
    const outputs = await Promise.all(
      commands.map(async ({ command }) => (await promisify(execFile)('bash', ['-c', command])).stdout),
    );
    const [orders = '', graphql = '', tokens = ''] = outputs;
    expect(orders).toContain('HTTP/1.1 200 OK');
    expect(graphql).toContain('HTTP/1.1 200 OK');
    expect(graphql).toContain('{"data":{"orders":[');
    const { access_token: another } = JSON.parse(tokens) as { access_token: string };
    const headers = { authorization: `Bearer ${another}` };
    expect((await fetch(`${url}/orders`, { headers })).status).toBe(200);
    expect(commands).toHaveLength(3);
  });

  it('returns the expected result for each sample call over HTTP, GraphQL and WebSocket', async () => {
    const results = await makeSampleCalls(await app.getUrl(), server, {
      audience: AUDIENCE,
      otherAudience: OTHER_AUDIENCE,
      redirectUri: REDIRECT_URI,
    });
    expect(results.filter(({ isExpected }) => !isExpected)).toEqual([]);
    expect(results.length).toBeGreaterThan(20);
  });
});
