import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { quoted } from '../../model/printable-text.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { DEFAULTS } from '../../options/defaults.js';
import { fixOfUnsetValue } from '../../options/option-reader.js';
import { CommandError, type CommandIo, EXIT, type ExitCode, toJson } from '../command-io.js';
import { loadApplication } from '../load-application.js';
import { checkIssuer, correctedIssuer, type DoctorRequest } from './check-issuer.js';
import { checkApplication } from './check-application.js';
import { CheckReport } from './check-report.js';
import { checkResource } from './check-resource.js';
import type { ResourceRequest } from './check-resource-metadata.js';
import { checkToken } from './check-token.js';
import { checkConfiguration, suggestConfiguration } from './suggested-configuration.js';

const DEFAULT_TOLERANCE = String(DEFAULTS.clockToleranceSeconds);
const DEFAULT_TIMEOUT = String(DEFAULTS.timeoutMs / 1000);

export const DOCTOR_HELP = `Usage: nestjs-resource-server doctor --issuer <url> [options]
       nestjs-resource-server doctor --app <file> [--export <name>] [--token -] [--json]
       nestjs-resource-server doctor --resource <url> [--token -] [options]

Checks an issuer, and a token of that issuer, as the API would, and prints fixes and a configuration. With --app, checks
the keys of the issuers, and a token, with all options of a built application. With --resource, checks a running API or
MCP server as its clients find it: challenge, metadata (RFC 9728), and authorization server.

Options:
  --issuer <url>               the issuer, exactly as \`iss\` in its tokens
  --audience <name>            the audience of tokens for the API; can be repeated
  --token -                    checks the token on standard input
  --no-audience                the API does not check the audience (audience: null)
  --jwks-uri <url>             the address of the keys, for an issuer without metadata
  --metadata-uri <url>         the address of the metadata, if it is not at the issuer
  --header <name: value>       a request header for metadata and keys; @file at its end reads a file; can be repeated
  --clock-tolerance <seconds>  clockToleranceSeconds of the API (default: ${DEFAULT_TOLERANCE})
  --timeout <seconds>          how long to wait for each response (default: ${DEFAULT_TIMEOUT})
  --allow-http                 allows http for other hosts than loopback
  --app <file>                 the built file of the application, as for routes, which is initialized and closed
  --export <name>              the export of that file to use, if several qualify
  --resource <url>             the address of the API or MCP server; gets GET and a ping by POST, and the token
  --json                       prints one JSON document

Examples:
  $ nestjs-resource-server doctor --issuer https://tenant.eu.auth0.com/ --audience https://api.example.com
  $ pbpaste | nestjs-resource-server doctor --issuer https://tenant.eu.auth0.com/ --audience https://api.example.com --token -
  $ pbpaste | nestjs-resource-server doctor --app dist/app.module.js --token -

Exit codes: 0 no problem, 1 problems, 2 wrong usage, 3 an issuer cannot be reached, or the application does not start.
`;

export async function doctor(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { examine, tokenOption, json } = readArguments(args);
  const token = await readToken(tokenOption, io);
  const { report, isReachable, suggested, close } = await examine(token, io);
  if (token === undefined)
    report.add('token.form', 'skipped', 'no token', 'Pass --token - to check a token on standard input.');
  const columns = json ? undefined : io.stdout.columns;
  const isComplete = suggested !== undefined && checkConfiguration(suggested, report);
  const configuration = isComplete ? suggested.toText(columns) : undefined;

  const [problems, warnings] = [report.select('problem').length, report.select('warning').length];
  const exitCode = isReachable ? (problems > 0 ? EXIT.PROBLEMS : EXIT.OK) : EXIT.UNREACHABLE;
  const document = { exitCode, problems, warnings, checks: report.rows, configuration: configuration ?? null };
  io.stdout.write(json ? toJson(document) : report.toText(configuration, io.stdout));
  await close?.(io.stderr);
  return exitCode;
}

