// Draws the pictures of terminals in docs/public:
//
//   npm run docs:pictures -- [--png DIR]
//
// Runs the real commands in a pseudo terminal (`script` of util-linux), against the authorization server of the demo, and draws
// their output with its colors. With --png, also renders the pictures to DIR with Chromium, to look at them.
//
// So that each run draws the same pictures, the ports are fixed, ids and times of the output are replaced by fixed text of the same form,
// and the durations of the start log are removed (`withFixedText`). Of the start log, only some contexts are shown (`SHOWN_CONTEXTS`).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { AuthorizationServer } from '../demo/dist/authorization-server.js';

const { values: OPTIONS } = parseArgs({ options: { png: { type: 'string' } } });
if (OPTIONS.png !== undefined) await mkdir(OPTIONS.png, { recursive: true });
const ROOT = join(import.meta.dirname, '..');
const PICTURES = join(ROOT, 'docs', 'public');
const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const ENV = { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color', LC_ALL: 'en_US.UTF-8' };
const API = 'http://127.0.0.1:3000';
const ISSUER = 'http://127.0.0.1:9000';
const AUDIENCE = 'https://orders.example.com';

/** The files that the commands use: their name in the pictures, the file and its content. */
const FILES = {
  'dist/main.js': {
    path: 'demo/dist/screenshots-main.mjs',
    content: () => `import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AuthModule } from 'nestjs-resource-server';
import { OrderOwner, Orders, OrdersController } from './orders.js';

const auth = AuthModule.forRoot({ issuer: '${ISSUER}', audience: '${AUDIENCE}', explainRefusals: true });
const orders = { controllers: [OrdersController], providers: [Orders, OrderOwner] };
const app = await NestFactory.create({ module: class AppModule {}, imports: [auth], ...orders });
app.set('json spaces', 2);
await app.listen(${new URL(API).port}, '127.0.0.1');
`,
  },
  'dist/app.module.js': {
    path: 'demo/dist/screenshots-module.mjs',
    content: () => `import { AppModule as Demo } from './app.module.js';
export const AppModule = Demo.for({ issuer: '${ISSUER}', audience: '${AUDIENCE}' });
`,
  },
  'token.txt': {
    path: 'demo/dist/screenshots-token.txt',
    content: (server) => server.sign({ aud: 'https://invoices.example.com' }),
  },
};

/** Runs a command in a pseudo terminal of this width, until it ends or its output contains a text. */
async function run(command, columns, until) {
  const child = spawn('script', ['-qc', `stty cols ${columns}; ${command}`, '/dev/null'], { cwd: ROOT, env: ENV });
  const exited = once(child, 'exit');
  let output = '';
  const isComplete = new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (data) => {
      output += data;
      if (until !== undefined && output.includes(until)) resolve();
    });
  });
  await Promise.race([isComplete, once(child, 'close')]);
  const stop = async () => {
    child.kill();
    await exited;
  };
  return { output: withFixedText(output.replaceAll('\r', '').trimEnd()), stop };
}

function withFixedText(text) {
  return text
    .replace(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, '2ed6ddb0-8bb1-41e5-ba81-809bef7aa1d6')
    .replace(/\[Nest\] \d+/g, '[Nest] 4242')
    .replace(/\d+\/\d+\/\d{4}, [\d:]+ [AP]M/g, '1/15/2026, 9:30:00 AM')
    .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, '2026-01-15T09:30:00Z')
    .replace(/ \+\d+ms/g, '')
    .replace(/\d+ seconds/g, '2 seconds');
}

const SHOWN_CONTEXTS = ['NestFactory', 'AuthModule', 'NestApplication'];

/** Without warnings, which the terminal would break inside words. */
function withShownContexts(log) {
  const records = log.split(/\n(?=.*\[Nest\])/);
  return records
    .filter((record) => !/ WARN /.test(stripVTControlCharacters(record)))
    .filter((record) => SHOWN_CONTEXTS.includes(/\[(\w+)\] /.exec(record.split('[Nest]')[1])?.[1]))
    .join('\n');
}

/** A command as it is typed: continued with `\` before an argument that does not fit. */
function typed(command, columns) {
  const [first, ...others] = command.split(/ (?=--|-H|<|\S+\.js)/);
  const lines = [`\u001b[32m$\u001b[39m \u001b[1m${first}`];
  for (const part of others) {
    const line = `${lines.at(-1)} ${part}`;
    if (stripVTControlCharacters(line).length > columns - 2) lines.push(`    ${part}`);
    else lines.splice(-1, 1, line);
  }
  return `${lines.join(' \\\n')}\u001b[22m`;
}

/** Prints a command, and what it prints with the real paths of the files. */
async function shown(command, columns, actual = command) {
  const withPaths = Object.entries(FILES).reduce((text, [name, { path }]) => text.replaceAll(name, path), actual);
  const { output } = await run(withPaths, columns);
  return `${typed(command, columns)}\n${output}`;
}

