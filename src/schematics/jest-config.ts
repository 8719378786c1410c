import { posix } from 'node:path';
import { change, dependenciesOf, type Files, jsonOf, textOf } from './files.js';
import type { Project } from './root-module.js';
import { CannotEdit, closingBracket, codeOf, elementsIn, indentAt, splice } from './source-text.js';

/**
 * Jest loads ES modules of packages as CommonJS only where its transform may see them. This package is one, and so are
 * @nestjs/passport and jose, which it needs. With pnpm their folders are further down, hence the `.*`.
 */
const TRANSFORMED = '/node_modules/(?!.*(nestjs-resource-server|@nestjs/passport|jose)/)';

/**
 * Lets Jest's transform see the ES modules, in a configuration that has a `transform` of its own.
 *
 * @param key where the configuration stands in the JSON; at the top without it
 * @returns undefined where it is not such a configuration, or has that pattern already
 * @throws CannotEdit when it has other `transformIgnorePatterns`
 */
function withTransformedPackages(json: string, key?: string): string | undefined {
  const code = codeOf(json);
  let open = code.indexOf('{');
  if (key !== undefined) {
    const property = propertiesOf(json, code, open).find(({ name }) => name === key);
    if (property === undefined) return undefined;
    open = code.indexOf('{', property.start);
    if (open < 0 || open > property.end) return undefined;
  }
  if (open < 0) return undefined;
  const properties = propertiesOf(json, code, open);
  if (!properties.some(({ name }) => name === 'transform')) return undefined;
  const patterns = properties.find(({ name }) => name === 'transformIgnorePatterns');
  if (patterns !== undefined) {
    if (json.slice(patterns.start, patterns.end).includes('nestjs-resource-server')) return undefined;
    throw new CannotEdit('it has `transformIgnorePatterns` already');
  }

  const last = properties.at(-1);
  const first = properties[0];
  if (last === undefined || first === undefined) return undefined;
  const indent = indentAt(json, first.start);
  const step = indent.slice(indentAt(json, closingBracket(code, open)).length) || '  ';
  const newline = json.includes('\r\n') ? '\r\n' : '\n';
  const lines = ['"transformIgnorePatterns": [', `${step}${JSON.stringify(TRANSFORMED)}`, ']'];
  return splice(json, last.end, `,${newline}${lines.map((line) => indent + line).join(newline)}`);
}

function propertiesOf(json: string, code: string, open: number) {
  return elementsIn(code, open).map(({ start, end }) => ({
    name: /^"([^"]*)"/.exec(json.slice(start, end))?.[1],
    start,
    end,
  }));
}

/**
 * Only where Jest makes CommonJS of the application: as ES modules, it needs nothing of this.
 *
 * @returns what is left to do by hand
 */
export function prepareJest(files: Files, project: Project): readonly string[] {
  const manifest = jsonOf(files, 'package.json');
  if (manifest.type === 'module' || !dependenciesOf(manifest).has('jest')) return [];
  const problems: string[] = [];
  const edit = (path: string, key?: string) => {
    const source = textOf(files, path);
    if (source === undefined) return;
    try {
      const changed = withTransformedPackages(source, key);
      if (changed !== undefined) change(files, path, changed);
    } catch (error) {
      if (!(error instanceof CannotEdit)) throw error;
      problems.push(
        `Jest in ${path} was not changed: ${error.message}. They must not match nestjs-resource-server, @nestjs/passport and jose, which are ES modules: ${JSON.stringify(TRANSFORMED)}`,
      );
    }
  };
  edit('package.json', 'jest');
  edit(posix.join(project.testRoot, 'jest-e2e.json'));
  for (const extension of ['js', 'cjs', 'mjs', 'ts', 'json'])
    if (textOf(files, `jest.config.${extension}`) !== undefined)
      problems.push(
        `Jest in jest.config.${extension} was not changed: let it transform nestjs-resource-server, @nestjs/passport and jose, which are ES modules: ${JSON.stringify(TRANSFORMED)}`,
      );
  return problems;
}
