import { afterAll, beforeAll, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { AuthModule } from 'nestjs-resource-server';
import { TestIssuer, withTestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import { mountLegacy } from '../src/legacy.js';

const auth = AuthModule.forRoot({ issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' });

let issuer: TestIssuer;
let app: NestExpressApplication;

beforeAll(async () => {
  issuer = await TestIssuer.create();
  const module = await withTestIssuer(Test.createTestingModule({ imports: [auth] }), issuer).compile();
  app = module.createNestApplication<NestExpressApplication>();
  mountLegacy(app);
  await app.init();
});

afterAll(() => app.close());

it('guards an Express router', async () => {
  const server = request(app.getHttpServer());
  await server.get('/legacy/invoices').expect(401);
  await server
    .get('/legacy/invoices')
    .set(await issuer.as({ sub: 'alice' }))
    .expect(200, { owner: 'alice' });
});
