/** What makes two trials the same work: the texts that are stored in people's meshes stay, and each field of a sweep counts as it says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBatch } from "../../coordinator/journal/batch.ts";
import { fingerprintText1, warmStartText1 } from "../../coordinator/journal/format-1/sameness-1.ts";
import { fingerprintText, warmStartText } from "../../coordinator/state/trial-key.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { goldenHomes, goldenJournal } from "../golden/golden-home.ts";
import { sweepSpec } from "../support/fold.ts";

function goldenSpecs(): readonly SweepSpec[] {
  return goldenHomes().flatMap(({ number }) =>
    goldenJournal(number).flatMap((bytes) => {
      const reading = decodeBatch(bytes);
      assert.ok(reading.kind === "read");
      const { events } = reading.batch;
      return events.flatMap((event) => (event.kind === "SweepSubmitted" ? [event.spec] : []));
    }),
  );
}

test("KEY-1: for every sweep of the golden journals the texts are what they were, byte by byte", () => {
  const specs = goldenSpecs();
  assert.ok(specs.length > 20);
  assert.ok(
    specs.some(({ parts }) => parts.length > 0) && specs.some((spec) => spec.alsoObjectives.length > 0),
  );
  for (const spec of specs) {
    assert.equal(fingerprintText(spec), fingerprintText1(spec));
    assert.equal(warmStartText(spec), warmStartText1(spec));
  }
});

const digest = "d".repeat(64);
const rows = { train: 8, validation: 1, test: 1 };
const objective = { metric: "loss", goal: "minimize" } as const;

/** Another value of every field: whether it makes another work, and whether it still does for a longer run of the same. */
const others: { readonly [F in keyof SweepSpec]-?: readonly [SweepSpec[F], "both" | "length" | "no"] } = {
  name: ["other", "no"],
  experiment: ["other", "no"],
  task: ["other", "both"],
  dataset: [{ name: "d", digest, bytes: 1, rows }, "both"],
  gate: [true, "no"],
  parts: [[digest], "both"],
  program: [{ kind: "module", bundle: digest, objectives: [], fullLength: null, entry: "a.ts" }, "no"],
  objective: [objective, "both"],
  alsoObjectives: [[objective], "both"],
  search: [{ method: "sobol", trials: 2, seed: 9 }, "no"],
  stopping: [{ policy: "none", max: 9 }, "length"],
  models: [[], "no"],
  needs: [{ cores: 4 }, "no"],
  prefers: [{ first: "cheapest", nearData: false, labels: {} }, "no"],
  weight: [7, "no"],
  priority: [7, "no"],
  cap: [7, "no"],
  beyondBudget: [true, "no"],
  trialSeed: [7, "both"],
  codeVersion: ["other", "both"],
  reuse: [false, "no"],
  keep: [{ checkpoints: 2 }, "no"],
  records: [{ dataset: "d", recipe: digest, expectations: null }, "no"],
  register: [{ model: "m", alias: null }, "no"],
};

for (const [field, [value, means]] of Object.entries(others)) {
  test(`KEY-2: another ${field} ${means === "no" ? "is no other work" : "is other work"}`, () => {
    const [one, other] = [sweepSpec(), { ...sweepSpec(), [field]: value }];
    assert.notDeepEqual(one, other);
    assert.equal(fingerprintText(one) === fingerprintText(other), means === "no");
    assert.equal(warmStartText(one) === warmStartText(other), means !== "both");
  });
}
