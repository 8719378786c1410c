import { afterEach, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TestIssuer, withTestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { AppModule } from '../src/app.module.js';

let app: INestApplication<App>;

afterEach(() => app.close());

it('guards an event stream, and ends it when the token expires', async () => {
  const issuer = await TestIssuer.create();
  app = (
    await withTestIssuer(Test.createTestingModule({ imports: [AppModule] }), issuer).compile()
  ).createNestApplication();
  await app.init();
  const open = (token: string) =>
    request(app.getHttpServer()).get('/orders/events').auth(token, { type: 'bearer' }).buffer(true);
  await open(await issuer.token()).expect(403);
  // Accepted for one to two more seconds, because of the clock tolerance of five seconds.
  const token = await issuer.token({ sub: 'alice', scopes: ['read:orders'], expiresInSeconds: -3 });
  const { text } = await open(token).expect(200);
  expect(text).toContain('"owner":"alice"');
  expect(text).toMatch(
    /\n\nevent: exception\ndata: \{"statusCode":401,"message":"The access token expired","code":"TOKEN_EXPIRED"\}\n\n$/,
  );
});
