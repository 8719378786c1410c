// A contender in a separate process, so that each scenario includes a cold start and a separate heap.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));
/** Timeout of a request. */
export const CAP_MS = 35_000;

export class App {
  #child;
  #port;

  /** @param contender the name of a module in `contenders/`, which receives `settings`. */
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
      child.once('exit', () => reject(new Error(`${contender} exited before it was ready: ${errors}`)));
    });
    return app;
  }

  /** @returns the status or the error code, the Retry-After header, and the duration. */
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

  async statusFor(token) {
    return (await this.ask(token)).status;
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
