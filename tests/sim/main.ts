// `npm run sim -- --seeds N [--from S] [--jobs J]` runs N seeds in J processes; `npm run sim -- --seed S` replays one with its
// trace.
import { parseArgs } from "node:util";
import { runScenario } from "./scenario.ts";
import { runSeeds, type SeedResult } from "./seed-pool.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    jobs: { type: "string", default: "1" },
  },
});
const single = values.seed !== undefined;
const from = Number(values.seed ?? values.from);
const count = single ? 1 : Number(values.seeds ?? 50);
const jobs = Number(values.jobs);
const isCount = (number: number) => Number.isInteger(number) && number >= 1;
if (!Number.isInteger(from) || from < 0 || !isCount(count) || !isCount(jobs)) {
  console.error("sim: --seed and --from are whole numbers from 0, --seeds and --jobs from 1");
  process.exit(2);
}

/** Where no terminal shows how far it is. */
const seedsPerLine = 100;

const began = performance.now();
const sums = { done: 0, failed: 0, events: 0, trials: 0, misfortunes: 0, removals: 0 };
function tell({ events, misfortunes, removals, seed, trials, violations }: SeedResult): void {
  sums.done++;
  sums.events += events;
  sums.trials += trials;
  sums.misfortunes += misfortunes;
  sums.removals += removals;
  if (violations.length > 0) {
    sums.failed++;
    console.log(`seed ${seed} failed; replay it with: npm run sim -- --seed ${seed}`);
    for (const violation of violations.slice(0, 5)) console.log(`  ${violation}`);
  }
  const progress = `${sums.done}/${count} seeds, ${sums.failed} failed `;
  if (!single && process.stdout.isTTY) process.stdout.write(`\r${progress}`);
  else if (!single && sums.done % seedsPerLine === 0) console.log(progress);
}

if (single) {
  const report = await runScenario(from);
  tell(report);
  for (const line of report.trace) console.log(line);
} else {
  const seeds = Array.from({ length: count }, (_, index) => from + index);
  await runSeeds(seeds, Math.min(jobs, count), tell);
}
const rate = (sums.done / (performance.now() - began)) * 1_000;
const { events, failed, misfortunes, removals, trials } = sums;
console.log(
  `${count - failed} of ${count} seeds passed, ${rate.toFixed(1)} a second: ${trials} trials, ${events} events, ${misfortunes} misfortunes, ${removals} removals`,
);
process.exit(failed === 0 ? 0 : 1);
