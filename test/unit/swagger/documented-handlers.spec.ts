import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import type { Door } from '../../../src/nest/routes/route-reporter.js';
import { DocumentedHandlers, pathOf } from '../../../src/swagger/documented-handlers.js';

const PATTERNS = [
  '/',
  '/orders',
  '/orders/:id',
  '/orders/:id/items/:itemId',
  '/range/:from-:to',
  '/file.:extension',
  '/:"quoted name"/x',
  '/files/*path',
  '/files{/*path}',
  '/maybe{/:id}/x',
  '/legacy/*',
  '/legacy/(.*)',
  '/legacy/*/x',
  '/legacy/*/*/x',
  '/jobs::cancel',
  '/jobs/:id[:]cancel',
  '/escaped\\:x',
  '/umlaut/:größe',
];

let app: INestApplication | undefined;
afterEach(async () => app?.close());

describe('pathOf', () => {
  it.each(PATTERNS)('writes %s as Swagger does', async (pattern) => {
    @Controller()
    class One {
      @Get(pattern)
      get() {
        return {};
      }
    }
    app = (await Test.createTestingModule({ controllers: [One] }).compile()).createNestApplication({ logger: false });
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    expect([pathOf(pattern)]).toEqual(Object.keys(paths));
  });
});

describe('DocumentedHandlers', () => {
  const door = (kind: string, pattern: string, transport = 'http') =>
    ({ handler: { transport, kind, pattern } }) as unknown as Door;
  const get = door('GET', '/api/orders/:id');
  const post = door('POST', '/api/orders/:id');
  const all = door('ALL', '/api/all');
  const status = door('GET', '/status');
  const prefixed = door('GET', '/api/status');
  const query = door('GET', '/api/query', 'graphql');
  const doors = [get, post, all, status, prefixed, query];

  it('finds by path and verb, and what answers every verb', () => {
    const handlers = new DocumentedHandlers(doors, ['/api/orders/{id}'], 'api');
    expect(handlers.of('/api/orders/{id}', 'get')).toEqual([get]);
    expect(handlers.of('/api/orders/{id}', 'post')).toEqual([post]);
    expect(handlers.of('/api/orders/{id}', 'put')).toEqual([]);
    expect(handlers.of('/api/orders/{other}', 'get')).toEqual([]);
    expect(handlers.of('/api/all', 'search')).toEqual([all]);
    expect(handlers.of('/orders/{id}', 'get')).toEqual([]);
    expect(handlers.of('/status', 'get')).toEqual([status]);
  });

  it('knows handlers of HTTP only', () => {
    expect(new DocumentedHandlers(doors, [], '').of('/api/query', 'get')).toEqual([]);
  });

  it.each(['api', '/api', 'api/', '/api/'])(
    'takes a document without the prefix %s for one that leaves it out',
    (prefix) => {
      const handlers = new DocumentedHandlers(doors, ['/orders/{id}', '/status', '/apish'], prefix);
      expect(handlers.of('/orders/{id}', 'get')).toEqual([get]);
      // Either may be meant.
      expect(handlers.of('/status', 'get')).toEqual([status, prefixed]);
    },
  );

  it('knows the root behind a prefix', () => {
    const root = door('GET', '/api');
    expect(new DocumentedHandlers([root], ['/'], 'api').of('/', 'get')).toEqual([root]);
    expect(new DocumentedHandlers([root], ['/api'], 'api').of('/api', 'get')).toEqual([root]);
  });
});
