/**
 * Entry of a runner's child process: one job at a time, over the IPC channel. It ends by itself when the
 * parent is gone, so that an agent that was killed leaves no orphan. Started by `child-runner.ts` only.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isModuleJob, runModule } from "../module/run-module.ts";
import { Replica } from "../serving/replica.ts";
import { runJob } from "./run-job.ts";
import { lastKinds, toChildSchema, type FromChild } from "../runner/wire.ts";

let running = 0;
let stopFence: number | null = null;
let replica: Replica | null = null;

/** A job's last event waits for what was printed before it, but not for ever: a module may have made something else of the streams. */
const flushMs = 2_000;

const send = (event: FromChild): void => {
  if (process.connected) process.send?.(event);
};

const emit = (event: FromChild): void => {
  if (lastKinds.has(event.kind)) void flushed().then(() => send(event));
  else send(event);
};

async function flushed(): Promise<void> {
  const written = [process.stdout, process.stderr].map(
    (stream) => new Promise<void>((resolve) => stream.write("", () => resolve())),
  );
  await Promise.race([Promise.all(written), sleep(flushMs)]);
}

process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  const order = toChildSchema.parse(message);
  if (order.kind === "stop") {
    if (order.fence === running) stopFence = order.fence;
    if (order.fence === running) void replica?.stop();
    return;
  }
  if (order.kind === "serve") {
    if (order.fence === running) void replica?.take(order.serving, order.parts);
    return;
  }
  running = order.job.fence;
  stopFence = null;
  if (order.job.serving !== undefined) {
    replica = new Replica({ ...order.job, serving: order.job.serving }, emit);
    return void replica.start();
  }
  const stopping = () => stopFence === running;
  if (isModuleJob(order.job)) void runModule(order.job, { emit, stopping });
  else void runJob(order.job, { emit, stopping, ownProcess: true });
});
if (process.send === undefined) {
  console.error("this file is started by a trialmesh agent, not by hand");
  process.exit(2);
}
