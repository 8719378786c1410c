import 'reflect-metadata';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthModule, type AuthOptions } from 'nestjs-resource-server';
import { AuthorizationServer } from './authorization-server.js';
import { showMainJob, toTable } from './main-job.js';
import { OrdersModule } from './orders.js';

const AUDIENCE = 'https://orders.example.com';
const OTHER_AUDIENCE = 'https://invoices.example.com';
const REDIRECT_URI = 'http://127.0.0.1/callback';

async function startApi(
  options: Pick<AuthOptions, 'issuer' | 'audience'>,
): Promise<{ app: INestApplication; url: string }> {
  @Module({ imports: [AuthModule.forRoot(options as AuthOptions), OrdersModule] })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
  app.enableShutdownHooks();
  await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  return { app, url: await app.getUrl() };
}

/** `AUTH_ISSUER` and `AUTH_AUDIENCE`: the API alone, for an issuer of your own. */
async function runWithIssuer(issuer: string, audience: string | undefined): Promise<number> {
  if (audience === undefined || audience === '') {
    console.error('AUTH_ISSUER is set: set AUTH_AUDIENCE too, to what its tokens name in `aud`');
    return 1;
  }
  const { app, url } = await startApi({ issuer, audience });
  console.log(`Orders API   ${url}/orders\nIssuer       ${issuer}\nAudience     ${audience}\n`);
  console.log(`curl -i ${url}/orders -H "Authorization: Bearer $TOKEN"\n`);
  const response = await fetch(`${url}/orders`);
  const isClosed = response.status === 401;
  console.log(
    `Without a token: ${String(response.status)}, ${response.headers.get('www-authenticate') ?? 'no challenge'}`,
  );
  if (isOnce) await app.close();
  return isClosed ? 0 : 1;
}

async function runWithEmbeddedServer(): Promise<number> {
  const server = await AuthorizationServer.start({ audiences: [AUDIENCE, OTHER_AUDIENCE], redirectUri: REDIRECT_URI });
  const { app, url } = await startApi({ issuer: server.issuer, audience: AUDIENCE });
  console.log(`Orders API             ${url}/orders`);
  console.log(`Authorization server   ${server.issuer}/.well-known/openid-configuration`);
  console.log(`Audience               ${AUDIENCE}\n`);
  console.log('Call it with a fresh token (good for five minutes):\n');
  console.log(`curl -i ${url}/orders -H "Authorization: Bearer ${await server.clientCredentialsToken(AUDIENCE)}"\n`);
  const answers = await showMainJob(url, server, {
    audience: AUDIENCE,
    otherAudience: OTHER_AUDIENCE,
    redirectUri: REDIRECT_URI,
  });
  console.log(toTable(answers));
  if (isOnce) {
    await app.close();
    await server.stop();
  } else {
    console.log('\nServing until Ctrl+C.');
  }
  return answers.every(({ isExpected }) => isExpected) ? 0 : 1;
}

const isOnce = process.argv.includes('--once');
const { AUTH_ISSUER, AUTH_AUDIENCE } = process.env;
process.exitCode =
  AUTH_ISSUER === undefined || AUTH_ISSUER === ''
    ? await runWithEmbeddedServer()
    : await runWithIssuer(AUTH_ISSUER, AUTH_AUDIENCE);
