import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Server } from 'node:http';
import type { OpenAPIObject } from '@nestjs/swagger';
import request from 'supertest';
import type { App } from 'supertest/types.js';

let app: INestApplication<App>;

beforeAll(async () => {
  process.env.PORT = '0'; // any free port
  const create = jest.spyOn(NestFactory, 'create');
  await import('../src/main.js');
  app = (await create.mock.results[0]?.value) as typeof app;
  await once(app.getHttpServer() as Server, 'listening');
});

afterAll(() => app.close());

it('has a security scheme, and security and responses for each route', async () => {
  const { body } = await request(app.getHttpServer()).get('/docs-json').expect(200);
  const { components, paths } = body as OpenAPIObject;
  expect(components?.securitySchemes?.accessToken).toMatchObject({ type: 'oauth2' });
  const statuses = (path: string) => Object.keys(paths[path]?.get?.responses ?? {});
  expect(paths['/orders']?.get?.security).toEqual([{ accessToken: ['read:orders'] }]);
  expect(statuses('/orders')).toEqual(['200', '401', '403', '503']);
  expect(paths['/orders/catalogue']?.get?.security).toEqual([{}, { accessToken: [] }]);
  expect(paths['/orders/health']?.get?.security).toEqual([]);
  expect(statuses('/orders/health')).toEqual(['200']);
  expect(paths['/orders/audit']?.get?.description).toContain('auditor');
});

it('configures the sign-in of Swagger UI', async () => {
  const { text } = await request(app.getHttpServer()).get('/docs/swagger-ui-init.js').expect(200);
  expect(text).toContain('"usePkceWithAuthorizationCodeGrant": true');
  expect(text).toContain('http://localhost:3000/docs/oauth2-redirect.html');
  expect(text).toContain('"displayRequestDuration": true');
});
