// Started by child.mjs: starts one contender and reports its port and its CPU time.
const [file, settings] = process.argv.slice(2).map((arg) => JSON.parse(arg));
process.on('disconnect', () => process.exit());
const { start } = await import(`./contenders/${file}.mjs`);
const server = await start(settings);

const ANSWERS = {
  port: () => server.address().port,
  // Microseconds of all threads, so that signatures verified in the thread pool are included.
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
};
process.on('message', (question) => process.send(ANSWERS[question]()));
