// Started by app.mjs: starts one contender and sends its port.
const [name, settings] = process.argv.slice(2);
const { start } = await import(`./contenders/${name}.mjs`);
const server = await start(JSON.parse(settings));
process.on('disconnect', () => process.exit());
process.send(server.address().port);
