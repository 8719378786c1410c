import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { TestIssuer, TokenRequest } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';

let app: INestApplication<App>;
let issuer: TestIssuer;

beforeEach(async () => {
  ({ app, issuer } = await createPageApp({ imports: [AppModule] }));
  await app.init();
});

afterEach(() => app.close());

async function callTool(name: string, scopes: string[], more: TokenRequest = {}) {
  const token = await issuer.as({ sub: 'alice', scopes, claims: { aud: 'https://api.example.com/mcp' }, ...more });
  return request(app.getHttpServer())
    .post('/mcp')
    .set(token)
    .set('accept', 'application/json, text/event-stream')
    .send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });
}

it('gives a tool the caller, and asks for the scopes of a tool', async () => {
  expect((await callTool('list-orders', ['orders:read'])).text).toContain('Orders of alice');
  const { status, headers } = await callTool('delete-order', ['orders:read']);
  expect([status, headers['www-authenticate']]).toEqual([
    403,
    expect.stringContaining('scope="orders:read orders:write"'),
  ]);
  expect((await callTool('delete-order', ['orders:read', 'orders:write'])).text).toContain('deleted');
});

it('rejects a token for the rest of the API', async () => {
  const { status } = await callTool('list-orders', ['orders:read'], { claims: { aud: 'https://api.example.com' } });
  expect(status).toBe(401);
});
