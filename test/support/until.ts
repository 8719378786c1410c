// The real timer, also in a test that holds the time.
const { setTimeout: wait } = globalThis;

/** Waits until a condition is met that the test does not control. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      wait(resolve, 2);
    });
  }
}
