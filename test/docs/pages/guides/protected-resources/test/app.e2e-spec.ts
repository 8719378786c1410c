import { afterEach, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';

let app: INestApplication<App>;
let issuer: TestIssuer;

afterEach(() => app.close());

it('publishes the metadata and the challenge of the page, and separates the resources', async () => {
  ({ app, issuer } = await createPageApp({ imports: [AppModule] }));
  await app.init();
  const server = request(app.getHttpServer());
  await server.get('/.well-known/oauth-protected-resource').expect(200, {
    resource: 'https://api.example.com',
    authorization_servers: ['https://tenant.eu.auth0.com/'],
    scopes_supported: ['orders:read'],
    bearer_methods_supported: ['header'],
    resource_name: 'Orders',
  });
  const { headers } = await server.get('/orders').expect(401);
  expect(headers['www-authenticate']).toBe(
    'Bearer scope="orders:read", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"',
  );
  const orders = await issuer.as({ scopes: ['orders:read', 'reports:read'] });
  await server.get('/orders').set(orders).expect(200, ['a lamp']);
  await server.get('/reports').set(orders).expect(401);
  const reports = await issuer.as({ scopes: ['reports:read'], claims: { aud: 'https://api.example.com/reports' } });
  await server.get('/reports').set(reports).expect(200, ['sales']);
});
