import type ts from 'typescript';
import type { ProviderSetup } from './provider-setup.js';
import { type NestModule, PACKAGE, type SourceFile } from './source-file.js';

/**
 * Adds `AuthModule.forRootAsync(…)` to the `imports` of a module, and the import statements that it needs.
 * @throws CannotEdit if `imports` is not an array literal in `@Module({ … })`
 */
export function addAuthModule({ source, decorator }: NestModule, setup: ProviderSetup): void {
  const { ts } = source;
  const authModule = availableName(source, 'AuthModule', 'ResourceServerModule');
  const preset = availableName(source, setup.preset, `${setup.preset}Preset`);
  const requiredEnv = availableName(source, 'requiredEnv', 'requiredEnvironment');
  const element = authModuleCall(authModule.local, preset.local, requiredEnv.local, setup);

  const [metadata, another] = decorator.arguments;
  if (metadata === undefined || another !== undefined || !ts.isObjectLiteralExpression(metadata))
    throw source.cannotEdit('the argument of its @Module() is not an object literal', decorator.getStart());
  const unclear = metadata.properties.find(({ name }) => name === undefined || ts.isComputedPropertyName(name));
  if (unclear !== undefined)
    throw source.cannotEdit('a spread or a computed name in its @Module() may set `imports`', unclear.getStart());
  const imports = metadata.properties.find(({ name }) => /^['"]?imports['"]?$/.test(name?.getText() ?? ''));
  if (imports === undefined) {
    addFirst(source, metadata, `imports: [${element}]`, metadata.properties.length > 0);
  } else if (ts.isPropertyAssignment(imports) && ts.isArrayLiteralExpression(imports.initializer)) {
    addFirst(source, imports.initializer, element, imports.initializer.elements.length > 0);
  } else {
    throw source.cannotEdit('`imports` in its @Module() is not an array literal', imports.getStart());
  }
  const presets = setup.preset === 'fromEnv' ? [preset] : [preset, requiredEnv];
  source.insertImports(importLines(authModule.specifier, presets.map(({ specifier }) => specifier).join(', ')));
}

/** Returns what to add to the root module by hand. */
export function manualLines(setup: ProviderSetup): string {
  const element = authModuleCall('AuthModule', setup.preset, 'requiredEnv', setup).replaceAll('\n', '\n    ');
  const imports = importLines('AuthModule', setup.preset === 'fromEnv' ? 'fromEnv' : `${setup.preset}, requiredEnv`);
  return `${imports.join('\n')}\n\n@Module({\n  imports: [\n    ${element},\n  ],\n})`;
}

function importLines(authModule: string, presets: string): readonly string[] {
  return [`import { ${authModule} } from '${PACKAGE}';`, `import { ${presets} } from '${PACKAGE}/presets';`];
}

function authModuleCall(authModule: string, preset: string, requiredEnv: string, setup: ProviderSetup): string {
  if (setup.preset === 'fromEnv') return `${authModule}.forRootAsync({ useFactory: () => ${preset}() })`;
  const names = setup.variables.map(
    ({ parameter, name, isList }) => `\n        ${parameter}: ${isList ? `['${name}']` : `'${name}'`},`,
  );
  const environment = `${requiredEnv}({${names.join('')}\n      })`;
  const constants = setup.constants.map(({ parameter, value }) => `\n      ${parameter}: '${value}',`);
  const argument =
    constants.length === 0
      ? `\n      ${environment},\n    `
      : `{\n      ...${environment},${constants.join('')}\n    }`;
  return `${authModule}.forRootAsync({\n  useFactory: () =>\n    ${preset}(${argument}),\n})`;
}

function availableName(source: SourceFile, name: string, alternative: string): { local: string; specifier: string } {
  if (!source.hasIdentifier(name)) return { local: name, specifier: name };
  if (source.hasIdentifier(alternative))
    throw source.cannotEdit(`it uses the names ${name} and ${alternative} for something else`);
  return { local: alternative, specifier: `${name} as ${alternative}` };
}

/** Adds an item before the first one, because comments may follow the last one. */
function addFirst(source: SourceFile, literal: ts.Node, item: string, hasOthers: boolean): void {
  const [start, newline] = /^[[{][ \t]*(\r?\n)?/.exec(literal.getText()) ?? [''];
  if (newline !== undefined) source.insert(literal.getStart() + 1, `\n${item},`.replaceAll('\n', '\n  '));
  else source.insert(literal.getStart() + start.length, hasOthers ? `${item}, ` : item);
}
