import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AuthOptions, routeReport } from 'nestjs-resource-server';
import { AppModule } from './app.module.js';
import { AuthorizationServer, CLIENT } from './authorization-server.js';
import { DOCS_CLIENT, serveDocs } from './docs.js';
import { type Answer, showClosed, showMainJob, toRouteTable, toTable } from './main-job.js';

const AUDIENCE = 'https://orders.example.com';
const OTHER_AUDIENCE = 'https://invoices.example.com';
const REDIRECT_URI = 'http://127.0.0.1/callback';

async function startApi(
  options: { issuer: string; audience: string },
  { hasLogin }: { hasLogin: boolean },
): Promise<{ app: INestApplication; url: string }> {
  const app = await NestFactory.create(AppModule.for(options as AuthOptions), { logger: ['warn', 'error'] });
  app.enableShutdownHooks();
  let url = '';
  serveDocs(app, hasLogin ? { ...options, apiUrl: () => url } : undefined);
  await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  url = await app.getUrl();
  return { app, url };
}

/** `AUTH_ISSUER` and `AUTH_AUDIENCE`: the API alone, for an issuer of your own. */
async function runWithIssuer(issuer: string, audience: string): Promise<number> {
  const { app, url } = await startApi({ issuer, audience }, { hasLogin: false });
  console.log(
    `Orders API   ${url}/orders\nSwagger UI   ${url}/docs\nIssuer       ${issuer}\nAudience     ${audience}\n`,
  );
  console.log(`Call it with a token of yours:\n\ncurl -i ${url}/orders -H "Authorization: Bearer $TOKEN"\n`);
  return finish(app, await showClosed(url, issuer, audience), () => app.close());
}

async function runWithEmbeddedServer(): Promise<number> {
  const server = await AuthorizationServer.start({
    audiences: [AUDIENCE, OTHER_AUDIENCE],
    redirectUri: REDIRECT_URI,
    docs: DOCS_CLIENT,
  });
  const { app, url } = await startApi({ issuer: server.issuer, audience: AUDIENCE }, { hasLogin: true });
  console.log(`Orders API             ${url}/orders`);
  console.log(`Swagger UI             ${url}/docs`);
  console.log(`Authorization server   ${server.issuer}/.well-known/openid-configuration`);
  console.log(`Audience               ${AUDIENCE}\n`);
  console.log('Call it with a fresh token (good for five minutes):\n');
  console.log(`curl -i ${url}/orders -H "Authorization: Bearer ${await server.clientCredentialsToken(AUDIENCE)}"\n`);
  console.log('For the next one:\n');
  console.log(
    `curl -u ${CLIENT.id}:${CLIENT.secret} -d grant_type=client_credentials -d resource=${AUDIENCE} ${server.issuer}/token\n`,
  );
  const answers = await showMainJob(url, server, {
    audience: AUDIENCE,
    otherAudience: OTHER_AUDIENCE,
    redirectUri: REDIRECT_URI,
  });
  return finish(app, answers, async () => {
    await app.close();
    await server.stop();
  });
}

/** @returns the exit code: 1 if any answer is not the expected one. */
async function finish(app: INestApplication, answers: readonly Answer[], close: () => Promise<void>): Promise<number> {
  console.log(toTable(answers));
  console.log(`\nEvery door (routeReport(app)):\n\n${toRouteTable(routeReport(app))}`);
  if (isOnce) await close();
  else console.log('\nServing until Ctrl+C.');
  return answers.every(({ isExpected }) => isExpected) ? 0 : 1;
}

const isOnce = process.argv.includes('--once');
const { AUTH_ISSUER = '', AUTH_AUDIENCE = '' } = process.env;

if (AUTH_ISSUER !== '' && AUTH_AUDIENCE !== '') {
  process.exitCode = await runWithIssuer(AUTH_ISSUER, AUTH_AUDIENCE);
} else if (AUTH_ISSUER === '' && AUTH_AUDIENCE === '') {
  process.exitCode = await runWithEmbeddedServer();
} else {
  console.error('Set both AUTH_ISSUER and AUTH_AUDIENCE (what the tokens name in `aud`), or neither');
  process.exitCode = 1;
}
