// Run by footprint.mjs: starts one contender, and tells how long after the start of the process that was done.
const [name, settings] = process.argv.slice(2);
// Everybody loads the same that is not the contender's.
const { STARTS } = await import('./starts.mjs');
await STARTS[name](JSON.parse(settings));
const ms = performance.now();
process.send(ms, () => process.exit());
