/**
 * A value that is known now, or a promise of it. A known value travels synchronously, because each promise costs a
 * request a microtask and an allocation, and most requests repeat a token that was verified before.
 */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Returns whether a value is a promise of any library. Not `instanceof`: the global `Promise` may have been replaced (zone.js). */
export function isPromise<Value>(value: MaybePromise<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** Continues with the value: now if it is known, otherwise when the promise resolves. An error of `next` is thrown or rejected alike. */
export function whenKnown<Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return isPromise(value) ? value.then(next) : next(value);
}

/**
 * Calls a function that may throw or return a promise that rejects, and turns both kinds of failure into a result.
 * @param recover receives what was thrown.
 */
export function recovering<Result>(
  run: () => MaybePromise<Result>,
  recover: (error: unknown) => MaybePromise<Result>,
): MaybePromise<Result> {
  try {
    const result = run();
    return isPromise(result) ? result.then(undefined, recover) : result;
  } catch (error) {
    return recover(error);
  }
}
