import { afterEach, expect, it } from '@jest/globals';
import { type INestApplication, Module, type Type } from '@nestjs/common';
import { AuthModule } from 'nestjs-resource-server';
import type { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AccountStrategy } from '../src/account.strategy.js';
import { Accounts, AccountsModule } from '../src/accounts.js';
import { AppModule, MeController } from '../src/app.module.js';

let app: INestApplication<App>;
let issuer: TestIssuer;

async function start(appModule: Type): Promise<void> {
  ({ app, issuer } = await createPageApp({ imports: [appModule] }));
  await app.init();
  const { all } = app.get(Accounts, { strict: false });
  all.set('alice', { id: '7', isLocked: false });
  all.set('bob', { id: '8', isLocked: true });
}

async function get(path: string, sub: string) {
  const { status, body } = await request(app.getHttpServer())
    .get(path)
    .set(await issuer.as({ sub, scopes: ['read'] }));
  return [status, body as unknown];
}

afterEach(() => app.close());

const account = { account: { id: '7', isLocked: false }, id: '7', subject: 'alice', scopes: ['read'] };

it('maps each token to an account', async () => {
  await start(AppModule);
  expect(await get('/me', 'alice')).toEqual([200, account]);
  expect(await get('/me', 'bob')).toEqual([403, expect.objectContaining({ code: 'POLICY_DENIED' })]);
  expect(await get('/me', 'carol')).toEqual([401, expect.objectContaining({ code: 'USER_REFUSED' })]);
  await request(app.getHttpServer()).get('/me/greeting').expect(200, 'Hello, guest');
});

it('maps each token to an account in a strategy', async () => {
  @Module({
    imports: [
      AuthModule.forRootAsync({
        imports: [AccountsModule],
        strategy: AccountStrategy,
        useFactory: () => ({ issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' }),
      }),
    ],
    controllers: [MeController],
  })
  class StrategyModule {}
  await start(StrategyModule);
  expect(await get('/me', 'alice')).toEqual([200, account]);
  expect(await get('/me', 'carol')).toEqual([401, expect.objectContaining({ code: 'USER_REFUSED' })]);
});
