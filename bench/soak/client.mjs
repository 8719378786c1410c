import { Agent, request } from 'node:http';

const PATIENCE_MS = 10_000;

/** An HTTP client with a fixed number of keep-alive connections. */
export class Client {
  #agent;
  #url;

  constructor(url, connections) {
    this.#url = `${url}/orders`;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Sends a request. Never rejects: without an answer, the status is 0. */
  get(token) {
    const start = performance.now();
    return new Promise((resolve) => {
      const end = (answer) => resolve({ ...answer, ms: performance.now() - start });
      const lost = (error) => end({ status: 0, body: { code: error.code ?? error.message } });
      request(this.#url, { agent: this.#agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', lost);
        response.on('end', () => {
          const { statusCode: status, headers } = response;
          end({ status, retryAfter: headers['retry-after'], body: parse(Buffer.concat(chunks)) });
        });
      })
        .setTimeout(PATIENCE_MS, function giveUp() {
          this.destroy(new Error('no answer'));
        })
        .on('error', lost)
        .end();
    });
  }

  close() {
    this.#agent.destroy();
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
