import { ApolloFederationDriver, type ApolloFederationDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { Directive, Field, GraphQLModule, ID, ObjectType, Query, Resolver, ResolveReference } from '@nestjs/graphql';
import { AuthModule, CurrentUser, RequireScopes } from 'nestjs-resource-server';

@ObjectType()
@Directive('@key(fields: "id")')
export class User {
  @Field(() => ID)
  id!: string;
}

@Resolver(() => User)
export class UsersResolver {
  @Query(() => User)
  me(@CurrentUser('sub') id: string): User {
    return { id };
  }

  @ResolveReference()
  @RequireScopes('read:users')
  user({ id }: User): User {
    return { id };
  }
}

@Module({
  imports: [
    AuthModule.forRoot({ issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' }),
    GraphQLModule.forRoot<ApolloFederationDriverConfig>({
      driver: ApolloFederationDriver,
      autoSchemaFile: { federation: 2 },
      fieldResolverEnhancers: ['guards'],
    }),
  ],
  providers: [UsersResolver],
})
export class UsersSubgraphModule {}
