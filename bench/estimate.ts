/**
 * `npm run bench -- estimate [--json]`: real sweeps that were recorded, each estimated from those before it; and thirty of made-up
 * costs on the real core: is each inside its estimate, made from the others' history; what does it cost a second and third time;
 * is what stopping saved what the sweep costs more without it?
 */
import { parseArgs } from "node:util";
import { estimateSweep } from "../coordinator/placement/estimate-sweep.ts";
import { withSample } from "../coordinator/state/work-history.ts";
import { summaryOf } from "../coordinator/view/sweep-answer.ts";
import { settingsFor } from "../coordinator/state/setting.ts";
import { formatTokens } from "../protocol/token.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../training/version/code-version.ts";
import { estimateRecorded } from "./estimate/estimate-recorded.ts";
import { recordingSchema } from "./estimate/recording.ts";
import { CoreMesh } from "./estimate/core-mesh.ts";
import { sweeps, type BenchSweep } from "./estimate/work.ts";
import { median } from "./shared/median.ts";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });

const settings = settingsFor(15_000);
const recorded = sweeps.map(({ spec, work }, index) => {
  const mesh = new CoreMesh(work, index);
  const sweep = mesh.run(spec);
  const saved = summaryOf(mesh.state, sweep, settings).savedByStopping;
  const works = [...mesh.state.works.values()];
  const again = [mesh.run(spec), mesh.run(spec)].map(({ spent }) => spent);
  return { spec, work, index, cost: sweep.spent, saved, works, again: (again[0] ?? 0) + (again[1] ?? 0) };
});

const lines = recorded.map((one) => {
  const range = estimateFromOthers(one);
  const inside = one.cost >= range.low && one.cost <= range.high;
  return { ...one, range, inside, ratio: range.expected / one.cost };
});
for (const { cost, inside, range, ratio, spec, work } of lines) {
  const name = `${spec.name}, ${work.rows} rows`.padEnd(34);
  const text = `${formatTokens(range.expected)} (${formatTokens(range.low)} to ${formatTokens(range.high)})`;
  console.log(
    `${name} ${inside ? "inside " : "OUTSIDE"} ${formatTokens(cost).padStart(7)} of ${text}, ${ratio.toFixed(2)}`,
  );
}

const recording = recordingSchema.parse(
  JSON.parse(readFileSync(join(projectFolder, "bench", "recording", "estimate.json"), "utf8")),
);
const real = estimateRecorded(recording);
for (const { cost, expected, high, inside, load, low, name, ratio } of real) {
  const text = `${formatTokens(expected)} (${formatTokens(low)} to ${formatTokens(high)})`;
  console.log(
    `recorded: ${name.padEnd(12)} ${inside ? "inside " : "OUTSIDE"} ${formatTokens(cost)} of ${text}, ${ratio.toFixed(2)}, load ${load}`,
  );
}

const errors = recorded.filter(({ spec }) => spec.stopping.policy !== "none").map(savedErrorOf);
const result = {
  inside: lines.filter(({ inside }) => inside).length,
  insideOf: lines.length,
  ratioWithin2: lines.filter(({ ratio }) => ratio >= 0.5 && ratio <= 2).length,
  of: lines.length,
  rerunTokens: recorded.reduce((sum, { again }) => sum + again, 0) / 1000,
  recordedInside: real.filter(({ inside }) => inside).length,
  recordedOf: real.length,
  recordedRatioWithin2: real.filter(({ ratio }) => ratio >= 0.5 && ratio <= 2).length,
  savedError: Number(median(errors).toFixed(4)),
};
console.log(
  `${result.inside} of ${result.insideOf} inside, expected within a factor of two in ${result.ratioWithin2}; again for ${result.rerunTokens} tokens; saved is off by ${(100 * result.savedError).toFixed(1)} % of the cost`,
);
if (values.json) console.log(JSON.stringify(result));

function estimateFromOthers({ index, spec, work }: { readonly index: number } & BenchSweep) {
  const { state } = new CoreMesh(work, index);
  for (const other of recorded) {
    if (other.index === index) continue;
    for (const { samples, work: kind } of other.works)
      for (const sample of samples) state.works.set(kind, withSample(state.works.get(kind), kind, sample));
  }
  return estimateSweep(state, "ada", spec);
}

/** Of what the sweep costs without stopping, the share by which the saving said differs from the true one. */
function savedErrorOf({
  cost,
  index,
  saved,
  spec,
  work,
}: { cost: number; index: number; saved: number } & BenchSweep) {
  const { max } = spec.stopping;
  const whole = new CoreMesh(work, index).run({ ...spec, stopping: { policy: "none", max } }).spent;
  return Math.abs(saved - Math.max(0, whole - cost)) / whole;
}
