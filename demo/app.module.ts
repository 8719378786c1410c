import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { type DynamicModule, Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { AuthModule, type AuthOptions } from 'nestjs-resource-server';
import { McpController } from './mcp/mcp.controller.js';
import { OrdersGateway } from './orders.gateway.js';
import { OrdersResolver } from './orders.resolver.js';
import { OrderOwner, Orders, OrdersController } from './orders.js';

/** The orders API over HTTP, GraphQL and WebSocket, and for agents (MCP). */
@Module({})
export class AppModule {
  static for(options: AuthOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        AuthModule.forRoot(options),
        GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true, graphiql: false }),
      ],
      controllers: [OrdersController, McpController],
      providers: [Orders, OrderOwner, OrdersResolver, OrdersGateway],
    };
  }
}
