/**
 * `npm run campaign -- damage [--count N] [--from N] [--seed S] [--jobs N] [--kind TEXT] [--json]`: bytes flipped, files cut, folders and
 * streams deleted, at rest and while a mesh runs. Each must be noticed, and healed by the documented command where that can be;
 * none may show a wrong balance. Ends with status 1 where one is not. A further list of kinds is one line here.
 */
import { parseArgs } from "node:util";
import { artifactDamage } from "./damage/artifact-damage.ts";
import { journalDamage } from "./damage/journal-damage.ts";
import { projectionDamage } from "./damage/projection-damage.ts";
import { runDamage } from "./damage/run-damage.ts";

const kinds = [...journalDamage, ...projectionDamage, ...artifactDamage];

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "40" },
    /** The number of the first case: goes on where a run with the same seed ended. */
    from: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: "1" },
    /** Only kinds whose names contain this. */
    kind: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});

const report = await runDamage({
  kinds: kinds.filter(({ name }) => name.includes(values.kind)),
  count: Number(values.count),
  from: Number(values.from),
  seed: Number(values.seed),
  jobs: Number(values.jobs),
  onCase: ({ kind, noticed, outcome, said, what }) => {
    if (values.json) return;
    process.stdout.write(`${outcome} (noticed: ${noticed}): ${kind}: ${what}\n`);
    for (const line of said) process.stdout.write(`  ${line}\n`);
  },
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exitCode = report.defects.length === 0 ? 0 : 1;
