import { readFile } from 'node:fs/promises';
import { CommandError, type CommandIo, EXIT, type ExitCode } from './command-io.js';
import { doctor, DOCTOR_HELP } from './doctor/doctor.js';
import { refuseTokens } from './doctor/read-token.js';
import { printable } from './printable.js';

const HELP = `Usage: nestjs-resource-server <command> [options]

Commands:
  doctor  checks an issuer, and a token of that issuer, as the API would, and prints fixes and a configuration
  routes  prints every route of a built application with its access and its requirements

Options:
  --version  prints the version
  --help     prints this help, or the help of a command
`;

/**
 * Runs the command line tool.
 * @param argv the arguments, without the paths of Node and of the script.
 * @returns the exit code of the process.
 */
export async function run(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const [name = '', ...args] = argv;
  try {
    refuseTokens(argv);
    if (isHelp(name)) io.stdout.write(HELP);
    else if (name === '--version' || name === '-V') io.stdout.write(`${await packageVersion()}\n`);
    else {
      const command = await loadCommand(name);
      if (!args.some(isHelp)) return await command.run(args, io);
      io.stdout.write(command.help);
    }
    return EXIT.OK;
  } catch (error) {
    const { message, exitCode } = usageError(error, name);
    io.stderr.write(`error: ${message}\n`);
    return exitCode;
  }
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h';
}

async function loadCommand(name: string) {
  if (name === 'doctor') return { run: doctor, help: DOCTOR_HELP };
  if (name !== 'routes')
    throw new CommandError(`${name === '' ? 'no command' : `unknown command '${printable(name)}'`}\n${HELP}`);
  try {
    // Loads Nest, which `doctor` does not need.
    const { routes, ROUTES_HELP } = await import('./routes/routes.js');
    return { run: routes, help: ROUTES_HELP };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CommandError(
      'routes needs Nest: install nestjs-resource-server in the application, and run npx nestjs-resource-server routes there.',
    );
  }
}

/** Turns an error of `parseArgs` into one of this tool. Rethrows every other error. */
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

/** The relative path is the same from `src` and from `dist`. */
async function packageVersion(): Promise<string> {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
