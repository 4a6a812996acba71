// BullMQ: a flow of chains below one job, added and worked off by one worker.
// Flows are trees: a script that all chains start from is not part of it.
//
//     node bullmq.mjs PORT SEGMENTS STAGES CONCURRENCY
//
// Prints {"jobs", "seconds"}.
import { FlowProducer, Queue, Worker } from 'bullmq';

const [port, segments, stages, concurrency] = process.argv.slice(2).map(Number);
const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
const queueName = 'jobs';

function job(name, children) {
  return { name, queueName, data: {}, children };
}

function chain(segment) {
  let children = [];
  let last;
  for (let stage = 0; stage < stages; stage++) {
    last = job(`segment${segment}-stage${stage}`, children);
    children = [last];
  }
  return last;
}

const queue = new Queue(queueName, { connection });
await queue.obliterate({ force: true });
const flows = new FlowProducer({ connection });
await flows.waitUntilReady();
const film = job('film', Array.from({ length: segments }, (_, i) => chain(i)));

const jobs = segments * stages + 1;
const begin = performance.now();
let completed = 0;
let worker;
const done = new Promise((resolve) => {
  worker = new Worker(queueName, async () => 1, { connection, concurrency });
  worker.on('completed', () => {
    if (++completed === jobs) resolve();
  });
});
await flows.add(film);
await done;
const seconds = (performance.now() - begin) / 1000;

const counts = await queue.getJobCounts('completed');
if (counts.completed !== jobs) throw new Error(`completed: ${counts.completed}`);
console.log(JSON.stringify({ jobs, seconds }));
process.exit(0);
