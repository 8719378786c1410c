// Starts the cluster and the load generator as child processes.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from '../../within.mjs';

/** Timeout of an answer. Every measurement takes less time. */
const PATIENCE_MS = 30_000;

class Child {
  #child;
  #name;
  #gone;

  constructor(script, args) {
    this.#name = script;
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), args, {
      // The child must not inherit the Node options of this process.
      execArgv: [],
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#gone = once(this.#child, 'exit').then(() => Promise.reject(new Error(`${script} exited unexpectedly`)));
    // The regular exit must not cause an unhandled rejection.
    this.#gone.catch(() => undefined);
  }

  async answer() {
    const [answer] = await within(PATIENCE_MS, Promise.race([once(this.#child, 'message'), this.#gone]), this.#name);
    return answer;
  }

  ask(question) {
    this.#child.send(question);
    return this.answer();
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await exit;
  }
}

export class Servers {
  /** @param workers the number of worker processes. */
  static async start(workers, { algorithm, kid, jwk, privateKey }) {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const child = new Child('server.mjs', [String(workers), JSON.stringify({ algorithm, kid, jwk, privateKey: pem })]);
    const { port } = await child.answer();
    return new Servers(workers, child, port);
  }

  constructor(workers, child, port) {
    this.workers = workers;
    this.child = child;
    this.url = `http://127.0.0.1:${port}/orders`;
  }

  /** Returns the CPU time of all workers since they started. */
  async cpuSeconds() {
    return sum(await this.#askAll({ question: 'cpu' }));
  }

  /** Measures how many tokens all workers together verify per second, and per second of CPU time. */
  async verify(kind, ms) {
    const answers = await this.#askAll({ question: 'verify', kind, ms });
    const total = (figure) => sum(answers.map((answer) => answer[figure]));
    return { perSecond: total('perSecond'), perCpuSecond: total('done') / total('cpuSeconds') };
  }

  async #askAll(question) {
    return (await this.child.ask(question)).map(({ answer }) => answer);
  }

  stop() {
    return this.child.stop();
  }
}

export class Load {
  #child = new Child('load.mjs', []);

  /** @returns the number of answered requests and the duration in seconds. */
  async run(request) {
    const result = await this.#child.ask(request);
    if (result.bad > 0 || result.answered === 0) {
      throw new Error(`The application did not answer every request with 200: ${JSON.stringify(result)}`);
    }
    return result;
  }

  stop() {
    return this.#child.stop();
  }
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
