import { isJsonObject } from '../../model/json-object.js';
import { CommandError, type CommandIo } from '../command-io.js';

// Twice what the package reads at most, so that a token which is too long is reported as one.
const MOST_CHARACTERS = 65_536;

const NOT_AS_ARGUMENT =
  'A token is taken from standard input only: as an argument it stands in the history of the shell and in the list of processes. Write --token - and pipe it in: … | nestjs-resource-server doctor … --token -\nTake the line out of the history now, or have the token revoked.';

/** @throws CommandError when a token stands anywhere on the command line; it is not repeated. */
export function refuseTokens(argv: readonly string[]): void {
  if (argv.some(holdsToken)) throw new CommandError(NOT_AS_ARGUMENT);
}

/** What a header is, however it is written: `{"alg"`, `{ "alg"` and so on begin differently in base64url. */
function holdsToken(argument: string): boolean {
  return (argument.match(/[\w-]{8,}(?=\.[\w-]+)/g) ?? []).some((part) => {
    try {
      return isJsonObject(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')));
    } catch {
      return false;
    }
  });
}

/**
 * The token, from standard input only: an argument stands in the history of the shell, and in the list of processes for
 * everybody on the machine.
 */
export async function givenToken(
  option: string | undefined,
  { stdin, stderr }: Pick<CommandIo, 'stdin' | 'stderr'>,
): Promise<string | undefined> {
  if (option === undefined) return undefined;
  if (option !== '-') throw new CommandError(NOT_AS_ARGUMENT);
  if (stdin.isTTY === true) stderr.write('Paste the token, then press Enter and Ctrl-D (a long one: < file):\n');
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (text.length > MOST_CHARACTERS) break;
  }
  // As it stands in a request, or as `echo` ends it.
  const token = text.trim().replace(/^(?:authorization:\s*)?bearer\s+/i, '');
  if (token === '') throw new CommandError('--token - was given, but there is nothing on standard input.');
  return token;
}
