import { posix } from 'node:path';
import type ts from 'typescript';
import type { Project } from './project.js';
import { PACKAGE, type SourceFile } from './source-file.js';
import type { Workspace } from './workspace.js';

/** Matches the packages that Jest need not transform. pnpm puts the others further down, hence the `.*`. */
const PATTERN = `/node_modules/(?!.*(${PACKAGE}|@nestjs/passport|jose)/)`;

const MANUAL_STEP = `Jest must transform ${PACKAGE}, @nestjs/passport and jose, which are ES modules. Set "transformIgnorePatterns": [${JSON.stringify(PATTERN)}]`;

/**
 * Lets Jest transform the ES modules of this package and its dependencies. An application of ES modules does not need that.
 * @returns the steps that are left to the user
 */
export function configureJest(workspace: Workspace, project: Project): readonly string[] {
  if (workspace.readJson('package.json').type === 'module' || !workspace.dependencies().has('jest')) return [];
  const endToEnd = posix.join(project.testRoot, 'jest-e2e.json');
  const others = ['js', 'cjs', 'mjs', 'ts', 'json'].map((extension) => `jest.config.${extension}`);
  const exists = (path: string) => workspace.read(path) !== undefined;
  return [
    ...workspace.edit('package.json', addPattern('"jest"'), MANUAL_STEP),
    ...(exists(endToEnd) ? workspace.edit(endToEnd, addPattern(), MANUAL_STEP) : []),
    ...others.filter(exists).map((path) => `${path} was not changed. ${MANUAL_STEP}`),
  ];
}

/**
 * Returns an edit that adds the pattern to a configuration that has a `transform`.
 * @param owner the property that has the configuration; without it, the whole file is the configuration
 */
function addPattern(owner?: string): (source: SourceFile) => void {
  return (source) => {
    const ownerOf = (parent: ts.Node) => (source.ts.isPropertyAssignment(parent) ? parent.name.getText() : undefined);
    const properties = source.nodes
      .filter(source.ts.isPropertyAssignment)
      .filter(({ parent }) => ownerOf(parent.parent) === owner);
    const find = (name: string) => properties.find((property) => property.name.getText() === name);
    const transform = find('"transform"');
    const patterns = find('"transformIgnorePatterns"');
    if (transform === undefined || patterns?.getText().includes(PACKAGE) === true) return;
    if (patterns !== undefined) throw source.cannotEdit('it has `transformIgnorePatterns`', patterns.getStart());
    source.insert(transform.end, `,\n"transformIgnorePatterns": [\n  ${JSON.stringify(PATTERN)}\n]`);
  };
}
