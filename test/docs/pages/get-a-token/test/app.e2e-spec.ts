import { it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';

it('accepts a token of the test issuer in another process', async () => {
  const issuer = await TestIssuer.listen({ audience: 'https://api.example.com' });
  process.env.AUTH_ISSUER = issuer.url;
  process.env.AUTH_AUDIENCE = 'https://api.example.com';
  const { AppModule } = await import('../src/app.module.js');
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app: INestApplication<App> = module.createNestApplication();
  await app.init();
  await request(app.getHttpServer())
    .get('/orders/mine')
    .set(await issuer.as({ sub: 'alice' }))
    .expect(200, { owner: 'alice' });
  await app.close();
  await issuer.close();
});
