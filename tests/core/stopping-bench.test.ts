import assert from "node:assert/strict";
import { test } from "node:test";
import { curveFamilies, targetOf } from "../../bench/stopping/curve-family.ts";
import { fullEpochs, lanes } from "../../bench/stopping/lane.ts";
import { epochSeconds, simulate } from "../../bench/stopping/simulate.ts";
import { median } from "../../bench/shared/median.ts";

const seeds = Array.from({ length: 12 }, (_, index) => index + 1);
const tokensMax = 100 * fullEpochs * epochSeconds;

function laneNamed(name: string) {
  const lane = lanes.find((each) => each.name === name);
  assert.ok(lane !== undefined);
  return lane;
}

test("STOP-9: promotion reaches the target for fewer tokens than stopping only and than full runs, on workers 8 times apart", () => {
  const family = curveFamilies.find(({ name }) => name === "overfit");
  assert.ok(family !== undefined);
  const target = targetOf(family, fullEpochs, 0.02);
  const tokensOf = (name: string) =>
    median(
      seeds.map((seed) => simulate(laneNamed(name), family, target, seed, tokensMax).tokens ?? Infinity),
    );
  const [full, stop, promotion] = ["full", "asha-stop", "asha"].map(tokensOf);
  assert.ok(full !== undefined && stop !== undefined && promotion !== undefined);
  assert.ok(promotion < stop && stop < full, `${promotion}, ${stop}, ${full}`);
});

test("STOP-9: a simulated sweep is the same whenever it is run", () => {
  const [family] = curveFamilies;
  assert.ok(family !== undefined);
  const run = () => simulate(laneNamed("hyperband"), family, 0.25, 7, tokensMax);
  assert.deepEqual(run(), run());
});
