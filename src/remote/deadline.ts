import { once } from 'node:events';
import { FetchError } from './fetch-error.js';

/**
 * Runs an operation with a deadline. Settles in time even if `run` ignores its signal, as a custom `fetch` may do.
 *
 * Uses `setTimeout`, because some versions of Node collect the timer of an `AbortSignal.timeout` that `AbortSignal.any`
 * combines with another signal, and the deadline never fires.
 * @throws FetchError TIMEOUT, the reason of `outer`, or whatever `run` throws.
 */
export async function withDeadline<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const { signal } = controller;
  const aborted = once(signal, 'abort').then(() => Promise.reject<never>(signal.reason as FetchError));
  const abort = () => {
    controller.abort(outer?.reason);
  };
  outer?.addEventListener('abort', abort);
  const timer = setTimeout(() => {
    controller.abort(new FetchError('TIMEOUT', `no answer within ${String(timeoutMs)} ms`));
  }, timeoutMs);
  try {
    return await Promise.race([aborted, run(signal)]);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
  }
}
