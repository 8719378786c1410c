#!/usr/bin/env node
import { EXIT } from './cli/command-io.js';
import { run } from './cli/run.js';

const { stdin, stdout, stderr } = process;
const write = stdout.write.bind(stdout);
// Whatever an application prints while it starts is not part of what was asked for.
stdout.write = stderr.write.bind(stderr);

// An application may end the process by itself, with 0, before anybody has looked at it.
const ended = () => {
  process.exitCode = EXIT.UNREACHABLE;
  stderr.write('error: The process was ended, or waits for what never comes, before there was anything to report.\n');
};
process.once('exit', ended);

const exitCode = await run(process.argv.slice(2), {
  stdin,
  stdout: { write },
  stderr,
  // eslint-disable-next-line no-restricted-properties -- the one place where the tool is a process
  env: process.env,
  clock: Date.now,
  fetch: globalThis.fetch,
  isTerminal: stdout.isTTY,
  cwd: process.cwd(),
});
// An application may leave something behind that keeps the process alive. What was written is let out first.
write('', () => {
  process.off('exit', ended);
  process.exit(exitCode);
});
