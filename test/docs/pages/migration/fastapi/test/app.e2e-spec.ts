import { expect, it } from '@jest/globals';
import { HttpAdapterHost } from '@nestjs/core';
import request from 'supertest';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';
import { ForbiddenFilter } from '../src/forbidden.filter.js';

it('answers 403 to old clients', async () => {
  const { app, issuer } = await createPageApp({ imports: [AppModule] });
  app.useGlobalFilters(new ForbiddenFilter(app.get(HttpAdapterHost).httpAdapter));
  await app.init();
  const server = request(app.getHttpServer());
  await server.get('/health').expect(200);
  await server
    .get('/orders')
    .set(await issuer.as({ sub: 'alice' }))
    .expect(200, { owner: 'alice' });
  const { status, body, headers } = await server.get('/orders');
  expect([status, body]).toEqual([403, expect.objectContaining({ code: 'TOKEN_MISSING' })]);
  expect(headers['www-authenticate']).toBe('Bearer');
  await app.close();
});
