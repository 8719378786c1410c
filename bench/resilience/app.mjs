// One of the applications that are compared, in a process of its own: a start is a start, and nobody shares a heap.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));
/** After this an answer is not waited for any more. */
export const CAP_MS = 35_000;

export class App {
  #child;
  #port;

  /** @param contender the name of a file in `contenders/`; `settings` are what it takes. */
  static async start(contender, settings) {
    const app = new App();
    const env = { ...process.env, NODE_ENV: 'production' };
    const child = fork(SERVER, [contender, JSON.stringify(settings)], {
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    app.#child = child;
    let errors = '';
    child.stderr.on('data', (data) => {
      errors = `${errors}${data}`.slice(-4_000);
    });
    app.#port = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error(`${contender} does not start: ${errors}`)));
    });
    return app;
  }

  /** @returns status (or what went wrong in its place), Retry-After, and how long it took. */
  ask(token, agent = false) {
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const settle = (status, retryAfter) => resolve({ status, retryAfter, ms: performance.now() - startedAt });
      const options = { port: this.#port, host: '127.0.0.1', agent, headers: { authorization: `Bearer ${token}` } };
      const asked = request(options, (response) => {
        response.resume().on('end', () => settle(response.statusCode, response.headers['retry-after']));
      });
      asked.setTimeout(CAP_MS, () => {
        settle('hangs');
        asked.destroy();
      });
      asked.on('error', ({ code }) => settle(code)).end();
    });
  }

  /** Just the status. */
  async statusFor(token) {
    return (await this.ask(token)).status;
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
