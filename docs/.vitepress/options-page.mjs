// Generates docs/reference/options.md from the doc comments of src/options/options.ts.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';
import { anchorOf } from './anchor.mjs';

const PAGE = fileURLToPath(new URL('../reference/options.md', import.meta.url));

/**
 * The sections of the page: heading, the interface whose members are the options, the prefix of their names, and an introduction if it
 * is not the doc comment of the interface.
 */
const SECTIONS = [
  {
    heading: 'Issuer and audience',
    declared: 'IssuerOptions',
    introduction:
      '`issuer` and `audience` are required. To trust several issuers, set `issuers` instead and write these options in each issuer.',
  },
  { heading: 'Several issuers', declared: 'SeveralIssuers' },
  { heading: 'Source of the keys', declared: 'KeysOptions', prefix: 'keys.' },
  { heading: 'Checks of a token', declared: 'CheckOptions' },
  { heading: 'Claims that grant authority', declared: 'ClaimPaths', prefix: 'claimPaths.' },
  { heading: 'Token, user and responses', declared: 'ModuleOptions', introduction: '' },
  { heading: 'Requirements of every route', declared: 'RequireOptions', prefix: 'require.' },
  { heading: 'Long-lived connections', declared: 'ConnectionOptions', prefix: 'connections.' },
  { heading: 'Module', declared: 'ModuleExtras' },
];

const options = parse('../../src/options/options.ts');
const CODES = namesOf(parse('../../src/model/errors.ts'), 'ERRORS');

/** How a type of the source is shown: type parameters as their values in `AuthModule`, and types of names as the list of names. */
const TYPES = {
  GuardClass: 'Type<AuthGuard>',
  StrategyClass: 'Type<JwtStrategy>',
  ReportableCheck: unionOf(namesOf(options, 'REPORTABLE_CHECKS')),
  SignatureAlgorithm: unionOf(namesOf(parse('../../src/keys/algorithms.ts'), 'ALGORITHMS')),
};

/** Explanations of types that are not declared in the same file. */
const EXPLANATIONS = {
  PolicyReference:
    '`PolicyReference`: an injectable class with `allows(token, context)`, a function `(token, context) => boolean`, or a combination by `allOf`, `anyOf` and `not`.',
  TokenPlace: '`TokenPlace`: `fromBearerHeader()`, `fromCookie(name)`, `fromFormBody()` or `fromQuery()`.',
  User: '`User`: the type that you register ([Map tokens to users](../guides/users.md)).',
  KeyStore: '`KeyStore`: an object with `load(issuer)` and `save(issuer, keys)`.',
};

/** Returns the page. */
export async function optionsPage() {
  const explained = new Set();
  const text = [
    '# Options: configure AuthModule',
    '<!-- Written by `npm run generate` from the doc comments of src/options/options.ts. -->',
    'Pass the options to `AuthModule.forRoot(options)`, or return them from `useFactory` of `AuthModule.forRootAsync`. They are checked at start. One `ConfigurationError` reports all problems, each with its path and the given value. An unknown option is a problem.',
    ...SECTIONS.flatMap(({ heading, declared, prefix = '', introduction }) => [
      `## ${heading}`,
      introduction ?? documentation(declarationOf(declared)),
      ...membersOf(declarationOf(declared)).flatMap((members) => optionOf(members, prefix, explained)),
    ]),
  ].join('\n\n');
  return prettier.format(text, { parser: 'markdown', ...(await prettier.resolveConfig(PAGE)) });
}

function parse(path) {
  const text = readFileSync(new URL(path, import.meta.url), 'utf8');
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function declarationOf(name) {
  return options.statements.find((statement) => statement.name?.text === name);
}

/** Returns the items or the member names of a constant. */
function namesOf(source, constant) {
  const declarations = source.statements
    .filter(ts.isVariableStatement)
    .flatMap((statement) => statement.declarationList.declarations);
  let { initializer: value } = declarations.find(({ name }) => name.text === constant);
  while (value.expression !== undefined) value = value.expression;
  return value.elements?.map(({ text }) => text) ?? value.properties.map(({ name }) => name.text);
}

function unionOf(names) {
  return names.map((name) => `'${name}'`).join(' | ');
}

/** Returns the members of an interface, or of a union or intersection of object types, grouped by name. */
function membersOf(declaration) {
  const members = ts.isInterfaceDeclaration(declaration) ? declaration.members : membersOfType(declaration.type);
  const names = new Set(members.map(({ name }) => name.text));
  return [...names].map((name) => members.filter((member) => member.name.text === name));
}

function membersOfType(type) {
  if (ts.isParenthesizedTypeNode(type)) return membersOfType(type.type);
  if (ts.isUnionTypeNode(type) || ts.isIntersectionTypeNode(type)) return type.types.flatMap(membersOfType);
  if (ts.isTypeLiteralNode(type)) return [...type.members];
  // The checks beside `issuers` have a section of their own.
  return type.getText() === 'CheckOptions' ? [] : [...declarationOf(type.getText()).members];
}

/** Returns the heading, the type and the description of one option. Members without a doc comment are no options. */
function optionOf(members, prefix, explained) {
  const comment = members.map(documentation).find((text) => text !== '');
  if (comment === undefined) return [];
  const [{ name }] = members;
  const types = [...new Set(members.map(({ type }) => typeText(type)))];
  const mentioned = new Set(members.flatMap(({ type }) => namesIn(type)).filter((each) => !explained.has(each)));
  const explanations = [...mentioned].map(explanationOf).filter((text) => text !== '');
  for (const each of mentioned) explained.add(each);
  return [`### ${prefix}${name.text}`, `\`${types.join(' | ')}\``, comment, ...explanations];
}

function typeText(type) {
  return type
    .getText()
    .replace(/\s+/g, ' ')
    .replace(/^\| |\breadonly /g, '')
    .replace(/\( /g, '(')
    .replace(/, \)/g, ')')
    .replaceAll('<Context>', '')
    .replace(/\w+/g, (name) => TYPES[name] ?? name)
    .replace(/('[^[]*' \| '[^[]*')\[\]/, '($1)[]');
}

/** Returns the names of the types in a type. */
function namesIn(type) {
  const names = [];
  const visit = (node) => {
    if (ts.isTypeReferenceNode(node)) names.push(node.typeName.getText());
    ts.forEachChild(node, visit);
  };
  visit(type);
  return names;
}

/** Returns where the members of a type are, or what the type is. */
function explanationOf(name) {
  const section = SECTIONS.find(({ declared }) => declared === name);
  if (section?.prefix !== undefined) return `Members: [${section.heading}](#${anchorOf(section.heading)}).`;
  if (name in EXPLANATIONS) return EXPLANATIONS[name];
  const declaration = section === undefined ? declarationOf(name) : undefined;
  const text = documentation(declaration);
  if (text === '' || name in TYPES) return text;
  const isFunction = declaration.type !== undefined && ts.isFunctionTypeNode(declaration.type);
  return `\`${name}\`: ${isFunction ? `\`${typeText(declaration.type)}\`. ` : ''}${text}`;
}

function documentation(node) {
  const [comment] = node === undefined ? [] : ts.getJSDocCommentsAndTags(node);
  const text = ts.getTextOfJSDocComment(comment?.comment) ?? '';
  return text
    .split(/\n\n/)
    .map((paragraph) => paragraph.replace(/\n/g, ' '))
    .join('\n\n')
    .replace(/\b[A-Z]+_[A-Z_]+\b/g, (code) =>
      CODES.includes(code) ? `[${code}](./errors.md#${code.toLowerCase()})` : code,
    );
}
