import { FetchError } from './fetch-error.js';

/**
 * Runs something that has to end in time. Settles when the time is over, whatever `run` does: a `fetch` of the user's own
 * may not look at its signal. What `run` brings after that is dropped.
 *
 * A timer of its own, not `AbortSignal.timeout` in `AbortSignal.any`: there some versions of Node let the garbage collector
 * take the timer, and the deadline never comes.
 *
 * @param outer ends it before its time.
 * @throws FetchError TIMEOUT, CLOSED, and what `run` throws.
 */
export async function withDeadline<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (outer?.aborted === true) throw closedBy(outer);
  const controller = new AbortController();
  let release: () => void = () => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (error: FetchError) => {
      reject(error);
      controller.abort(error);
    };
    const onClose = () => {
      if (outer !== undefined) end(closedBy(outer));
    };
    const timer = setTimeout(() => {
      end(new FetchError('TIMEOUT', `no answer within ${String(timeoutMs)} ms`));
    }, timeoutMs);
    outer?.addEventListener('abort', onClose);
    release = () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onClose);
    };
  });
  try {
    return await Promise.race([ended, run(controller.signal)]);
  } finally {
    release();
  }
}

function closedBy({ reason }: AbortSignal): FetchError {
  return reason instanceof FetchError ? reason : new FetchError('CLOSED', 'is not waited for any more');
}
