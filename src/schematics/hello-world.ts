import type { Project } from './project.js';
import { PACKAGE, type SourceFile } from './source-file.js';
import type { Workspace } from './workspace.js';

/** Adds `@Public()` to the hello-world route of `nest new`, in the controller beside the root module. */
export function openHelloWorld(workspace: Workspace, { rootModule }: Project): void {
  const importLine = `import { Public } from '${PACKAGE}';`;
  const edit = (source: SourceFile) => {
    if (source.uses('Public')) return;
    const [route, another] = source.nodes.flatMap((node) => {
      const get = source.decorator(node, 'Get');
      const controller = source.decorator(node.parent, 'Controller');
      return get?.arguments.length === 0 && controller?.arguments.length === 0 ? [get] : [];
    });
    if (route === undefined || another !== undefined)
      throw source.cannotEdit('it does not have exactly one @Get() handler in a @Controller() without a path');
    if (source.hasIdentifier('Public')) throw source.cannotEdit('it uses the name Public for something else');
    source.insert(route.end, '\n@Public()');
    source.insertImports(importLine);
  };
  const path = rootModule.source.path.replace(/(?:module)?\.ts$/, 'controller.ts');
  const manualStep = `For --open-root, add \`${importLine}\` and put @Public() on the handler of the route.`;
  workspace.edit(path, edit, manualStep);
}
