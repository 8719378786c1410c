// A child process that answers one question at a time.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from '../../within.mjs';

/** Timeout of an answer. Every question takes less than half of it. */
export const PATIENCE_MS = 60_000;

export class Child {
  #name;
  #process;
  #errors = '';
  #ended;

  /** @param script a file in this folder. `args` must be serializable as JSON. */
  constructor(script, args = []) {
    this.#name = [script, ...args.slice(0, 1)].join(' ');
    this.#process = fork(
      fileURLToPath(new URL(script, import.meta.url)),
      args.map((arg) => JSON.stringify(arg)),
      { env: { ...process.env, NODE_ENV: 'production' }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    );
    this.#process.stderr.on('data', (data) => {
      this.#errors = `${this.#errors}${data}`.slice(-4_000);
    });
    // `exit` may fire before stderr is read completely; `close` does not.
    this.#ended = new Promise((resolve) => this.#process.once('close', resolve));
  }

  /** Sends a question and resolves to the answer. Wait for the answer before the next call. */
  async ask(question) {
    const answered = once(this.#process, 'message');
    const ended = this.#ended.then(() => {
      throw new Error(`${this.#name} exited: ${this.#errors}`);
    });
    // Ignores send errors, because `ended` reports that the process is gone.
    this.#process.send(question, () => undefined);
    const [answer] = await within(PATIENCE_MS, Promise.race([answered, ended]), `${this.#name} did not answer in time`);
    return answer;
  }

  async kill() {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
