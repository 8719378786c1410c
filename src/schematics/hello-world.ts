import type { Project } from './project.js';
import { PACKAGE, type SourceFile } from './source-file.js';
import type { Workspace } from './workspace.js';

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
