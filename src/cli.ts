#!/usr/bin/env node
import { EXIT, outputTo, printProblem } from './cli/command-io.js';
import { run } from './cli/run.js';

// eslint-disable-next-line no-restricted-properties -- the environment decides about colors
const { stdin, env } = process;
const [stdout, stderr] = [outputTo(process.stdout, env), outputTo(process.stderr, env)];
// An application may print while it starts. Only the result of the command belongs on stdout.
process.stdout.write = stderr.write;
// The reader of a pipe may end first, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// An application may call `process.exit(0)` before the command has a result.
const onEarlyExit = () => {
  process.exitCode = EXIT.UNREACHABLE;
  printProblem(stderr, 'error', 'The process ended before the command had a result.');
};
process.once('exit', onEarlyExit);

const exitCode = await run(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  clock: Date.now,
  fetch: globalThis.fetch,
});
// Open handles of an application would keep the process alive, so exit explicitly, after the output is flushed.
stdout.write('', () => {
  process.off('exit', onEarlyExit);
  process.exit(exitCode);
});
