import { CannotEdit, closingBracket, codeOf, elementsIn, indentAt, type Range, splice } from './source-text.js';
import { addImports, isTaken, localNameOf } from './import-statements.js';
import type { ProviderSetup } from './providers.js';
import { inStyle, type Style, styleOf } from './style.js';

export const PACKAGE = 'nestjs-resource-server';
export const PRESETS = `${PACKAGE}/presets`;

/** The class that is decorated as a module, when the source has exactly one. */
export function moduleClassIn(code: string): string | undefined {
  const classes = decorators(code).map(({ className }) => className);
  return classes.length === 1 ? classes[0] : undefined;
}

/**
 * Adds `AuthModule.forRootAsync(…)` to the `imports` of a module, and the import statements that it needs. What stands
 * there stays as it is, comments and formatting included.
 *
 * @param width columns of a line
 * @throws CannotEdit when the source is not written in a way that is understood for certain
 */
export function addAuthModule(source: string, className: string, setup: ProviderSetup, width: number): string {
  const code = codeOf(source);
  const style = styleOf(source, code, width);
  const authModule = nameFor('AuthModule', 'ResourceServerModule', code);
  const preset = nameFor(setup.preset, `${setup.preset}Preset`, code);
  const env = nameFor('requiredEnv', 'requiredEnvironment', code);

  const call = authModuleCall(authModule.local, preset.local, env.local, setup);
  const edited = addToImports(source, code, className, call, style);
  const names = setup.preset === 'fromEnv' ? preset.imported : `${preset.imported}, ${env.imported}`;
  const lines = [`import { ${authModule.imported} } from '${PACKAGE}';`, `import { ${names} } from '${PRESETS}';`].map(
    (line) => inStyle(line, style),
  );
  const whole = addImports(edited, codeOf(edited), lines, style);
  // What was added must be seen again: else the source was not understood, whatever the reason.
  if (localNameOf('AuthModule', whole, codeOf(whole)) === undefined) {
    throw new CannotEdit('its import statements are not written as expected');
  }
  return whole;
}

/** The lines that a user adds where we do not dare to. */
export function byHand(setup: ProviderSetup): string {
  return [
    `import { AuthModule } from '${PACKAGE}';`,
    `import { ${setup.preset}${setup.preset === 'fromEnv' ? '' : ', requiredEnv'} } from '${PRESETS}';`,
    '',
    '@Module({',
    '  imports: [',
    ...`${authModuleCall('AuthModule', setup.preset, 'requiredEnv', setup)},`.split('\n').map((line) => `    ${line}`),
    '  ],',
    '})',
  ].join('\n');
}

function nameFor(name: string, other: string, code: string): { local: string; imported: string } {
  if (!isTaken(name, code)) return { local: name, imported: name };
  if (isTaken(other, code)) throw new CannotEdit(`it has a ${name} and a ${other} already`);
  return { local: other, imported: `${name} as ${other}` };
}

function authModuleCall(authModule: string, preset: string, env: string, setup: ProviderSetup): string {
  if (setup.preset === 'fromEnv') return `${authModule}.forRootAsync({ useFactory: () => ${preset}() })`;
  const variables = [
    `${env}({`,
    ...setup.variables.map(({ parameter, name, isList }) => `  ${parameter}: ${isList ? `['${name}']` : `'${name}'`},`),
    '}),',
  ];
  const constants = setup.constants.map(({ parameter, value }) => `  ${parameter}: '${value}',`);
  const call =
    constants.length === 0
      ? [`${preset}(`, ...variables.map((line) => `  ${line}`), '),']
      : [`${preset}({`, ...variables.map((line, index) => `  ${index === 0 ? '...' : ''}${line}`), ...constants, '}),'];
  return [`${authModule}.forRootAsync({`, '  useFactory: () =>', ...call.map((line) => `    ${line}`), '})'].join('\n');
}

interface ModuleDecorator {
  /** Where the parenthesis of `@Module(` opens. */
  readonly open: number;
  readonly className: string;
}

function decorators(code: string): readonly ModuleDecorator[] {
  return [...code.matchAll(/@Module\s*\(/g)].flatMap(({ index, 0: text }) => {
    const open = index + text.length - 1;
    const rest = code.slice(closingBracket(code, open));
    const [, className] = /^\)[^;{}]*?\bclass\s+([\w$]+)/.exec(rest) ?? [];
    return className === undefined ? [] : [{ open, className }];
  });
}

function addToImports(source: string, code: string, className: string, element: string, style: Style): string {
  const decorator = decorators(code).find((found) => found.className === className);
  if (decorator === undefined) throw new CannotEdit(`it has no class ${className} with a @Module() decorator`);
  const [metadata, ...more] = elementsIn(code, decorator.open);
  if (metadata === undefined || more.length > 0 || !isOneLiteral(code, metadata, '{')) {
    throw new CannotEdit('what its @Module() is given is not written there as an object');
  }

  const properties = elementsIn(code, metadata.start);
  const imports = properties.filter((property) => keyOf(source, property) === 'imports');
  if (properties.some(({ start }) => code.startsWith('...', start) || code[start] === '[')) {
    throw new CannotEdit('its @Module() has imports from elsewhere, by a spread or a computed name');
  }
  const [property, second] = imports;
  if (second !== undefined) throw new CannotEdit('its @Module() has `imports` twice');
  if (property === undefined) return addProperty(source, metadata.start, properties, element, style);

  const colon = code.indexOf(':', property.start);
  const value = colon < 0 || colon > property.end ? undefined : trimmed(code, { start: colon + 1, end: property.end });
  if (value === undefined || !isOneLiteral(code, value, '[')) {
    throw new CannotEdit('the `imports` of its @Module() are not written there as a list');
  }
  return addElement(source, code, value, element, style);
}

