import type ts from 'typescript';
import type { Project } from './project.js';
import { PACKAGE, type SourceFile } from './source-file.js';
import type { Workspace } from './workspace.js';

/**
 * Adds `@Public()` to the hello-world route of `nest new`.
 * @returns the steps that are left to the user
 */
export function openHelloWorld(workspace: Workspace, project: Project): readonly string[] {
  const importLine = `import { Public } from '${PACKAGE}';`;
  const edit = (source: SourceFile) => {
    if (source.localName('Public') !== undefined) return;
    const [route, another] = rootRoutes(source);
    if (route === undefined || another !== undefined)
      throw source.cannotEdit('it does not have exactly one @Get() handler in a @Controller() without a path');
    if (source.hasIdentifier('Public')) throw source.cannotEdit('it uses the name Public for something else');
    source.insert(route.end, '\n@Public()');
    source.insertImports([importLine]);
  };
  const manualStep = `For --open-root, add \`${importLine}\` and put @Public() on the handler of the route.`;
  return workspace.edit(controllerPath(project), edit, manualStep);
}

/** Returns whether `GET /` is the hello-world route of `nest new` and requires a token. */
export function isProtectedHelloWorld(workspace: Workspace, project: Project): boolean {
  const controller = workspace.tryParse(controllerPath(project));
  if (controller === undefined || controller.localName('Public') !== undefined) return false;
  const routes = rootRoutes(controller);
  const service = workspace.read(project.modulePath.replace(/module\.ts$/, 'service.ts')) ?? '';
  const isGenerated = routes.length === 1 && routes[0]?.parent.parent.getText().includes('getHello()') === true;
  return isGenerated && /return (['"])Hello World!\1/.test(service);
}

/** The controller beside the root module, where `nest new` puts it. */
function controllerPath({ modulePath }: Project): string {
  return modulePath.replace(/(?:module)?\.ts$/, 'controller.ts');
}

/** Returns the `@Get()` decorators without a path in controllers without a path. */
function rootRoutes(source: SourceFile): readonly ts.CallExpression[] {
  return source.nodes.flatMap((node) => {
    const get = source.decorator(node, 'Get');
    const controller = source.decorator(node.parent, 'Controller');
    return get?.arguments.length === 0 && controller?.arguments.length === 0 ? [get] : [];
  });
}
