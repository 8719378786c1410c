import { readFile } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { CommandError, type CommandIo, EXIT, type ExitCode } from './command-io.js';
import { doctor } from './doctor/doctor.js';
import { refuseTokens } from './doctor/given-token.js';
import { withoutTokens } from './printable.js';
import { ROUTES_HELP, routes } from './routes/routes.js';

/**
 * The command line tool, without the process: whoever calls it says where to read and write.
 * @param argv without the names of Node and of the script.
 * @returns what the process is to end with.
 */
export async function run(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.OK;
  const program = await programOf(io, (ended) => {
    exitCode = ended;
  });
  try {
    refuseTokens(argv);
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.code === 'commander.optionMissingArgument') io.stderr.write(`${UNSET}\n`);
      return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    }
    if (!(error instanceof CommandError)) throw error;
    io.stderr.write(`error: ${error.message}\n`);
    return error.exitCode;
  }
}

// A variable of the shell that is not set leaves nothing behind, and the option takes what comes next.
const UNSET = 'A variable of the shell may not be set: in quotation marks ("$AUDIENCE") it would be told which.';

async function programOf(io: CommandIo, end: (exitCode: ExitCode) => void): Promise<Command> {
  const hasColors = io.isTerminal && (io.env.NO_COLOR ?? '') === '' && io.env.TERM !== 'dumb';
  const program = new Command('nestjs-resource-server')
    .description('Looks at what stands between a NestJS application and its access tokens.')
    .version(await version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // It quotes what it does not understand, and that may be a token.
      writeErr: (text) => io.stderr.write(withoutTokens(text)),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  program
    .command('doctor')
    .description('Checks an issuer, and a token of it, as the API would, and says what to mend and what to paste.')
    .option('--issuer <url>', 'the `iss` of the tokens')
    .option('--audience <name>', 'what tokens for the API name in `aud`; may be given several times', oneMore)
    .option('--token <->', 'check the token on standard input; nothing but - is taken')
    .option('--jwks-uri <url>', 'where the keys are, for an issuer without metadata')
    .option('--clock-tolerance <seconds>', 'clockToleranceSeconds of the API', secondsUpTo(0, 300), 5)
    .option('--timeout <seconds>', 'how long to wait for an answer', secondsUpTo(0.1, 60), 5)
    .option('--allow-http', 'ask over http, too, elsewhere than on loopback', false)
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', DOCTOR_HELP)
    // What is wrong with an option is told before what is missing: it may be that one, misspelled.
    .allowExcessArguments()
    .action(async (options: DoctorFlags, { args }: Command) => {
      const { timeout, clockTolerance: clockToleranceSeconds, ...rest } = options;
      const { issuer, audience, token, jwksUri } = options;
      const taken = [issuer, jwksUri, ...(audience ?? [])].some((value) => value?.startsWith('--'));
      const isLost = taken || args.length > 0;
      if (issuer === undefined)
        throw new CommandError(`required option '--issuer <url>' not specified${isLost ? `. ${UNSET}` : ''}`);
      if (isLost) throw new CommandError(`too many arguments for 'doctor': all it takes are options. ${UNSET}`);
      end(
        await doctor(
          { ...rest, issuer, audience, token, jwksUri, timeoutMs: timeout * 1000, clockToleranceSeconds },
          io,
          hasColors,
        ),
      );
    });
  program
    .command('routes')
    .description('Prints every route of a built application, with its access and its requirements.')
    .argument('[args...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[]) => {
      const isHelp = args.includes('--help') || args.includes('-h');
      if (isHelp) io.stdout.write(ROUTES_HELP);
      else end(await routes(args, io));
    });
  return program;
}

interface DoctorFlags {
  readonly issuer?: string;
  readonly audience?: readonly string[];
  readonly token?: string;
  readonly jwksUri?: string;
  readonly clockTolerance: number;
  readonly timeout: number;
  readonly allowHttp: boolean;
  readonly json: boolean;
}

const DOCTOR_HELP = `
Examples:
  $ nestjs-resource-server doctor --issuer https://tenant.eu.auth0.com/ --audience https://api.example.com
  $ pbpaste | nestjs-resource-server doctor --issuer https://tenant.eu.auth0.com/ --audience https://api.example.com --token -

Exit codes: 0 no problem, 1 problems, 2 wrong usage, 3 the issuer cannot be reached.`;

function oneMore(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function secondsUpTo(min: number, max: number): (text: string) => number {
  return (text) => {
    const seconds = text.trim() === '' ? Number.NaN : Number(text);
    if (seconds >= min && seconds <= max) return seconds;
    throw new InvalidArgumentError(`It must be a number of seconds from ${String(min)} to ${String(max)}.`);
  };
}

/** Of the package that this file belongs to, from `src` as from `dist`. */
async function version(): Promise<string> {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
