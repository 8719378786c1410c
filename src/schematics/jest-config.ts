import { posix } from 'node:path';
import type { Project } from './project.js';
import { PACKAGE, type SourceFile } from './source-file.js';
import type { Workspace } from './workspace.js';

/** Matches the packages that Jest need not transform. pnpm puts the others further down, hence the `.*`. */
const PATTERN = JSON.stringify(`/node_modules/(?!.*(${PACKAGE}|@nestjs/passport|jose)/)`);

const MANUAL_STEP = `Jest must transform ${PACKAGE}, @nestjs/passport and jose, which are ES modules. Set "transformIgnorePatterns": [${PATTERN}]`;

/** Lets Jest transform the ES modules of this package and its dependencies. An application of ES modules does not need that. */
export function configureJest(workspace: Workspace, { testRoot }: Project): void {
  if (workspace.readJson('package.json').type === 'module' || !workspace.dependencies().has('jest')) return;
  const exists = (path: string) => workspace.read(path) !== undefined;
  for (const path of ['package.json', posix.join(testRoot, 'jest-e2e.json')].filter(exists))
    workspace.edit(path, addPattern, MANUAL_STEP);
  for (const path of ['js', 'cjs', 'mjs', 'ts', 'json'].map((extension) => `jest.config.${extension}`).filter(exists))
    workspace.manualSteps.push(`${path} was not changed. ${MANUAL_STEP}`);
}

/** Adds the pattern beside `transform`, which is in the outermost object of the file or in `jest`. */
function addPattern(source: SourceFile): void {
  const options = source.nodes
    .filter(source.ts.isPropertyAssignment)
    .filter(({ parent }) => /^(?:\{|"jest"\s*:)/.test(parent.parent.getText()));
  const find = (name: string) => options.find((option) => option.name.getText() === name);
  const transform = find('"transform"');
  const patterns = find('"transformIgnorePatterns"');
  if (transform === undefined || patterns?.getText().includes(PACKAGE) === true) return;
  if (patterns !== undefined) throw source.cannotEdit('it has `transformIgnorePatterns`', patterns.getStart());
  source.insert(transform.end, `,\n"transformIgnorePatterns": [\n  ${PATTERN}\n]`);
}
