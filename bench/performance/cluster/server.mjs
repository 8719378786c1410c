// Run by servers.mjs: as many processes as it is told serve one guarded application at one port, and verify in a loop when they
// are asked to. Requests go to each of them in turn, as node:cluster hands them out.
import cluster from 'node:cluster';
import { once } from 'node:events';

const [workers, key] = process.argv.slice(2);

if (cluster.isPrimary) await lead();
else await work();

async function lead() {
  process.on('disconnect', () => process.exit());
  const all = Array.from({ length: Number(workers) }, () => cluster.fork());
  for (const worker of all) {
    // Half of them would be no measurement.
    worker.on('exit', () => process.exit(1));
  }
  const [{ port }] = await Promise.all(all.map(async (worker) => (await once(worker, 'message'))[0]));
  // Asked at the same time, and answered by all of them.
  process.on('message', (question) => {
    const answers = all.map(async (worker) => {
      worker.send(question);
      const [answer] = await once(worker, 'message');
      return answer;
    });
    void Promise.all(answers).then((answer) => process.send(answer));
  });
  process.send({ port });
}

async function work() {
  const { cpuSeconds, startWorker } = await import('./worker.mjs');
  const { port, verifyFor } = await startWorker(JSON.parse(key));
  process.on('message', ({ question, ...options }) => {
    const answering = question === 'cpu' ? Promise.resolve(cpuSeconds()) : verifyFor(options);
    void answering.then((answer) => process.send({ answer }));
  });
  process.send({ port });
}
