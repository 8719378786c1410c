import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { TestIssuer, TokenRequest } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';
import type * as Exchange from '../src/exchange-token.js';

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

it('exchanges the token of a request for one of another API', async () => {
  const received: unknown[] = [];
  const server = createServer((sent, response) => {
    void text(sent).then((form) => {
      received.push(sent.headers.authorization, Object.fromEntries(new URLSearchParams(form)));
      response.writeHead(received.length > 2 ? 403 : 200).end('{"access_token":"theirs"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const environment = { TOKEN_ENDPOINT: `http://127.0.0.1:${String(port)}`, CLIENT_ID: 'mcp', CLIENT_SECRET: 'secret' };
  Object.assign(process.env, environment);
  const { exchangeToken } = (await import('../src/exchange-token.js')) as typeof Exchange;
  const call = new Request('https://api.example.com/mcp', { headers: { authorization: 'Bearer ours' } });
  expect(await exchangeToken(call, 'https://shipping.example.com')).toBe('theirs');
  expect(received).toEqual([
    `Basic ${btoa('mcp:secret')}`,
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'ours',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'https://shipping.example.com',
    },
  ]);
  await expect(exchangeToken(call, 'https://other.example.com')).rejects.toThrow('status 403');
  await new Promise((resolve) => server.close(resolve));
});
