/** A worker thread that runs our samplers: a job in, a regret per seed and batch out. */
import { parentPort } from "node:worker_threads";
import * as z from "zod";
import { methodNames } from "../../protocol/sweep.ts";
import { benchFunctions } from "./function.ts";
import { ownRun, ownSampler } from "./own-run.ts";
import { proposalTime } from "./proposal-time.ts";

const jobSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("race"),
    sampler: z.enum(methodNames),
    function: z.string(),
    batch: z.int(),
    seed: z.int(),
  }),
  z.object({ kind: z.literal("time"), sampler: z.enum(methodNames) }),
]);
export type OwnJob = z.infer<typeof jobSchema>;

const port = parentPort;
if (port === null) throw new Error("this file is a worker of the bench, not a program");
port.on("message", (message: unknown) => {
  const job = jobSchema.parse(message);
  port.postMessage(job.kind === "time" ? timed(job) : race(job));
});

function race(job: OwnJob & { kind: "race" }): unknown {
  const benchFunction = benchFunctions.find(({ name }) => name === job.function);
  if (benchFunction === undefined) throw new Error(`there is no function ${job.function}`);
  return ownRun(ownSampler(job.sampler), benchFunction, job.seed, job.batch);
}

function timed(job: OwnJob & { kind: "time" }): unknown {
  return proposalTime(ownSampler(job.sampler));
}
