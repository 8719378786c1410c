import { afterEach, expect, it, jest } from '@jest/globals';
import { Controller, Get, type INestApplication, Module, type Type } from '@nestjs/common';
import { AuthModule, RequireRoles } from 'nestjs-resource-server';
import { keycloak } from 'nestjs-resource-server/presets';
import { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';
import { RequireRealmRole } from '../src/require-realm-role.js';

const issuer = await TestIssuer.create();
let app: INestApplication<App>;

afterEach(() => app.close());

async function start(module: Type) {
  ({ app } = await createPageApp({ imports: [module] }, issuer));
  await app.init();
  return request(app.getHttpServer());
}

it('admits users with one of the roles', async () => {
  const server = await start(AppModule);
  await server
    .get('/orders')
    .set(await issuer.as({ roles: ['guest'] }))
    .expect(403);
  await server
    .get('/orders')
    .set(await issuer.as({ sub: 'alice', roles: ['staff'] }))
    .expect(200, { owner: 'alice' });
  const claims = { resource_access: { 'orders-api': { roles: ['customer'] } } };
  await server
    .get('/orders')
    .set(await issuer.as({ sub: 'bob', claims }))
    .expect(200, { owner: 'bob' });
});

it('applies the decision of Keycloak', async () => {
  const server = await start(AppModule);
  const staff = await issuer.as({ roles: ['staff'] });
  const fetch = jest.spyOn(globalThis, 'fetch');
  fetch.mockResolvedValueOnce(Response.json({ result: true }));
  await server.delete('/orders/1').set(staff).expect(200);
  const [url, init] = fetch.mock.calls[0] ?? [];
  expect(url).toBe('https://keycloak.example.com/realms/staff/protocol/openid-connect/token');
  expect(String(init?.body as URLSearchParams)).toContain('permission=Order%23Delete');
  fetch.mockResolvedValueOnce(Response.json({ error: 'access_denied' }, { status: 403 }));
  await server.delete('/orders/1').set(staff).expect(403);
  fetch.mockResolvedValueOnce(new Response('', { status: 502 }));
  await server.delete('/orders/1').set(staff).expect(500);
  fetch.mockRestore();
});

@Controller('reports')
class ReportsController {
  @Get()
  @RequireRoles('admin')
  own() {
    return 'of the API';
  }

  @Get('realm')
  @RequireRealmRole('admin')
  realm() {
    return 'of the realm';
  }
}

@Module({
  imports: [
    AuthModule.forRoot({
      ...keycloak({ url: 'https://keycloak.example.com', realm: 'staff', audience: 'orders-api' }),
      claimPaths: { roles: [['resource_access', 'orders-api', 'roles']] },
    }),
  ],
  controllers: [ReportsController],
})
class ReportsModule {}

it('separates roles of the realm and of the client', async () => {
  const server = await start(ReportsModule);
  const realm = await issuer.as({ claims: { realm_access: { roles: ['admin'] } } });
  await server.get('/reports').set(realm).expect(403);
  await server.get('/reports/realm').set(realm).expect(200);
  const client = await issuer.as({ roles: ['admin'] });
  await server.get('/reports').set(client).expect(200);
  await server.get('/reports/realm').set(client).expect(403);
});
