/** Worker threads for our samplers, each with one job at a time. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import * as z from "zod";
import type { OwnJob } from "./own-worker.ts";
import type { ProposalTime } from "./proposal-time.ts";
import type { Regret } from "./run.ts";

const regretSchema = z.object({
  seed: z.int(),
  batch: z.int(),
  regret50: z.number(),
  regret100: z.number(),
});
const timeSchema = z.object({ ms: z.number(), processorMs: z.number() });

export class OwnLane {
  readonly #worker: Worker;

  constructor() {
    const here = fileURLToPath(import.meta.url);
    this.#worker = new Worker(new URL(`./own-worker${extname(here)}`, import.meta.url));
  }

  async race(job: OwnJob & { kind: "race" }): Promise<Regret> {
    return regretSchema.parse(await this.#ask(job));
  }

  async proposalTime(sampler: OwnJob["sampler"]): Promise<ProposalTime> {
    return timeSchema.parse(await this.#ask({ kind: "time", sampler }));
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(job: OwnJob): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        this.#worker.off("message", answered).off("error", failed);
        settle();
      };
      const answered = (value: unknown) => done(() => resolve(value));
      const failed = (error: Error) => done(() => reject(error));
      this.#worker.on("message", answered).on("error", failed);
      this.#worker.postMessage(job);
    });
  }
}
