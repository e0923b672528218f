// A few seeds of the simulation with every test run; `npm run sim -- --seeds 200` runs many.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runScenario } from "./scenario.ts";

const seeds = [1, 4, 28, 97, 224, 4242, 951_174];

for (const seed of seeds) {
  test(`SIM: every invariant at every event, one outcome per trial, seed ${seed}`, async () => {
    const report = await runScenario(seed);
    assert.deepEqual(report.violations, []);
    assert.ok(
      report.trials > 0 && report.events > report.trials,
      `${report.trials} trials, ${report.events} events`,
    );
    assert.ok(report.removals > 0, "something was collected");
  });
}

test("SIM: a seed is one run: the same journal length, trials and trace", async () => {
  const [first, second] = [await runScenario(7), await runScenario(7)];
  assert.deepEqual(second, first);
});
