/* The types with a registered user type: `user` must return it, and `@CurrentUser()` needs no type argument. */
import { AuthModule, CurrentUser } from 'nestjs-resource-server';

interface MyUser {
  readonly id: string;
  readonly age: number;
}

declare module 'nestjs-resource-server' {
  interface Register {
    user: MyUser;
  }
}

const issuer = 'https://issuer.example.com/';
const audience = 'https://api.example.com';

AuthModule.forRoot({ issuer, audience, user: ({ claims }) => ({ id: claims.sub ?? '', age: 1 }) });
AuthModule.forRoot({ issuer, audience, user: () => Promise.resolve(null) });
// @ts-expect-error that is not the registered user
AuthModule.forRoot({ issuer, audience, user: ({ claims }) => ({ name: claims.sub }) });

export class HandlerDiscovery {
  user(@CurrentUser() _user: MyUser, @CurrentUser('id') _id: string, @CurrentUser('age') _age?: number): void {}

  // @ts-expect-error the registered user is no string
  wrongUser(@CurrentUser() _user: string): void {}

  // @ts-expect-error the age is a number
  wrongProperty(@CurrentUser('age') _age: string): void {}

  // @ts-expect-error the registered user has no such property
  noProperty(@CurrentUser('name') _name: string): void {}
}