async function examineIssuer(
  { timeoutMs, ...request }: DoctorRequest & WithTimeout,
  token: string | undefined,
  { fetch, clock, env }: CommandIo,
) {
  const report = new CheckReport('issuer');
  const { isReachable, keySet } = await checkIssuer(request, { fetch, clock, timeoutMs }, report);
  if (!isReachable) checkProxy(env, report);
  const suggested = suggestConfiguration({ ...request, issuer: correctedIssuer(request.issuer) });
  if (token !== undefined) await checkToken(token, suggested, keySet, clock, report);
  return { report, isReachable, suggested, close: undefined };
}

async function examineApplication(
  { file, exportName }: ApplicationFile,
  token: string | undefined,
  { env }: CommandIo,
) {
  const report = new CheckReport('application');
  const { result: isReachable, close } = await loadApplication(file, exportName, false, (ownCopy, app) =>
    checkApplication(ownCopy.authServicesOf(app), token, report),
  );
  if (!isReachable) checkProxy(env, report);
  return { report, isReachable, suggested: undefined, close };
}

async function examineResource(
  { timeoutMs, ...request }: ResourceRequest & WithTimeout,
  token: string | undefined,
  { fetch, clock, env }: CommandIo,
) {
  const report = new CheckReport('resource');
  const isReachable = await checkResource({ ...request, options: { fetch, clock, timeoutMs }, report }, token);
  if (!isReachable) checkProxy(env, report);
  return { report, isReachable, suggested: undefined, close: undefined };
}

/** Node's `fetch` uses a proxy only if it is told to. */
function checkProxy(env: CommandIo['env'], report: CheckReport): void {
  const name = ['HTTPS_PROXY', 'https_proxy'].find((each) => env[each] !== undefined && env[each] !== '');
  if (name === undefined || env.NODE_USE_ENV_PROXY === '1') return;
  const fix =
    'Set NODE_USE_ENV_PROXY=1 (Node 22.21, 24 or later), here and for the API, or the `fetch` option of AuthModule.';
  report.add('proxy', 'warning', `${name} is set, but Node ignores it`, fix);
}

interface WithTimeout {
  readonly timeoutMs: number;
}
interface ApplicationFile {
  readonly file: string;
  readonly exportName: string | undefined;
}

type Examine = (
  token: string | undefined,
  io: CommandIo,
) => ReturnType<typeof examineIssuer | typeof examineApplication | typeof examineResource>;

const OPTIONS = {
  issuer: { type: 'string' },
  audience: { type: 'string', multiple: true },
  token: { type: 'string' },
  'no-audience': { type: 'boolean' },
  'jwks-uri': { type: 'string' },
  'metadata-uri': { type: 'string' },
  header: { type: 'string', multiple: true },
  'clock-tolerance': { type: 'string' },
  timeout: { type: 'string' },
  'allow-http': { type: 'boolean' },
  app: { type: 'string' },
  export: { type: 'string' },
  resource: { type: 'string' },
  json: { type: 'boolean' },
} as const;

function readArguments(args: readonly string[]): {
  readonly examine: Examine;
  readonly tokenOption: string | undefined;
  readonly json: boolean;
} {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  refuseExclusive(Object.keys(values));
  const { app: file, export: exportName, token: tokenOption, json = false } = values;
  if (file !== undefined)
    return { examine: (token, io) => examineApplication({ file, exportName }, token, io), tokenOption, json };
  const { issuer, resource, 'jwks-uri': jwksUri, 'metadata-uri': metadataUri, header = [] } = values;
  const { timeout = DEFAULT_TIMEOUT, 'clock-tolerance': tolerance = DEFAULT_TOLERANCE } = values;
  const timeoutMs = seconds('timeout', timeout, 0.1, 60) * 1000;
  const clockToleranceSeconds = seconds('clock-tolerance', tolerance, 0, 300);
  const allowHttp = values['allow-http'] === true;
  if (exportName !== undefined) throw new CommandError('--export needs --app <file>.');
  const addresses = { 'jwks-uri': jwksUri, 'metadata-uri': metadataUri };
  if (metadataUri !== undefined && !URL.canParse(metadataUri))
    throw new CommandError(`--metadata-uri ${quoted(metadataUri)} is not a URL. Write https://….`);
  for (const [option, given] of Object.entries({ issuer, resource, audience: values.audience, ...addresses }))
    if ([given ?? []].flat().some((value) => fixOfUnsetValue(value) !== undefined))
      throw new CommandError(
        `--${option} is empty, in quotation marks, a placeholder, or has an empty part, undefined or null in it: a variable may not be set.`,
      );
  const limits = { allowHttp, clockToleranceSeconds, timeoutMs };
  if (resource !== undefined) {
    const request = { resource, audience: values.audience, ...limits };
    return { examine: (token, io) => examineResource(request, token, io), tokenOption, json };
  }
  if (issuer === undefined)
    throw new CommandError('--issuer is missing. Write --issuer <url>, --app <file>, or --resource <url>.');
  const request = {
    issuer,
    audience: values['no-audience'] === true ? null : values.audience,
    jwksUri,
    metadataUri,
    headers: header.length === 0 ? undefined : Object.fromEntries(header.map(readHeader)),
    ...limits,
  };
  return { examine: (token, io) => examineIssuer(request, token, io), tokenOption, json };
}

