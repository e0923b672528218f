/** ESTIMATE: what the core says of recorded real sweeps before each, from those before it alone. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { estimateRecorded } from "../../bench/estimate/estimate-recorded.ts";
import { recordingSchema } from "../../bench/estimate/recording.ts";
import { projectFolder } from "../../training/version/code-version.ts";

const path = join(projectFolder, "bench", "recording", "estimate.json");
const recordingBytesMax = 400_000;
const recording = recordingSchema.parse(JSON.parse(readFileSync(path, "utf8")));

test("ESTIMATE: the recording is small, and names no folder of the machine it was made on", () => {
  assert.ok(statSync(path).size < recordingBytesMax);
  assert.doesNotMatch(readFileSync(path, "utf8"), /\/(?:home|root|tmp|work|Users)\//);
});

test("ESTIMATE: a recorded sweep is estimated from what came before it and from nothing after", () => {
  const whole = estimateRecorded(recording);
  assert.ok(whole.length > 0);
  for (let count = 1; count <= recording.sweeps.length; count++) {
    const part = estimateRecorded({ ...recording, sweeps: recording.sweeps.slice(0, count) });
    assert.deepEqual(part, whole.slice(0, part.length));
  }
});

test("ESTIMATE: the figures follow from the costs: at ten times its cost a sweep is further off by that much", () => {
  const dear = recording.sweeps.map((one) => ({ ...one, cost: 10 * one.cost }));
  const ratios = estimateRecorded({ ...recording, sweeps: dear }).map(({ ratio }) => 10 * ratio);
  for (const [index, { ratio }] of estimateRecorded(recording).entries())
    assert.ok(Math.abs((ratios[index] ?? 0) - ratio) < 1e-6 * Math.max(1, ratio));
});

test("ESTIMATE-1: the cost of at least nine of ten recorded sweeps lies where it was said to", () => {
  const lines = estimateRecorded(recording);
  const inside = lines.filter((line) => line.inside).length;
  assert.ok(lines.length >= 25 && inside >= 0.9 * lines.length, `${inside} of ${lines.length}`);
});
