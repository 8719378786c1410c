import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { fromEnv } from 'nestjs-resource-server/presets';
import { TestIssuer } from 'nestjs-resource-server/testing';
import { AppModule } from './app.module.js';

// Without AUTH_ISSUER, the example starts its own authorization server, so that you can try it without an account.
const embedded = process.env.AUTH_ISSUER ? undefined : await TestIssuer.listen({ audience: 'https://api.example.com' });

const options = embedded ? { ...embedded.options, explainRefusals: true } : fromEnv();
const app = await NestFactory.create(AppModule.forRoot(options));
await app.listen(process.env.PORT ?? 3000, '127.0.0.1');

const url = await app.getUrl();
console.log(`\nWithout a token (401):\n\ncurl -i ${url}/orders/mine`);
if (embedded) {
  const token = await embedded.token({ sub: 'alice' });
  console.log(`\nWith a token (200):\n\ncurl -i ${url}/orders/mine -H "Authorization: Bearer ${token}"`);
  console.log(
    `\nThe token lacks the scope read:orders (403):\n\ncurl -i ${url}/orders -H "Authorization: Bearer ${token}"`,
  );
} else {
  console.log(`\nWith a token of your issuer:\n\ncurl -i ${url}/orders/mine -H "Authorization: Bearer $TOKEN"`);
}
console.log('\nPress Ctrl+C to stop.');
