import { describe, expect, it } from '@jest/globals';
import { format } from 'prettier';
import { addAuthModule } from '../../../src/schematics/module-imports.js';
import { setupOf } from '../../../src/schematics/providers.js';
import { CannotEdit } from '../../../src/schematics/source-text.js';

const FROM_ENV = setupOf('other', undefined, undefined);
const OKTA = setupOf('okta', undefined, undefined);
const CALL = 'AuthModule.forRootAsync({ useFactory: () => fromEnv() })';

/** A module with the metadata, behind one import. */
function moduleWith(metadata: string, before = ''): string {
  return `import { Module } from '@nestjs/common';\n${before}\n@Module(${metadata})\nexport class AppModule {}\n`;
}

function metadataAfter(metadata: string, setup = FROM_ENV): string {
  const edited = addAuthModule(moduleWith(metadata), 'AppModule', setup, 80);
  return /@Module\(([\s\S]*)\)\nexport class AppModule/.exec(edited)?.[1] ?? '';
}

describe('the imports of a module', () => {
  it.each([
    ['{ imports: [] }', `{ imports: [${CALL}] }`],
    ['{}', `{\n  imports: [${CALL}],\n}`],
    ['{ providers: [A] }', `{ imports: [${CALL}], providers: [A] }`],
    ['{\n  providers: [A],\n}', `{\n  imports: [${CALL}],\n  providers: [A],\n}`],
    ['{\n  imports: [A],\n}', `{\n  imports: [A, ${CALL}],\n}`],
    [
      '{\n  imports: [First, SecondModule],\n}',
      `{\n  imports: [\n    First,\n    SecondModule,\n    ${CALL},\n  ],\n}`,
    ],
    ['{\n  imports: [\n    A,\n    B,\n  ],\n}', `{\n  imports: [\n    A,\n    B,\n    ${CALL},\n  ],\n}`],
    ['{\n  imports: [\n    A,\n    B\n  ]\n}', `{\n  imports: [\n    A,\n    B,\n    ${CALL}\n  ]\n}`],
    ["{\n  'imports': [A],\n}", `{\n  'imports': [A, ${CALL}],\n}`],
  ])('%j become %j', (before, after) => {
    expect(metadataAfter(before)).toBe(after);
  });

  it('keep comments where they are', () => {
    expect(
      metadataAfter(`{
  // first what is ours: imports: [
  imports: [
    /* A, */ B, // why B
    // C,
  ], // the end
  providers: [],
}`),
    ).toBe(`{
  // first what is ours: imports: [
  imports: [
    /* A, */ B, // why B
    // C,
    ${CALL},
  ], // the end
  providers: [],
}`);
    expect(metadataAfter('{\n  imports: [\n    A // no comma, yet\n  ],\n}')).toBe(
      `{\n  imports: [\n    A, // no comma, yet\n    ${CALL}\n  ],\n}`,
    );
    expect(metadataAfter('{\n  imports: [\n    // nothing yet\n  ],\n}')).toBe(
      `{\n  imports: [\n    // nothing yet\n    ${CALL},\n  ],\n}`,
    );
    expect(metadataAfter('{\n  imports: [A /* , ] */],\n}')).toBe(
      `{\n  imports: [\n    A /* , ] */,\n    ${CALL},\n  ],\n}`,
    );
    expect(metadataAfter('{ imports: [/* a */ A /* b, */, B /* c */, ] }')).toContain(
      `/* a */ A /* b, */,\n  B /* c */,\n`,
    );
  });

  it('leave the comment of an import beside it', () => {
    const before = "import { ConfigModule } from '@nestjs/config'; // why, and not: ;";
    const edited = addAuthModule(moduleWith('{ imports: [] }', before), 'AppModule', FROM_ENV, 80);
    expect(edited).toContain(`${before}\nimport { AuthModule } from 'nestjs-resource-server';\n`);
    const two = "import { A } from 'a'; import { B } from 'b'; const c = 1;";
    const beside = addAuthModule(moduleWith('{ imports: [] }', two), 'AppModule', FROM_ENV, 80);
    expect(beside).toContain("import { AuthModule } from 'nestjs-resource-server';");
    expect(beside).toContain('const c = 1;');
  });

  it('may have calls, spreads, templates, regular expressions and brackets in strings', () => {
    const metadata = `{
  imports: [
    ConfigModule.forRoot({ envFilePath: ['.env', \`\${ENV}]\`], match: /[)\\]]\\/"/ }),
    ...OTHERS,
    "]".length > 0 ? A : B,
  ],
}`;
    expect(metadataAfter(metadata)).toBe(metadata.replace('\n  ],\n}', `\n    ${CALL},\n  ],\n}`));
  });

  it('have a preset with its parameters on lines of their own', async () => {
    const edited = addAuthModule(moduleWith('{\n  imports: [A],\n}'), 'AppModule', OKTA, 80);
    expect(edited).toContain(`
  imports: [
    A,
    AuthModule.forRootAsync({
      useFactory: () =>
        okta(
          requiredEnv({
            domain: 'OKTA_DOMAIN',
            authorizationServerId: 'OKTA_AUTHORIZATION_SERVER_ID',
            audience: 'AUTH_AUDIENCE',
          }),
        ),
    }),
  ],
`);
    expect(edited).toBe(await format(edited, { parser: 'typescript', singleQuote: true }));
  });

  it('are those of the class that is named', () => {
    const source = `${moduleWith('{ imports: [] }')}\n@Global()\n@Module({ imports: [A] })\nclass OtherModule {}\n`;
    expect(addAuthModule(source, 'OtherModule', FROM_ENV, 120)).toContain(`@Module({ imports: [A, ${CALL}] })`);
    expect(addAuthModule(source, 'AppModule', FROM_ENV, 120)).toContain('@Module({ imports: [A] })');
  });
});

