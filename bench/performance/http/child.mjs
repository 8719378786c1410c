// A process that is asked one thing after the other.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from '../../within.mjs';

/** Whoever does not answer in this time never will: nothing that is asked here takes half of it. */
export const PATIENCE_MS = 60_000;

export class Child {
  #name;
  #process;
  #errors = '';
  #ended;

  /** @param script a file of this folder; `args` may be whatever JSON can say. */
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
    // Not 'exit': by then what it has written may not have been read.
    this.#ended = new Promise((resolve) => this.#process.once('close', resolve));
  }

  /** @returns what it answers. Nothing else may be asked until then. */
  async ask(question) {
    const answered = once(this.#process, 'message');
    const ended = this.#ended.then(() => {
      throw new Error(`${this.#name} has ended: ${this.#errors}`);
    });
    // That it cannot be sent is told by its end.
    this.#process.send(question, () => undefined);
    const [answer] = await within(PATIENCE_MS, Promise.race([answered, ended]), `${this.#name} does not answer`);
    return answer;
  }

  async kill() {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
