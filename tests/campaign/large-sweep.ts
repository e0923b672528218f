/**
 * `npm run campaign -- large-sweep [--trials N] [--paused N] [--slots N] [--eta N] [--previous] [--json]`: a sweep of so many trials is stopped
 * while nearly all of them wait, and the mesh is taken down and up again. With `--previous` the version before runs it into the end that it
 * cannot write, and this one starts its home. Ends with status 1 where anything of it is not whole.
 */
import { parseArgs } from "node:util";
import { runBrickedSweep } from "./large-sweep/run-bricked-sweep.ts";
import { runLargeSweep } from "./large-sweep/run-large-sweep.ts";

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "20000" },
    paused: { type: "string" },
    slots: { type: "string", default: "8" },
    /** One in so many goes on: with few, nearly all wait. */
    eta: { type: "string", default: "50" },
    previous: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const trials = Number(values.trials);
const options = {
  trials,
  paused: Number(values.paused ?? Math.floor(trials * 0.95)),
  slots: Number(values.slots),
  eta: Number(values.eta),
  say: (line: string) => {
    if (!values.json) process.stdout.write(`${line}\n`);
  },
};
const report = values.previous ? await runBrickedSweep(options) : await runLargeSweep(options);
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exitCode = report.violations.length === 0 ? 0 : 1;
