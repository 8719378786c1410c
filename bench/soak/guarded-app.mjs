import { fork } from 'node:child_process';
import { once } from 'node:events';
import { within } from '../within.mjs';

const ANSWER_MS = 15_000;
const EXIT_MS = 5_000;

/** Controls the process of the guarded application. */
export class GuardedApp {
  url = '';
  #child;
  #onHealth;
  #waiting = new Map();

  /** @param onHealth receives the key health of each issuer every 50 ms. */
  constructor(onHealth) {
    this.#onHealth = onHealth;
  }

  async start(options) {
    this.#child = fork(new URL('./app.mjs', import.meta.url), { execArgv: ['--expose-gc'] });
    this.#child.on('message', (message) => this.#hear(message));
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the application exited unexpectedly'));
    });
    const { url } = await this.#tell('start', options);
    this.url = url;
  }

  /** Returns the heap size after a garbage collection, and the event-loop delay. */
  measure() {
    return this.#tell('measure');
  }

  /** @returns true if the process exited without a signal: no timer or socket was left open. */
  async stop() {
    const exited = once(this.#child, 'exit');
    await this.#tell('stop');
    this.#child.disconnect();
    try {
      const [code] = await within(EXIT_MS, exited, 'the application did not exit in time');
      return code === 0;
    } catch {
      return false;
    }
  }

  kill() {
    this.#child?.kill('SIGKILL');
  }

  #tell(command, argument) {
    const answer = new Promise((resolve, reject) => this.#waiting.set(command, { resolve, reject }));
    this.#child.send({ command, argument });
    return within(ANSWER_MS, answer, `the application did not answer '${command}' in time`);
  }

  #hear({ health, command, result, error }) {
    if (health !== undefined) {
      this.#onHealth(health);
      return;
    }
    const { resolve, reject } = this.#waiting.get(command);
    this.#waiting.delete(command);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  }
}
