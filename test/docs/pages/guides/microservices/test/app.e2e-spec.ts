import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from '@jest/globals';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import {
  type ClientOptions,
  ClientProxyFactory,
  KafkaContext,
  MqttContext,
  NatsContext,
  RmqContext,
  Transport,
} from '@nestjs/microservices';
import { openRoutes } from 'nestjs-resource-server';
import { firstValueFrom } from 'rxjs';
import request from 'supertest';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';
import { connectMicroservice } from '../src/connect-microservice.js';
import { messageToken } from '../src/message-token.js';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('guards messages and requests', async () => {
  const { app, issuer } = await createPageApp({ imports: [AppModule] });
  const port = await freePort();
  connectMicroservice(app, port);
  await app.startAllMicroservices();
  await app.init();
  expect(openRoutes(app)).toEqual([]);
  const tcp: ClientOptions = { transport: Transport.TCP, options: { host: '127.0.0.1', port } };
  const client = ClientProxyFactory.create(tcp);
  const send = (accessToken?: string) => firstValueFrom(client.send<unknown>('orders', { accessToken }));
  const token = await issuer.token({ sub: 'alice', scopes: ['read:orders'] });

  expect(await send(token)).toEqual([{ id: '1', owner: 'alice' }]);
  await expect(send(await issuer.token())).rejects.toMatchObject({ statusCode: 403, code: 'SCOPE_INSUFFICIENT' });
  await expect(send()).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  const { body } = await request(app.getHttpServer()).get('/orders').auth(token, { type: 'bearer' }).expect(200);
  expect(body).toEqual([{ id: '1', owner: 'alice' }]);

  client.close();
  await app.close();
});

it.each([
  ['NATS', new NatsContext(['orders', new Map([['authorization', 'token']])]), 'token'],
  ['NATS without headers', new NatsContext(['orders', undefined]), undefined],
  ['Kafka', new KafkaContext([{ headers: { authorization: Buffer.from('token') } }] as never), 'token'],
  ['RabbitMQ', new RmqContext([{ properties: { headers: { authorization: 'token' } } }, {}, 'orders']), 'token'],
  ['MQTT', new MqttContext(['orders', { properties: { userProperties: { authorization: 'token' } } }]), 'token'],
  ['a message without headers', {}, 'payload'],
])('reads the token of %s', (_name, message, token) => {
  const context = new ExecutionContextHost([{ accessToken: 'payload' }, message]);
  context.setType('rpc');
  expect(messageToken(context)).toBe(token);
});
