import type { OpenAPIObject } from '@nestjs/swagger';

// The package exports the whole only; its parts are taken from there, so that it stays one with what it accepts.
export type Components = NonNullable<OpenAPIObject['components']>;
export type PathItem = OpenAPIObject['paths'][string];
export type Operation = NonNullable<PathItem['get']>;
export type SecurityRequirement = NonNullable<Operation['security']>[number];
export type SecurityScheme = Exclude<NonNullable<Components['securitySchemes']>[string], { $ref: string }>;
export type Schema = Exclude<NonNullable<Components['schemas']>[string], { $ref: string }>;
export type Response = Exclude<NonNullable<Components['responses']>[string], { $ref: string }>;
export type Reference = Extract<NonNullable<Components['responses']>[string], { $ref: string }>;
