import { AsyncLocalStorage } from 'node:async_hooks';
import { TestEnvironment } from 'jest-environment-node';

// Jest enables an AsyncLocalStorage for each test file and never disables it. In Node.js 20 and 22, every enabled one costs time and
// memory for each promise, so each test file slows down all later files of the same worker.
const enabled = new Set();
const { run } = AsyncLocalStorage.prototype;
AsyncLocalStorage.prototype.run = function (...parameters) {
  enabled.add(this);
  return run.apply(this, parameters);
};

/** The environment `node`, which also disables each AsyncLocalStorage of its test file. */
export default class extends TestEnvironment {
  async teardown() {
    for (const storage of enabled) storage.disable();
    enabled.clear();
    await super.teardown();
  }
}
