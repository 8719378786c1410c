import { expect, it } from '@jest/globals';
import { openRoutes, routeReport } from 'nestjs-resource-server';
import request from 'supertest';
import { createPageApp } from '../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';

it('answers as the page says', async () => {
  const { app, issuer } = await createPageApp({ imports: [AppModule] });
  await app.init();
  const get = (path: string) => request(app.getHttpServer()).get(path);
  const { headers } = await get('/orders/mine').expect(401, {
    statusCode: 401,
    message: 'An access token is required',
    error: 'Unauthorized',
    code: 'TOKEN_MISSING',
  });
  expect(headers['www-authenticate']).toBe('Bearer');
  await get('/orders/mine')
    .set(await issuer.as({ sub: 'alice' }))
    .expect(200, { owner: 'alice' });
  await get('/orders')
    .set(await issuer.as())
    .expect(403);
  await get('/orders')
    .set(await issuer.as({ scopes: ['read:orders'] }))
    .expect(200);
  expect(routeReport(app).routes).toHaveLength(3);
  expect(openRoutes(app)).toEqual(['GET /orders/health']);
  await app.close();
});
