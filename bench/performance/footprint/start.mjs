// Started by footprint.mjs: starts one contender and sends the time since the start of the process.
const [name, settings] = process.argv.slice(2);
// This module loads the same code for every contender.
const { STARTS } = await import('./starts.mjs');
await STARTS[name](JSON.parse(settings));
const ms = performance.now();
process.send(ms, () => process.exit());
