import { change, type Files, textOf } from './files.js';
import { addImports, isTaken, localNameOf } from './import-statements.js';
import type { RootModule } from './root-module.js';
import { CannotEdit, codeOf, ifUnderstood, indentAt, splice } from './source-text.js';
import { inStyle, styleOf } from './style.js';

/** Whether a controller is the one of `nest new`, whose route is closed like every other. */
function isClosedHelloWorld(source: string): boolean {
  const code = codeOf(source);
  return (
    rootRoutes(code).length === 1 && code.includes('getHello()') && localNameOf('Public', source, code) === undefined
  );
}

/**
 * Puts `@Public()` on the hello-world route of `nest new`: the one handler of a controller without a path that is
 * `@Get()`. Gives the source back as it is where the route is open already.
 *
 * @throws CannotEdit when there is no such handler, or several
 */
function openRoot(source: string, width: number): string {
  const code = codeOf(source);
  const style = styleOf(source, code, width);
  const [route, another] = rootRoutes(code);
  if (route === undefined || another !== undefined) {
    throw new CannotEdit('it has not exactly one @Get() handler in a @Controller() without a path');
  }
  const imported = localNameOf('Public', source, code);
  if (imported !== undefined) return source;
  if (isTaken('Public', code)) throw new CannotEdit('it has a Public already');

  const end = route.index + route[0].length;
  const edited = splice(source, end, `${style.newline}${indentAt(source, route.index + 1)}@Public()`);
  return addImports(
    edited,
    codeOf(edited),
    [inStyle("import { Public } from 'nestjs-resource-server';", style)],
    style,
  );
}

function rootRoutes(code: string): readonly RegExpExecArray[] {
  return code.includes('@Controller()') ? [...code.matchAll(/^[ \t]*@Get\(\)[ \t]*(?=\r?\n)/gm)] : [];
}

/** @returns what is left to do by hand */
export function openHelloWorld(files: Files, root: RootModule, wanted: boolean, width: number): readonly string[] {
  if (!wanted) return [];
  const controller = controllerOf(files, root);
  if (controller === undefined) {
    return [`--open-root: there is no controller beside ${root.path}. Put @Public() on the route that is to be open.`];
  }
  const { path, source } = controller;
  try {
    change(files, path, openRoot(source, width));
    return [];
  } catch (error) {
    if (!(error instanceof CannotEdit)) throw error;
    return [`--open-root: ${path} was not changed: ${error.message}. Put @Public() on the route that is to be open.`];
  }
}

/** The controller beside the root module, as `nest new` puts it. */
function controllerOf(files: Files, root: RootModule): { path: string; source: string } | undefined {
  const path = root.path.replace(/module\.ts$/, 'controller.ts');
  const source = path === root.path ? undefined : textOf(files, path);
  return source === undefined ? undefined : { path, source };
}

/** Both as `nest new` made them: a route that is asked without parameters, and what it answers. */
export function isHelloWorld(files: Files, root: RootModule): boolean {
  const controller = controllerOf(files, root);
  const service = textOf(files, root.path.replace(/module\.ts$/, 'service.ts')) ?? '';
  return (
    /return (['"])Hello World!\1/.test(service) &&
    controller !== undefined &&
    ifUnderstood(controller.source, () => isClosedHelloWorld(controller.source)) === true
  );
}
