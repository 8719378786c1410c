/** Whoever does not answer in this time never will: nothing that is asked here takes half of it. */
const PATIENCE_MS = 60_000;

/** @returns what the promise gives; it rejects when that takes too long, for a benchmark must not hang. */
export async function within(promise, name) {
  let timer;
  const deadline = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} does not answer`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
