import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Module, Sse, UseGuards, Version } from '@nestjs/common';
import { ModulesContainer, RouterModule } from '@nestjs/core';
import { GraphQLModule, Query, ResolveField, ResolveReference, Resolver } from '@nestjs/graphql';
import { ApolloDriver } from '@nestjs/apollo';
import { EventPattern, MessagePattern, Transport } from '@nestjs/microservices';
import { of } from 'rxjs';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { HandlerDiscovery } from '../../../src/nest/routes/handler-discovery.js';
import * as metadata from '../../../src/nest/nest-internals.js';

class SomeGuard {
  readonly canActivate = () => true;
}

class Dependency {
  readonly name = 'dependency';
}

@Controller({ path: 'cats', version: '1' })
@UseGuards(SomeGuard)
class CatsController {
  @Inject(Dependency) property!: Dependency;

  constructor(@Inject('token') readonly declared: string) {}

  @Get('list')
  @Version('2')
  @UseGuards(SomeGuard)
  list() {
    return [];
  }

  @Sse('stream')
  stream() {
    return of({ data: '' });
  }

  @MessagePattern({ cmd: 'feed' }, Transport.NATS)
  feed() {
    return 'fed';
  }

  @EventPattern('fed')
  fed(_data: unknown) {
    return undefined;
  }
}

@Injectable()
class Typed {
  constructor(readonly dependency: Dependency) {}
}

@WebSocketGateway(0, { namespace: 'cats' })
class CatsGateway {
  @SubscribeMessage('meow')
  meow() {
    return 'meow';
  }
}

@Resolver('Cat')
class CatsResolver {
  @Query(() => String, { name: 'allCats' })
  cats() {
    return 'cats';
  }

  @ResolveField('kittens', () => String)
  kittens() {
    return 'kittens';
  }

  @ResolveReference()
  reference() {
    return 'reference';
  }
}

function methodOf(type: { prototype: unknown }, name: string): object {
  return (type.prototype as Record<string, object>)[name] ?? {};
}

const list = methodOf(CatsController, 'list');
const feed = methodOf(CatsController, 'feed');
const fed = methodOf(CatsController, 'fed');
const meow = methodOf(CatsGateway, 'meow');
const cats = methodOf(CatsResolver, 'cats');
const kittens = methodOf(CatsResolver, 'kittens');

describe("The metadata of Nest's decorators", () => {
  const expected: [
    name: Exclude<Extract<keyof typeof metadata, Uppercase<string>>, 'MODULE_PATH' | 'GRAPHQL_MODULE_OPTIONS'>,
    holder: object,
    value: unknown,
  ][] = [
    ['PATH_METADATA', CatsController, 'cats'],
    ['PATH_METADATA', list, 'list'],
    ['METHOD_METADATA', list, 0],
    ['VERSION_METADATA', CatsController, '1'],
    ['VERSION_METADATA', list, '2'],
    ['GUARDS_METADATA', CatsController, [SomeGuard]],
    ['GUARDS_METADATA', list, [SomeGuard]],
    ['SSE_METADATA', methodOf(CatsController, 'stream'), true],
    ['PARAMTYPES_METADATA', Typed, [Dependency]],
    ['SELF_DECLARED_DEPS_METADATA', CatsController, [{ index: 0, param: 'token' }]],
    ['PROPERTY_DEPS_METADATA', CatsController, [{ key: 'property', type: Dependency }]],
    ['GATEWAY_METADATA', CatsGateway, true],
    ['GATEWAY_OPTIONS', CatsGateway, { namespace: 'cats' }],
    ['MESSAGE_MAPPING_METADATA', meow, true],
    ['MESSAGE_METADATA', meow, 'meow'],
    ['PATTERN_METADATA', feed, [{ cmd: 'feed' }]],
    ['PATTERN_METADATA', fed, ['fed']],
    ['TRANSPORT_METADATA', feed, Transport.NATS],
    ['PATTERN_HANDLER_METADATA', feed, 1],
    ['PATTERN_HANDLER_METADATA', fed, 2],
    ['RESOLVER_TYPE_METADATA', cats, 'Query'],
    ['RESOLVER_NAME_METADATA', cats, 'allCats'],
    ['RESOLVER_NAME_METADATA', CatsResolver, 'Cat'],
    ['RESOLVER_PROPERTY_METADATA', kittens, true],
    ['RESOLVER_NAME_METADATA', kittens, 'kittens'],
    ['RESOLVER_REFERENCE_METADATA', methodOf(CatsResolver, 'reference'), true],
  ];

  it.each(expected)('is stored under %s', (name, holder, value) => {
    expect(Reflect.getMetadata(metadata[name], holder)).toStrictEqual(value);
  });

  it('is tested for every key', () => {
    const names = [...expected.map(([name]) => name as string), 'MODULE_PATH', 'GRAPHQL_MODULE_OPTIONS'];
    expect([...new Set(names)].sort()).toStrictEqual(
      Object.keys(metadata)
        .filter((name) => name === name.toUpperCase())
        .sort(),
    );
  });

  it('is stored under MODULE_PATH with the id of the application', async () => {
    @Module({})
    class CatsModule {}
    const app = await Test.createTestingModule({
      imports: [CatsModule, RouterModule.register([{ path: 'animals', module: CatsModule }])],
    }).compile();
    const { applicationId } = app.get(ModulesContainer);
    expect(Reflect.getMetadata(metadata.MODULE_PATH + applicationId, CatsModule)).toBe('/animals');
  });

  it('is provided under GRAPHQL_MODULE_OPTIONS', async () => {
    const app = await Test.createTestingModule({
      imports: [
        GraphQLModule.forRoot({ driver: ApolloDriver, autoSchemaFile: true, fieldResolverEnhancers: ['guards'] }),
      ],
    }).compile();
    expect(app.get(metadata.GRAPHQL_MODULE_OPTIONS, { strict: false })).toMatchObject({
      fieldResolverEnhancers: ['guards'],
    });
    const handlers = new HandlerDiscovery(app.get(ModulesContainer), { getGlobalPrefix: () => '' } as never);
    expect(handlers.graphqlOptions().map(({ fieldResolverEnhancers }) => fieldResolverEnhancers)).toStrictEqual([
      ['guards'],
    ]);
  });
});
