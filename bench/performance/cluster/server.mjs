// The cluster, started by servers.mjs with the number of workers. The workers serve one guarded application on one port
// and run a verification loop on request. node:cluster distributes the connections round-robin.
import cluster from 'node:cluster';
import { once } from 'node:events';

const [workers, key] = process.argv.slice(2);

if (cluster.isPrimary) await lead();
else await work();

async function lead() {
  process.on('disconnect', () => process.exit());
  const all = Array.from({ length: Number(workers) }, () => cluster.fork());
  for (const worker of all) {
    // A measurement with fewer workers is invalid.
    worker.on('exit', () => process.exit(1));
  }
  const [{ port }] = await Promise.all(all.map(async (worker) => (await once(worker, 'message'))[0]));
  // All workers receive the question at the same time, so that their loops overlap.
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
