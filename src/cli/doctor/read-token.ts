import { text } from 'node:stream/consumers';
import { isJsonObject } from '../../model/unknown-value.js';
import { CommandError, type CommandIo } from '../command-io.js';

const TOKEN_ARGUMENT = `A token must not be an argument: the shell history and the process list would contain it. Write --token - and pipe the token to standard input: … | nestjs-resource-server doctor … --token -
Delete the command from the shell history now, or revoke the token.`;

/** @throws CommandError if an argument contains a token. The message does not repeat it. */
export function refuseTokens(argv: readonly string[]): void {
  if (argv.some(containsToken)) throw new CommandError(TOKEN_ARGUMENT);
}

/** Decodes each candidate, because a JOSE header does not always start with `eyJ`: JSON allows spaces. */
function containsToken(argument: string): boolean {
  return (argument.match(/[\w-]{8,}(?=\.[\w-]+)/g) ?? []).some((part) => {
    try {
      return isJsonObject(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')));
    } catch {
      return false;
    }
  });
}

/**
 * Reads the token from standard input.
 * @param option the value of `--token`. Only `-` is allowed.
 */
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
