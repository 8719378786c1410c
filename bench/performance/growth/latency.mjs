import { createHistogram } from 'node:perf_hooks';

/** Returns the median and the 99th percentile in microseconds. */
export async function latencyOf(items, run) {
  const histogram = createHistogram();
  for (const item of items) {
    const start = process.hrtime.bigint();
    await run(item);
    histogram.record(Number(process.hrtime.bigint() - start));
  }
  return { p50: histogram.percentile(50) / 1000, p99: histogram.percentile(99) / 1000 };
}
