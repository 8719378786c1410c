import { createRequire } from 'node:module';
import { printable } from '../model/printable-text.js';
import { wrapLines } from '../model/text-layout.js';
import { CommandError, type CommandIo, EXIT, type ExitCode, printProblem } from './command-io.js';
import { doctor, DOCTOR_HELP, refuseTokens } from './doctor/doctor.js';
import { routes, ROUTES_HELP } from './routes/routes.js';

const HELP = `Usage: nestjs-resource-server <command> [options]

Commands:
  doctor  checks an issuer, and a token of that issuer, as the API would, and prints fixes and a configuration
  routes  prints every route of a built application with its access and its requirements

Options:
  --version  prints the version
  --help     prints this help, or the help of a command
`;

const COMMANDS = new Map([
  ['doctor', { run: doctor, help: DOCTOR_HELP }],
  ['routes', { run: routes, help: ROUTES_HELP }],
]);

const isHelp = (argument: string) => argument === '--help' || argument === '-h';

/** Runs the command line tool. `argv` does not contain the paths of Node and of the script. */
export async function run(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const [name = '', ...args] = argv;
  const command = COMMANDS.get(name);
  try {
    refuseTokens(argv);
    if (command !== undefined && !args.some(isHelp)) return await command.run(args, io);
    io.stdout.write(wrapLines(command?.help ?? generalText(name), io.stdout.columns));
    return EXIT.OK;
  } catch (error) {
    const { message, exitCode } = usageError(error, name);
    printProblem(io.stderr, 'error', message);
    return exitCode;
  }
}

function generalText(name: string): string {
  if (isHelp(name)) return HELP;
  if (name !== '--version' && name !== '-V')
    throw new CommandError(`${name === '' ? 'no command' : `unknown command '${printable(name)}'`}\n${HELP}`);
  // The relative path is the same from `src` and from `dist`.
  const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
  return `${version}\n`;
}

function usageError(error: unknown, command: string): CommandError {
  if (error instanceof CommandError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith('ERR_PARSE_ARGS_') !== true) throw error;
  const [problem = ''] = message.split(/\.\s/, 1);
  const text = `${printable(problem)}. See nestjs-resource-server ${command} --help.`;
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return new CommandError(text);
  // An unset variable leaves no argument behind, so that an option takes the next one as its value.
  return new CommandError(`${text}\nA shell variable may not be set: write it in quotation marks ("$AUDIENCE").`);
}
