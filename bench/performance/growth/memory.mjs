import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect = globalThis.gc;

/** Returns the used bytes on and off the heap after a garbage collection. */
export function memory() {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc');
  }
  // The second collection frees objects that the first one finalized.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