function addProperty(
  source: string,
  open: number,
  properties: readonly Range[],
  element: string,
  style: Style,
): string {
  const outer = indentAt(source, open);
  const [first] = properties;
  const onLines = first !== undefined && source.slice(open, first.start).includes('\n');
  const indent = onLines ? indentAt(source, first.start) : outer + style.indent;
  const property = `imports: ${list([], element, indent, style, 'imports: '.length)}`;
  if (first === undefined) {
    const inserted = `${style.newline}${indent}${property}${style.trailingComma}${style.newline}${outer}`;
    return splice(source, open + 1, inserted);
  }
  if (onLines) return splice(source, open + 1, `${style.newline}${indent}${property},`);
  return splice(source, first.start, `${property}, `);
}

function addElement(source: string, code: string, { start, end }: Range, element: string, style: Style): string {
  const close = end - 1;
  const elements = elementsIn(code, start);
  const [first] = elements;
  const last = elements.at(-1);
  const inside = source.slice(start + 1, close);

  if (first !== undefined && last !== undefined && inside.includes('\n')) {
    const indent = indentAt(source, first.start);
    const separated = code.slice(last.end, close).includes(',');
    const tail = source.slice(last.end, close).trimEnd();
    const added = `${style.newline}${indent}${indented(element, indent, style)}${separated ? ',' : ''}`;
    return splice(source, last.end, `${separated ? '' : ','}${tail}${added}${whiteBefore(source, close)}`, close);
  }
  if (last === undefined && inside.trim() !== '') {
    // A comment only, which may say why the list is empty.
    const indent = indentAt(source, start) + style.indent;
    const added = `${style.newline}${indent}${indented(element, indent, style)}${style.trailingComma}`;
    return splice(source, start + 1, `${inside.trimEnd()}${added}${style.newline}${indentAt(source, start)}`, close);
  }
  const lineStart = source.lastIndexOf('\n', start) + 1;
  const commas = elements.slice(0, -1).map(({ end: after }, index) => {
    const comma = code.slice(after, elements[index + 1]?.start).indexOf(',');
    return after + Math.max(comma, 0);
  });
  // From comma to comma: a comment belongs to what it stands beside.
  const bounds = [start, ...commas, lastComma(code, last, close)];
  const texts = elements.map((_, index) => source.slice((bounds[index] ?? start) + 1, bounds[index + 1]).trim());
  const behind = /^[^\r\n]*/.exec(source.slice(end))?.[0].trimEnd().length ?? 0;
  const around = start - lineStart - indentAt(source, start).length + behind;
  return splice(source, start, list(texts, element, indentAt(source, start), style, around), end);
}

/** Where a list ends, or the comma behind its last element stands. */
function lastComma(code: string, last: Range | undefined, close: number): number {
  const comma = last === undefined ? -1 : code.slice(last.end, close).indexOf(',');
  return last === undefined || comma === -1 ? close : last.end + comma;
}

/** A list with one element more: on one line where it fits, as Prettier writes it. `around`: what else is on that line. */
function list(texts: readonly string[], element: string, indent: string, style: Style, around: number): string {
  const oneLine = `[${[...texts, inStyle(element, style)].join(', ')}]`;
  const columns = indent.replaceAll('\t', '  ').length + around + oneLine.length;
  if (!oneLine.includes('\n') && columns <= style.width) return oneLine;
  const inner = indent + style.indent;
  const lines = [...texts, indented(element, inner, style)].map((text) => inner + text);
  return `[${style.newline}${lines.join(`,${style.newline}`)}${style.trailingComma}${style.newline}${indent}]`;
}

function indented(element: string, indent: string, style: Style): string {
  return inStyle(element, style).replaceAll(style.newline, style.newline + indent);
}

/** The white space that stands before a position, from the end of the line above it. */
function whiteBefore(source: string, position: number): string {
  const before = source.slice(0, position);
  return before.slice(before.trimEnd().length);
}

/** Whether the whole range is one pair of brackets, and not `[…].concat(…)`. */
function isOneLiteral(code: string, { start, end }: Range, bracket: string): boolean {
  return code[start] === bracket && closingBracket(code, start) === end - 1;
}

function trimmed(code: string, { start, end }: Range): Range {
  const text = code.slice(start, end);
  return { start: start + text.length - text.trimStart().length, end };
}

function keyOf(source: string, { start, end }: Range): string | undefined {
  return /^(['"]?)([\w$]+)\1/.exec(source.slice(start, end))?.[2];
}
