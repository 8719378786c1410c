// Run by child.mjs: starts one contender, and tells its port, and how much of the processor it has used.
const [file, settings] = process.argv.slice(2).map((arg) => JSON.parse(arg));
process.on('disconnect', () => process.exit());
const { start } = await import(`./contenders/${file}.mjs`);
const server = await start(settings);

const ANSWERS = {
  port: () => server.address().port,
  // Microseconds of all threads: a signature that is verified on another one is not for nothing.
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
};
process.on('message', (question) => process.send(ANSWERS[question]()));
