// `npm run sim -- --seeds N [--from S]` runs N seeds; `npm run sim -- --seed S` replays one with its trace.
import { parseArgs } from "node:util";
import { runScenario } from "./scenario.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
  },
});
const single = values.seed !== undefined;
const from = Number(values.seed ?? values.from);
const count = single ? 1 : Number(values.seeds ?? 50);
if (!Number.isInteger(from) || from < 0 || !Number.isInteger(count) || count < 1) {
  console.error("sim: --seed and --from are whole numbers from 0, --seeds from 1");
  process.exit(2);
}

let failed = 0;
const sums = { events: 0, trials: 0, misfortunes: 0 };
for (let seed = from; seed < from + count; seed++) {
  const report = await runScenario(seed);
  sums.events += report.events;
  sums.trials += report.trials;
  sums.misfortunes += report.misfortunes;
  if (report.violations.length > 0) {
    failed++;
    console.log(`seed ${seed} failed; replay it with: npm run sim -- --seed ${seed}`);
    for (const violation of report.violations.slice(0, 5)) console.log(`  ${violation}`);
  }
  if (single) for (const line of report.trace) console.log(line);
  else if (process.stdout.isTTY)
    process.stdout.write(`\r${seed - from + 1}/${count} seeds, ${failed} failed `);
}
console.log(
  `${count - failed} of ${count} seeds passed: ${sums.trials} trials, ${sums.events} events, ${sums.misfortunes} misfortunes`,
);
process.exit(failed === 0 ? 0 : 1);
