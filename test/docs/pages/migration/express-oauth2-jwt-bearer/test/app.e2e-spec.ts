import { afterAll, beforeAll, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { TestIssuer, withTestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import { AppModule } from '../src/app.module.js';
import { mountLegacy } from '../src/legacy.js';

let issuer: TestIssuer;
let app: NestExpressApplication;

beforeAll(async () => {
  issuer = await TestIssuer.create();
  const module = await withTestIssuer(Test.createTestingModule({ imports: [AppModule] }), issuer).compile();
  app = module.createNestApplication<NestExpressApplication>();
  mountLegacy(app);
  await app.init();
});

afterAll(() => app.close());

it('requires scopes and roles', async () => {
  const server = request(app.getHttpServer());
  const alice = await issuer.as({ sub: 'alice', scopes: ['read:orders'] });
  await server.get('/orders').set(alice).expect(200, { owner: 'alice' });
  await server.get('/admin').set(alice).expect(403);
  await server
    .get('/admin')
    .set(await issuer.as({ claims: { 'https://example.com/roles': ['admin'] } }))
    .expect(200);
});

it('guards an Express router', async () => {
  const server = request(app.getHttpServer());
  await server.get('/legacy/invoices').expect(401);
  await server
    .get('/legacy/invoices')
    .set(await issuer.as({ sub: 'alice' }))
    .expect(200, { owner: 'alice' });
});
