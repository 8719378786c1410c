#!/usr/bin/env node
import { EXIT } from './cli/command-io.js';
import { run } from './cli/run.js';

const { stdin, stdout, stderr } = process;
const write = stdout.write.bind(stdout);
// An application may print while it starts. Only the result of the command belongs on stdout.
stdout.write = stderr.write.bind(stderr);

// An application may call `process.exit(0)` before the command has a result.
const onEarlyExit = () => {
  process.exitCode = EXIT.UNREACHABLE;
  stderr.write('error: The process ended before the command had a result.\n');
};
process.once('exit', onEarlyExit);

const exitCode = await run(process.argv.slice(2), {
  stdin,
  stdout: { write },
  stderr,
  clock: Date.now,
  fetch: globalThis.fetch,
  hasColors: stdout.isTTY && stdout.hasColors(),
});
// Open handles of an application would keep the process alive, so exit explicitly, after the output is flushed.
write('', () => {
  process.off('exit', onEarlyExit);
  process.exit(exitCode);
});