async function start(columns) {
  const app = await run(`node ${FILES['dist/main.js'].path}`, columns, 'successfully started');
  const request = `curl ${API}/orders -H "Authorization: Bearer $TOKEN"`;
  const response = await shown(request, columns, `TOKEN=$(cat token.txt); ${request} --silent`);
  await app.stop();
  return [typed('node dist/main.js', columns), withShownContexts(app.output), '', response].join('\n');
}

function tool(parameters, columns) {
  return shown(`npx nestjs-resource-server ${parameters}`, columns, `node dist/cli.js ${parameters}`);
}

const DOCTOR = `doctor --issuer ${ISSUER} --audience ${AUDIENCE} --token - < token.txt`;
const ROUTES = "routes dist/app.module.js --allow 'GET /orders/health'";

/** The width of the pictures in the documentation. Others are drawn only to look at them (`--png`). */
const COLUMNS = 100;

const DRAWN = [
  {
    name: 'start',
    title: 'The start log with all routes, and a request with a token for another API',
    print: start,
    widths: [COLUMNS],
  },
  {
    name: 'doctor',
    title: 'nestjs-resource-server doctor explains why a token is rejected',
    print: (columns) => tool(DOCTOR, columns),
    widths: [COLUMNS, 50],
  },
  {
    name: 'routes',
    title: 'nestjs-resource-server routes finds a route that is open',
    print: (columns) => tool(ROUTES, columns),
    widths: [COLUMNS, 50],
  },
];

const DIM = '#8b949e';
const FILLS = {
  2: DIM,
  31: '#ff7b72',
  32: '#56d364',
  33: '#e3b341',
  '38;5;3': '#e3b341',
  35: '#d2a8ff',
  36: '#56d4dd',
  95: '#d2a8ff',
};

function styleAfter(style, code) {
  if (code === '1') return { ...style, bold: true };
  if (code === '22') return { fill: style.fill === DIM ? undefined : style.fill };
  if (code === '39') return { ...style, fill: undefined };
  if (FILLS[code] === undefined) throw new Error(`The output has the unknown style ${code}.`);
  return { ...style, fill: FILLS[code] };
}

/** Returns the lines of a terminal of this width, each as a list of texts with their style. */
function toLines(output, columns) {
  const lines = [[]];
  let style = {};
  let width = 0;
  // eslint-disable-next-line no-control-regex -- the styles of a terminal
  for (const [character, code] of output.matchAll(/\u001b\[([\d;]+)m|[^]/gu)) {
    if (code !== undefined) style = styleAfter(style, code);
    const isBreak = character === '\n' || (code === undefined && width === columns);
    if (isBreak) {
      lines.push([]);
      width = 0;
    }
    if (code !== undefined || character === '\n') continue;
    const line = lines.at(-1);
    if (line.at(-1)?.style === style) line.at(-1).text += character;
    else line.push({ style, text: character });
    width += 1;
  }
  return lines;
}

const FONTS = "ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', 'Liberation Mono', monospace";
const [CHARACTER, LINE, PADDING] = [8.43, 20, 20];

function toSvg(title, output, columns) {
  const lines = toLines(output, columns);
  const width = Math.ceil(columns * CHARACTER + 2 * PADDING);
  const height = lines.length * LINE + 2 * PADDING;
  const escape = (text) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  const toTspan = ({ style: { fill, bold }, text }) => {
    const attributes = [fill && ` fill="${fill}"`, bold && ' font-weight="bold"'].filter(Boolean).join('');
    return `<tspan${attributes}>${escape(text)}</tspan>`;
  };
  const texts = lines.map((line, index) => {
    const y = PADDING + LINE * index + 15;
    return line.length === 0
      ? ''
      : `<text x="${PADDING}" y="${y}" xml:space="preserve">${line.map(toTspan).join('')}</text>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${escape(title)}</title>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<g fill="#e6edf3" font-family="${FONTS}" font-size="14">
${texts.join('')}</g>
</svg>
`;
}

/** Draws the pictures. Returns the files. */
async function draw() {
  await mkdir(PICTURES, { recursive: true });
  const files = [];
  for (const { name, title, print, widths } of DRAWN) {
    for (const columns of OPTIONS.png === undefined ? [COLUMNS] : widths) {
      const file = columns === COLUMNS ? join(PICTURES, `${name}.svg`) : join(OPTIONS.png, `${name}-${columns}.svg`);
      await writeFile(file, toSvg(title, await print(columns), columns));
      files.push(file);
    }
  }
  return files;
}

async function render(pictures, folder) {
  const { chromium } = await import('playwright-core');
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  const page = await browser.newPage();
  for (const picture of pictures) {
    await page.goto(pathToFileURL(picture).href);
    await page.locator('svg').screenshot({ path: join(folder, `${basename(picture, '.svg')}.png`) });
  }
  await browser.close();
}

const server = await AuthorizationServer.start({ audiences: [AUDIENCE], redirectUri: API, port: new URL(ISSUER).port });
const files = Object.values(FILES).map(({ path, content }) => ({ path: join(ROOT, path), content }));
try {
  for (const { path, content } of files) await writeFile(path, content(server));
  const pictures = await draw();
  if (OPTIONS.png !== undefined) await render(pictures, OPTIONS.png);
} finally {
  for (const { path } of files) await rm(path, { force: true });
  await server.stop();
}
