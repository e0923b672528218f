/**
 * What the peer reached before, kept beside the project: its runs are slow and, by their seed, always the same. A record
 * holds for one version of the peer and for one function as it is now.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { paramsFrom } from "../../search/space/active.ts";
import { fromUnit } from "../../search/space/axis.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import { benchFolder } from "../shared/bench-folder.ts";
import type { BenchFunction } from "./bench-function.ts";
import { optunaVersion } from "./optuna-place.ts";
import type { PeerSampler } from "./optuna-lane.ts";
import type { Regret } from "./run.ts";

const regretSchema = z.object({
  seed: z.int(),
  batch: z.int(),
  regret50: z.number(),
  regret100: z.number(),
});
/** So many values of a function tell it from what it was before. */
const printTrials = 32;

export class PeerRecord {
  readonly #path: string;

  constructor(benchFunction: BenchFunction, sampler: PeerSampler) {
    const folder = join(benchFolder, `optuna-${optunaVersion}-regret`);
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, `${benchFunction.name}-${fingerprint(benchFunction)}-${sampler}.jsonl`);
  }

  forget(): void {
    rmSync(this.#path, { force: true });
  }

  read(): readonly Regret[] {
    if (!existsSync(this.#path)) return [];
    return readFileSync(this.#path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => regretSchema.parse(JSON.parse(line)));
  }

  add(regret: Regret): void {
    appendFileSync(this.#path, `${JSON.stringify(regret)}\n`);
  }
}

function fingerprint(benchFunction: BenchFunction): string {
  const { noise, space } = benchFunction;
  const values = Array.from({ length: printTrials }, (_, at) => {
    const stream = randomStream(0, "fingerprint", at);
    return benchFunction
      .value(paramsFrom(space, (_name, distribution) => fromUnit(distribution, stream.next())))
      .toPrecision(9);
  });
  return createHash("sha256")
    .update(JSON.stringify([space, noise, values]))
    .digest("hex")
    .slice(0, 12);
}
