/**
 * `npm run campaign -- disk [--trials N] [--programs N] [--epochs N] [--grace SECONDS] [--patience MINUTES] [--json]`: so many small trials on
 * a real mesh, then retention by itself. Prints by place what lies on the disk before and after, and as its last line all of it as one
 * JSON object. Ends with status 1 where more stays than an ordinary mesh may have.
 */
import { parseArgs } from "node:util";
import { megabytes, runDisk } from "./disk/run-disk.ts";

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "10000" },
    sweeps: { type: "string", default: "10" },
    programs: { type: "string", default: "100" },
    epochs: { type: "string", default: "4" },
    slots: { type: "string", default: "32" },
    grace: { type: "string", default: "10" },
    patience: { type: "string", default: "30" },
    json: { type: "boolean", default: false },
  },
});
/** Longer than an agent spares what it used lately. */
const stillMs = 660_000;
const say = (line: string) => {
  if (!values.json) process.stdout.write(`${line}\n`);
};
const report = await runDisk({
  trials: Number(values.trials),
  sweeps: Number(values.sweeps),
  programs: Number(values.programs),
  epochs: Number(values.epochs),
  slots: Number(values.slots),
  graceMs: Number(values.grace) * 1_000,
  patienceMs: Number(values.patience) * 60_000,
  stillMs,
  say,
});
for (const place of new Set([...Object.keys(report.before), ...Object.keys(report.after)])) {
  const [before, after] = [report.before[place] ?? 0, report.after[place] ?? 0];
  say(`${place.padEnd(40)} ${megabytes(before).padStart(12)} ${megabytes(after).padStart(12)}`);
}
say(
  `${"in all".padEnd(40)} ${megabytes(report.totalBefore).padStart(12)} ${megabytes(report.totalAfter).padStart(12)}`,
);
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exitCode = report.violations.length === 0 && report.totalAfter <= report.limit ? 0 : 1;
