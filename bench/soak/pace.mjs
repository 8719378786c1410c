import { setTimeout as sleep } from 'node:timers/promises';

const TICK_MS = 5;

/**
 * Calls `send` at a fixed rate until it is stopped or `count` is reached. A slow answer does not delay the next request.
 * `run` resolves when all calls have ended.
 */
export class Pace {
  #isStopped = false;

  async run({ perSecond, count = Infinity, maxOpen = 500 }, send) {
    const start = performance.now();
    const open = new Set();
    let sent = 0;
    while (!this.#isStopped && sent < count) {
      const due = Math.min(((performance.now() - start) * perSecond) / 1000, count);
      for (; sent < due && open.size < maxOpen; sent += 1) {
        const done = send(sent).finally(() => open.delete(done));
        open.add(done);
      }
      await sleep(TICK_MS);
    }
    await Promise.all(open);
    return sent;
  }

  stop() {
    this.#isStopped = true;
  }
}