const TAKEN_WITH: Readonly<Record<string, readonly string[]>> = {
  app: ['export', 'token', 'json'],
  resource: ['token', 'json', 'audience', 'timeout', 'clock-tolerance', 'allow-http'],
};

function refuseExclusive(given: readonly string[]): void {
  const pairs = [
    ['no-audience', 'audience'],
    ['jwks-uri', 'metadata-uri'],
  ];
  // The application has its own options, and the resource names its issuer.
  for (const [subject, taken] of Object.entries(TAKEN_WITH))
    pairs.push(...given.filter((name) => name !== subject && !taken.includes(name)).map((name) => [subject, name]));
  const pair = pairs.find((names) => names.every((name) => given.includes(name)));
  if (pair !== undefined) throw new CommandError(`--${pair.join(' and --')} exclude each other. Omit one of them.`);
}

/** Reads `Name: value`. A credential belongs in a file, because the process list shows arguments. */
function readHeader(text: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([\w-]+):\s*(.+)$/s.exec(text) ?? [];
  if (name === '')
    throw new CommandError(`--header ${quoted(text.slice(0, 20))} is not a header. Write 'Name: value'.`);
  const [, start = '', path] = /^((?:.*\s)?)@(\S+)$/s.exec(value) ?? [];
  try {
    return [name, path === undefined ? value : start + readFileSync(path, 'utf8').trim()];
  } catch (error) {
    throw new CommandError(`--header ${name}: ${(error as Error).message}`);
  }
}

function seconds(option: string, value: string, min: number, max: number): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (number >= min && number <= max) return number;
  const range = `from ${String(min)} to ${String(max)}`;
  throw new CommandError(`--${option} ${quoted(value)} is not a number of seconds ${range}.`);
}

const TOKEN_ARGUMENT = `A token must not be an argument: the shell history and the process list would contain it. Write --token - and pipe the token to standard input: … | nestjs-resource-server doctor … --token -
Delete the command from the shell history now, or revoke the token.`;

/** @throws CommandError if an argument contains a token. The message does not repeat it. */
export function refuseTokens(argv: readonly string[]): void {
  if (argv.some(containsToken)) throw new CommandError(TOKEN_ARGUMENT);
}

/** Decodes each candidate, because a JOSE header does not always start with `eyJ`: JSON allows spaces. */
function containsToken(argument: string): boolean {
  const words = argument.split(/[^\w.-]+/).map((word) => word.split('.'));
  return words.some((parts) => parts.slice(0, -1).some(isHeader));
}

function isHeader(part: string): boolean {
  try {
    return isJsonObject(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')));
  } catch {
    return false;
  }
}

export async function readToken(
  option: string | undefined,
  { stdin, stderr }: Pick<CommandIo, 'stdin' | 'stderr'>,
): Promise<string | undefined> {
  if (option === undefined) return undefined;
  if (option !== '-') throw new CommandError(TOKEN_ARGUMENT);
  if (stdin.isTTY === true) stderr.write('Paste the token, then press Enter and Ctrl-D (for a long token: < file):\n');
  // It may be a copied header.
  const token = (await text(stdin)).trim().replace(/^(?:authorization:\s*)?bearer\s+/i, '');
  if (token === '') throw new CommandError('--token - was given, but standard input is empty. Pipe the token in.');
  return token;
}
