/* The types without a registered user type. Lines with ts-expect-error must not compile. */
import { ParseIntPipe } from '@nestjs/common';
import {
  AccessToken,
  type AccessTokenClaims,
  AuthModule,
  type AuthOptions,
  CurrentUser,
  type VerifiedAccessToken,
} from 'nestjs-resource-server';

const issuer = 'https://issuer.example.com/';
const audience = 'https://api.example.com';

AuthModule.forRoot({ issuer, audience });
AuthModule.forRoot({ issuer, audience: [audience, 'other'], guard: 'manual', isGlobal: false });
AuthModule.forRoot({ issuers: [{ issuer, audience }], tokenTypes: ['at+jwt', undefined] });
AuthModule.forRoot({ issuers: (name) => (name === issuer ? { issuer, audience } : undefined) });
AuthModule.forRoot({ issuers: (name) => Promise.resolve({ issuer: name, audience }) });
AuthModule.forRoot({ issuer, audience, keys: { from: 'jwks', uri: issuer, refreshSeconds: 60 } });
// A preset and other options.
AuthModule.forRoot({ ...{ issuer, audience }, keys: { from: 'jwks', uri: issuer }, warmUp: 'background' });
AuthModule.forRoot({ issuer, audience, user: ({ claims }) => ({ id: claims.sub }) });
AuthModule.forRoot({ issuer, audience, user: () => Promise.resolve(null) });
AuthModule.forRoot({ issuer, audience, validate: ({ claims }) => claims.tenant === 'acme' });
AuthModule.forRoot({ issuer, audience, validate: () => Promise.resolve(true) });
AuthModule.forRootAsync({ useFactory: () => ({ issuer, audience }) });
AuthModule.forRootAsync({ guard: 'manual', inject: ['x'], useFactory: (from: string) => ({ issuer: from, audience }) });

// The identifier of the resource is the default for the audience.
const resource = { identifier: audience };
AuthModule.forRoot({ issuer, resource });
AuthModule.forRoot({ issuers: [{ issuer }, { issuer: 'https://b.example.com', audience }], resource });
AuthModule.forRoot({ issuer, audience, publicUrl: audience, resources: { '/mcp': { audience: 'tools' } } });

// @ts-expect-error an audience is required beside resources with a path
AuthModule.forRoot({ issuer, resources: { '/mcp': { identifier: audience } } });
// @ts-expect-error an audience is required
AuthModule.forRoot({ issuer });
// @ts-expect-error an issuer is required
AuthModule.forRoot({ audience });
// @ts-expect-error an unset variable is no audience
AuthModule.forRoot({ issuer, audience: process.env.AUTH_AUDIENCE });
// @ts-expect-error each issuer requires its audience
AuthModule.forRoot({ issuers: [{ issuer }] });
// @ts-expect-error issuer and issuers exclude each other
AuthModule.forRoot({ issuer, audience, issuers: [{ issuer, audience }] });
// @ts-expect-error keys are set in each of the issuers
AuthModule.forRoot({ issuers: [{ issuer, audience }], keys: { from: 'jwks', uri: issuer } });
// @ts-expect-error symmetric algorithms are not accepted
AuthModule.forRoot({ issuer, audience, algorithms: ['HS256'] });
// @ts-expect-error the algorithm none is not accepted
AuthModule.forRoot({ issuer, audience, algorithms: ['none'] });
// @ts-expect-error the option is unknown
AuthModule.forRoot({ issuer, audience, ignoreExpiration: true });
// @ts-expect-error jwks requires an address
AuthModule.forRoot({ issuer, audience, keys: { from: 'jwks' } });
// @ts-expect-error static keys have no address
AuthModule.forRoot({ issuer, audience, keys: { from: 'static', uri: issuer } });
declare const groups: readonly string[] | undefined;
// @ts-expect-error undefined does not accept a token
AuthModule.forRoot({ issuer, audience, validate: () => groups?.includes('staff') });
// @ts-expect-error a function that returns nothing does not accept a token
AuthModule.forRoot({ issuer, audience, validate: () => {} });
// @ts-expect-error the check of a preset has no name
AuthModule.forRoot({ issuer, audience, presetCheck: () => {} });
// @ts-expect-error the guard is set beside the factory
AuthModule.forRootAsync({ useFactory: () => ({ issuer, audience, guard: 'manual' as const }) satisfies AuthOptions });

class MyUser {
  id = '';
}

export class HandlerDiscovery {
  unknownUser(@CurrentUser() _user: MyUser, @CurrentUser('anything') _property: number): void {}

  claims(@CurrentUser<AccessTokenClaims>() _claims: AccessTokenClaims): void {}

  typed(@CurrentUser<MyUser>() _user: MyUser, @CurrentUser<MyUser>('id') _id: string): void {}

  guest(@CurrentUser<MyUser>() _user: MyUser | undefined, @AccessToken() _token?: VerifiedAccessToken): void {}

  wider(@CurrentUser<MyUser>() _user: unknown, @CurrentUser<MyUser>() _any: object): void {}

  // @ts-expect-error MyUser is no string
  wrongUser(@CurrentUser<MyUser>() _user: string): void {}

  // @ts-expect-error the id is a string
  wrongProperty(@CurrentUser<MyUser, 'id'>('id') _id: number): void {}

  // @ts-expect-error MyUser has no such property
  noProperty(@CurrentUser<MyUser>('name') _name: string): void {}

  /** A pipe may change the type. */
  piped(@CurrentUser('name', ParseIntPipe) _id: number, @CurrentUser(undefined, ParseIntPipe) _all: number): void {}

  // @ts-expect-error a verified token is no string
  wrongToken(@AccessToken() _token: string): void {}
}

declare const takes: { number(value: number): void; strings(value: readonly string[]): void };

export function readonly(claims: AccessTokenClaims, token: VerifiedAccessToken): void {
  takes.number(claims.exp);
  takes.strings(token.scopes);
  // @ts-expect-error an opaque token has no header
  takes.number(token.header.alg.length);
  // @ts-expect-error the type of other claims is unknown
  takes.strings(claims.roles);
  // @ts-expect-error claims are readonly
  claims.sub = 'admin';
}
