/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access -- BullMQ is not installed in the project, so its types are not known here */
/**
 * One round of the peer, run from where BullMQ is installed: `port queue jobs concurrency`. Adds no-op jobs in
 * bulk while a worker takes them, and prints jobs per second from the first added to the last completed.
 */
import { Queue, Worker } from "bullmq";

const [port, name, jobs, concurrency] = process.argv.slice(2);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };
const total = Number(jobs);
/** Jobs added in one call. */
const bulkJobs = 1_000;

const queue = new Queue(name, { connection });
const worker = new Worker(name, async () => null, { connection, concurrency: Number(concurrency) });
await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
let completed = 0;
const done = new Promise((resolve) => {
  worker.on("completed", () => {
    completed += 1;
    if (completed === total) resolve();
  });
});
const from = performance.now();
for (let first = 0; first < total; first += bulkJobs) {
  const count = Math.min(bulkJobs, total - first);
  await queue.addBulk(
    Array.from({ length: count }, (_, index) => ({ name: "noop", data: { x: first + index } })),
  );
}
await done;
const seconds = (performance.now() - from) / 1_000;
await worker.close();
await queue.obliterate({ force: true });
await queue.close();
console.log(`jobs/s ${(total / seconds).toFixed(1)}`);
