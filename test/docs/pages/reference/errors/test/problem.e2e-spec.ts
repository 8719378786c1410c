import { expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AuthError, AuthModule } from 'nestjs-resource-server';
import request from 'supertest';
import { createPageApp } from '../../../../test/support/page-app.js';
import { ProblemFilter } from '../src/problem.filter.js';

@Controller('orders')
class OrdersController {
  @Get()
  list() {
    return [];
  }
}

const auth = AuthModule.forRoot({
  issuer: 'https://tenant.eu.auth0.com/',
  audience: 'https://api.example.com',
  validate({ claims }) {
    if (claims.jti === 'revoked') throw new AuthError('USER_REFUSED', { reason: 'revoked' });
    return true;
  },
});

@Module({ imports: [auth], controllers: [OrdersController] })
class AppModule {}

it('answers refusals with problem details and a challenge', async () => {
  const { app, issuer } = await createPageApp({ imports: [AppModule] });
  app.useGlobalFilters(new ProblemFilter(app.get(HttpAdapterHost)));
  await app.init();
  const call = (token: string) => request(app.getHttpServer()).get('/orders').auth(token, { type: 'bearer' });

  await call(await issuer.token()).expect(200, []);
  const { status, type, body, headers } = await call(await issuer.token({ claims: { jti: 'revoked' } }));
  expect([status, type]).toEqual([401, 'application/problem+json']);
  expect(body).toEqual({
    title: 'The application does not accept the user of the access token',
    status: 401,
    code: 'USER_REFUSED',
  });
  expect(headers['www-authenticate']).toContain('error="invalid_token"');
  expect((await call(await issuer.expiredToken())).body).toMatchObject({ status: 401, code: 'TOKEN_EXPIRED' });
  await app.close();
});
