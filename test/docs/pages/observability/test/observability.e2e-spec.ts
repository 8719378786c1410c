import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Controller, Get, type INestApplication, Logger, Module, Post } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuthModule, openRoutes, ReportedRefusals, RequireScopes, routeReport } from 'nestjs-resource-server';
import type { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../test/support/page-app.js';
import { AuditLog } from '../src/audit-log.js';
import { HealthController } from '../src/health.js';
import { SupportController } from '../src/support.js';

@Controller('orders')
class OrdersController {
  @Get()
  list() {
    return [];
  }

  @Post()
  @RequireScopes('write:orders')
  create() {
    return { created: true };
  }
}

const auth = AuthModule.forRoot({
  issuer: 'https://tenant.eu.auth0.com/',
  audience: 'https://api.example.com',
  requiredClaims: ['jti'],
  reportOnly: ['requiredClaims'],
});

@Module({
  imports: [auth, TerminusModule],
  controllers: [OrdersController, HealthController, SupportController],
  providers: [AuditLog],
})
class AppModule {}

const audit = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
let app: INestApplication<App>;
let issuer: TestIssuer;

beforeAll(async () => {
  ({ app, issuer } = await createPageApp({ imports: [AppModule] }));
  await app.init();
  audit.mockClear();
});

afterAll(() => app.close());

it('writes an audit log without tokens', async () => {
  const alice = await issuer.as({ clientId: 'web', claims: { jti: 'the-jti' } });
  await request(app.getHttpServer()).get('/orders').set(alice).expect(200);
  await request(app.getHttpServer()).post('/orders').set(alice).expect(403);
  const lines = audit.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
  const refused = { outcome: 'refused', handler: 'OrdersController.create', route: 'POST /orders', clientId: 'web' };
  expect(lines).toMatchObject([
    { outcome: 'admitted', route: 'GET /orders', clientId: 'web' },
    { ...refused, code: 'SCOPE_INSUFFICIENT', status: 403 },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/the-jti|eyJ/);
});

it('shows the health of the keys and reported refusals', async () => {
  const server = request(app.getHttpServer());
  await server
    .get('/orders')
    .set(await issuer.as({ clientId: 'orders-app', claims: { jti: undefined } }))
    .expect(200);
  expect(app.get(ReportedRefusals).counts()).toEqual([{ code: 'CLAIM_MISSING', clientId: 'orders-app', count: 1 }]);
  const { body } = await server.get('/health/ready').expect(200);
  expect(body).toMatchObject({ status: 'ok', info: { keys: { status: 'up' } } });
});

it('explains a token to support', async () => {
  const token = await issuer.otherAudienceToken();
  const support = await issuer.as({ roles: ['support'] });
  const explain = (caller: Record<string, string>) =>
    request(app.getHttpServer()).post('/support/explain').set(caller).send({ token });
  const { body } = await explain(support).expect(200);
  expect(body).toMatchObject([
    { check: 'audience', passed: false, code: 'AUDIENCE_MISMATCH', got: 'https://other-api.test' },
  ]);
  await explain(await issuer.as()).expect(403);
});

it('leaves only the health check open', () => {
  expect(openRoutes(app)).toEqual(['GET /health/ready']);
  expect(routeReport(app).warnings).toEqual([]);
});
