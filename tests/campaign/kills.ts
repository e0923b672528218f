/**
 * `npm run campaign -- kills [--count N] [--seed S] [--every MS] [--json]`: a mesh of three agents and two coordinators at work, and
 * one misfortune after the other: processes killed and stopped, ways cut, clocks set, disks filled, credentials taken back. In the
 * end nothing may be lost, doubled or overspent, and every sweep has ended. Ends with status 1 where that is not so.
 */
import { parseArgs } from "node:util";
import { runKills } from "./kills/run-kills.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    every: { type: "string", default: "1000" },
    json: { type: "boolean", default: false },
  },
});

const report = await runKills({
  count: Number(values.count),
  seed: Number(values.seed),
  everyMs: Number(values.every),
  onMisfortune: (number, what) => {
    if (!values.json) process.stdout.write(`${number}: ${what}\n`);
  },
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exit(report.violations.length === 0 ? 0 : 1);
