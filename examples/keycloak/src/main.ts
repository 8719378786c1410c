import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { keycloak, requiredEnv } from 'nestjs-resource-server/presets';
import { TestIssuer } from 'nestjs-resource-server/testing';
import { AppModule } from './app.module.js';

const audience = 'https://api.example.com';

// Without KEYCLOAK_URL, the example starts its own authorization server, whose tokens have roles where Keycloak puts them.
const embedded = process.env.KEYCLOAK_URL
  ? undefined
  : await TestIssuer.listen({ audience, claimPaths: { roles: ['realm_access.roles'] } });
const options = embedded?.options ?? keycloak({ ...requiredEnv({ url: 'KEYCLOAK_URL' }), realm: 'orders', audience });

const app = await NestFactory.create(AppModule.forRoot({ ...options, explainRefusals: true }));
await app.listen(process.env.PORT ?? 3000, '127.0.0.1');

const url = await app.getUrl();
console.log(`\nWithout a token (401):\n\ncurl -i ${url}/orders/mine`);
if (embedded) {
  const alice = await embedded.token({ sub: 'alice' });
  const support = await embedded.token({ sub: 'bob', roles: ['support'] });
  console.log(`\nWith a token (200):\n\ncurl -i ${url}/orders/mine -H "Authorization: Bearer ${alice}"`);
  console.log(`\nThe token lacks the role support (403):\n\ncurl -i ${url}/orders -H "Authorization: Bearer ${alice}"`);
  console.log(`\nWith the role (200):\n\ncurl -i ${url}/orders -H "Authorization: Bearer ${support}"`);
} else {
  console.log(
    `\nWith a token of Keycloak, see README.md:\n\ncurl -i ${url}/orders/mine -H "Authorization: Bearer $TOKEN"`,
  );
}
console.log('\nPress Ctrl+C to stop.');
