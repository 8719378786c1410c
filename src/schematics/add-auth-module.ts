import type ts from 'typescript';
import { inspect } from 'node:util';
import type { Project } from './project.js';
import { type ProviderSetup, variableNames } from './provider-setup.js';
import { type NestModule, PACKAGE, type SourceFile } from './source-file.js';
import type { Workspace } from './workspace.js';

/** @throws CannotEdit if `imports` is not an array literal in `@Module({ … })` */
export function addAuthModule({ source, decorator }: NestModule, setup: ProviderSetup): void {
  const { ts } = source;
  const [importLines, element] = snippetFor(source, setup);
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
  source.insertImports(importLines);
}

export function manualLines(setup: ProviderSetup): string {
  const [importLines, element] = snippetOf(setup);
  return `${importLines}\n\n@Module({\n  imports: [\n    ${element.replaceAll('\n', '\n    ')},\n  ],\n})`;
}

type Snippet = readonly [importLines: string, element: string];

/** Returns the snippet with an alias for each name that the file uses for something else. */
function snippetFor(source: SourceFile, setup: ProviderSetup): Snippet {
  let snippet = snippetOf(setup);
  for (const name of ['AuthModule', setup.preset, 'requiredEnv']) {
    if (source.identifiers(name).length === 0) continue;
    const alias = name === 'AuthModule' ? 'ResourceServerModule' : `${name}Preset`;
    if (source.identifiers(alias).length > 0)
      throw source.cannotEdit(`it uses the names ${name} and ${alias} for something else`);
    const [importLines, element] = snippet;
    snippet = [importLines.replace(name, `${name} as ${alias}`), element.replace(name, alias)];
  }
  return snippet;
}

function snippetOf(setup: ProviderSetup): Snippet {
  const { preset } = setup;
  const importLines = (names: string) =>
    `import { AuthModule } from '${PACKAGE}';\nimport { ${names} } from '${PACKAGE}/presets';`;
  if (preset === 'fromEnv') return [importLines(preset), 'AuthModule.forRootAsync({ useFactory: () => fromEnv() })'];
  const members = (values: object, indent: string) =>
    Object.entries(values)
      .map(([name, value]) => `\n${indent}${name}: ${inspect(value)},`)
      .join('');
  const environment = `requiredEnv({${members(variableNames(setup), ' '.repeat(8))}\n      })`;
  const constants = members(setup.constants, ' '.repeat(6));
  const argument =
    constants === '' ? `\n      ${environment},\n    ` : `{\n      ...${environment},${constants}\n    }`;
  const element = `AuthModule.forRootAsync({\n  useFactory: () =>\n    ${preset}(${argument}),\n})`;
  return [importLines(`${preset}, requiredEnv`), element];
}

/** Adds an item before the first one, because comments may follow the last one. */
function addFirst(source: SourceFile, literal: ts.Node, item: string, hasOthers: boolean): void {
  const [start, newline] = /^[[{][ \t]*(\r?\n)?/.exec(literal.getText()) ?? [''];
  if (newline !== undefined) source.insert(literal.getStart() + 1, `\n${item},`.replaceAll('\n', '\n  '));
  else source.insert(literal.getStart() + start.length, hasOthers ? `${item}, ` : item);
}

/** Adds `@Public()` to the hello-world route of `nest new`, in the controller beside the root module. */
export function openHelloWorld(workspace: Workspace, { rootModule }: Project): void {
  const importLine = `import { Public } from '${PACKAGE}';`;
  const edit = (source: SourceFile) => {
    if (source.uses('Public')) return;
    const withoutPath = (name: string) => source.decorators(name).filter((call) => call.arguments.length === 0);
    const controllers = withoutPath('Controller').map(({ parent }) => parent.parent);
    const [route, another] = withoutPath('Get').filter(({ parent }) => controllers.includes(parent.parent.parent));
    if (route === undefined || another !== undefined)
      throw source.cannotEdit('it does not have exactly one @Get() handler in a @Controller() without a path');
    if (source.identifiers('Public').length > 0) throw source.cannotEdit('it uses the name Public for something else');
    source.insert(route.end, '\n@Public()');
    source.insertImports(importLine);
  };
  const path = rootModule.source.path.replace(/(?:module)?\.ts$/, 'controller.ts');
  const manualStep = `For --open-root, add \`${importLine}\` and put @Public() on the handler of the route.`;
  workspace.edit(path, edit, manualStep);
}
