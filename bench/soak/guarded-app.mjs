import { fork } from 'node:child_process';
import { once } from 'node:events';
import { within } from '../within.mjs';

const ANSWER_MS = 15_000;
const EXIT_MS = 5_000;

/** The process of the guarded application, as its parent has it. */
export class GuardedApp {
  url = '';
  #child;
  #onHealth;
  #waiting = new Map();

  /** @param onHealth is told about the keys of each issuer, often. */
  constructor(onHealth) {
    this.#onHealth = onHealth;
  }

  async start(options) {
    this.#child = fork(new URL('./app.mjs', import.meta.url), { execArgv: ['--expose-gc'] });
    this.#child.on('message', (message) => this.#hear(message));
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the application has ended'));
    });
    const { url } = await this.#tell('start', options);
    this.url = url;
  }

  /** After a garbage collection. */
  measure() {
    return this.#tell('measure');
  }

  /** @returns whether the process ended by itself: then nothing was left behind. */
  async stop() {
    const exited = once(this.#child, 'exit');
    await this.#tell('stop');
    this.#child.disconnect();
    try {
      const [code] = await within(EXIT_MS, exited, 'the application does not end');
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
    return within(ANSWER_MS, answer, `the application does not answer to '${command}'`);
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
