// Runs seeds in processes of their own, as many at once as are asked for; each takes the next seed when it is done with one.
// What a run says of its seed comes back without its trace, which `--seed` prints.
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { runScenario, type RunReport } from "./scenario.ts";

export type SeedResult = Omit<RunReport, "trace">;

const questionSchema = z.object({ seed: z.int() });
const resultSchema: z.ZodType<SeedResult> = z.object({
  seed: z.int(),
  violations: z.array(z.string()),
  trials: z.int(),
  events: z.int(),
  misfortunes: z.int(),
  removals: z.int(),
});

/** Calls `tell` for each seed as it is done, in whatever order. Throws where a process ends before its seed does. */
export async function runSeeds(
  seeds: Iterable<number>,
  jobs: number,
  tell: (result: SeedResult) => void,
): Promise<void> {
  const left = seeds[Symbol.iterator]();
  await Promise.all(Array.from({ length: jobs }, () => runInChild(left, tell)));
}

async function runInChild(left: Iterator<number>, tell: (result: SeedResult) => void): Promise<void> {
  let child: ChildProcess | null = null;
  try {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      child ??= fork(fileURLToPath(import.meta.url));
      tell(await ask(child, next.value));
    }
  } finally {
    child?.disconnect();
  }
}

function ask(child: ChildProcess, seed: number): Promise<SeedResult> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) =>
      reject(new Error(`the process that ran seed ${seed} ended with code ${code}`));
    child.once("exit", ended);
    child.once("message", (answer) => {
      child.off("exit", ended);
      resolve(resultSchema.parse(answer));
    });
    child.send({ seed });
  });
}

// The other side: this file as a process's program.
if (process.argv[1] === fileURLToPath(import.meta.url) && process.send !== undefined) {
  // Whoever asked is gone: nobody waits for the rest.
  process.on("disconnect", () => process.exit());
  process.on("message", (question) => {
    const { seed } = questionSchema.parse(question);
    void runScenario(seed).then((report) => process.send?.(resultSchema.parse(report)));
  });
}