describe('the import statements of a module', () => {
  const importsAfter = (before: string) =>
    addAuthModule(moduleWith('{ imports: [] }', before), 'AppModule', FROM_ENV, 80).split('\n@Module')[0];

  it('get ours behind those of other packages', () => {
    expect(importsAfter("import {\n  A,\n} from 'a';\nimport { B } from './b';\n")).toBe(
      `import { Module } from '@nestjs/common';
import {
  A,
} from 'a';
import { AuthModule } from 'nestjs-resource-server';
import { fromEnv } from 'nestjs-resource-server/presets';
import { B } from './b';
`,
    );
  });

  it('may have attributes, side effects, comments behind them and other spellings', () => {
    const before = `import data from 'data' with { type: 'json' }; // why
import 'reflect-metadata';
import old = require('old');
// import { AuthModule } from 'nestjs-resource-server';
`;
    expect(importsAfter(before)).toBe(`import { Module } from '@nestjs/common';
import data from 'data' with { type: 'json' }; // why
import 'reflect-metadata';
import old = require('old');
import { AuthModule } from 'nestjs-resource-server';
import { fromEnv } from 'nestjs-resource-server/presets';
// import { AuthModule } from 'nestjs-resource-server';
`);
  });

  it('name ours otherwise, where the application has a module of that name', () => {
    const before = "import { AuthModule } from './auth/auth.module';\nimport { fromEnv } from './environment';\n";
    const edited = addAuthModule(moduleWith('{ imports: [AuthModule] }', before), 'AppModule', FROM_ENV, 120);
    expect(edited).toContain("import { AuthModule as ResourceServerModule } from 'nestjs-resource-server';");
    expect(edited).toContain("import { fromEnv as fromEnvPreset } from 'nestjs-resource-server/presets';");
    expect(edited).toContain('[AuthModule, ResourceServerModule.forRootAsync({ useFactory: () => fromEnvPreset() })]');
  });
});

describe('a module that is left as it is', () => {
  it.each([
    ['{ imports: SHARED }', 'not written there as a list'],
    ['{ imports }', 'not written there as a list'],
    ['{ imports: [A].concat(B) }', 'not written there as a list'],
    ['{ imports: [A] as const }', 'not written there as a list'],
    ['{ ...shared, providers: [] }', 'a spread'],
    ["{ ['imports']: [] }", 'a computed name'],
    ['{ imports: [], imports: [] }', 'twice'],
    ['metadata', 'not written there as an object'],
    ['', 'not written there as an object'],
    ['{ imports: [] }, more', 'not written there as an object'],
    ['Object.freeze({ imports: [] })', 'not written there as an object'],
    ['{ imports: [A(] }', 'brackets do not match'],
    ["{ imports: ['A] }", 'a string in it does not end'],
    ['{ imports: [`A] }', 'a template in it does not end'],
    ['{ imports: [/* A] }', 'a comment in it does not end'],
  ])('with @Module(%s)', (metadata, reason) => {
    const attempt = () => addAuthModule(moduleWith(metadata), 'AppModule', FROM_ENV, 80);
    expect(attempt).toThrow(CannotEdit);
    expect(attempt).toThrow(reason);
  });

  it('with another class', () => {
    expect(() => addAuthModule(moduleWith('{}'), 'OtherModule', FROM_ENV, 80)).toThrow('no class OtherModule');
  });

  it('with both names taken', () => {
    const before = "import { AuthModule, ResourceServerModule } from './auth';\n";
    expect(() => addAuthModule(moduleWith('{}', before), 'AppModule', FROM_ENV, 80)).toThrow(
      'it has a AuthModule and a ResourceServerModule already',
    );
  });
});
