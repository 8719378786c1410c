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
import { graphqlOptions } from '../../../src/nest/routes/graphql-handlers.js';
import { GRAPHQL_MODULE_OPTIONS, METADATA, metadataOf } from '../../../src/nest/nest-internals.js';

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
  const expected: [name: keyof typeof METADATA, holder: object, value: unknown][] = [
    ['path', CatsController, 'cats'],
    ['path', list, 'list'],
    ['method', list, 0],
    ['version', CatsController, '1'],
    ['version', list, '2'],
    ['guards', CatsController, [SomeGuard]],
    ['guards', list, [SomeGuard]],
    ['eventStream', methodOf(CatsController, 'stream'), true],
    ['parameterTypes', Typed, [Dependency]],
    ['injectedParameters', CatsController, [{ index: 0, param: 'token' }]],
    ['injectedProperties', CatsController, [{ key: 'property', type: Dependency }]],
    ['gateway', CatsGateway, true],
    ['gatewayOptions', CatsGateway, { namespace: 'cats' }],
    ['messageMapping', meow, true],
    ['message', meow, 'meow'],
    ['pattern', feed, [{ cmd: 'feed' }]],
    ['pattern', fed, ['fed']],
    ['microservice', feed, Transport.NATS],
    ['patternHandler', feed, 1],
    ['patternHandler', fed, 2],
    ['resolverType', cats, 'Query'],
    ['resolverName', cats, 'allCats'],
    ['resolverName', CatsResolver, 'Cat'],
    ['resolverProperty', kittens, true],
    ['resolverName', kittens, 'kittens'],
    ['resolverReference', methodOf(CatsResolver, 'reference'), true],
  ];

  it.each(expected)('is stored under %s', (name, holder, value) => {
    expect(metadataOf(name, holder)).toStrictEqual(value);
  });

  it('is tested for every key', () => {
    const names = new Set([...expected.map(([name]) => name), 'modulePath']);
    expect([...names].sort()).toStrictEqual(Object.keys(METADATA).sort());
  });

  it('is stored under modulePath with the id of the application', async () => {
    @Module({})
    class CatsModule {}
    const app = await Test.createTestingModule({
      imports: [CatsModule, RouterModule.register([{ path: 'animals', module: CatsModule }])],
    }).compile();
    const { applicationId } = app.get(ModulesContainer);
    expect(Reflect.getMetadata(METADATA.modulePath + applicationId, CatsModule)).toBe('/animals');
  });

  it('is provided under GRAPHQL_MODULE_OPTIONS', async () => {
    const app = await Test.createTestingModule({
      imports: [
        GraphQLModule.forRoot({ driver: ApolloDriver, autoSchemaFile: true, fieldResolverEnhancers: ['guards'] }),
      ],
    }).compile();
    expect(app.get(GRAPHQL_MODULE_OPTIONS, { strict: false })).toMatchObject({
      fieldResolverEnhancers: ['guards'],
    });
    expect(
      graphqlOptions(app.get(ModulesContainer)).map(({ fieldResolverEnhancers }) => fieldResolverEnhancers),
    ).toStrictEqual([['guards']]);
  });
});
