/** The known figures of the gradient cases, against differences of the sums themselves; and what a wrong one gets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor } from "@tensorflow/tfjs-core";
import { fingerprint, gradientCases } from "../../agent/capability/gradient-case.ts";
import { caseInputs, checkGradients } from "../../agent/capability/gradient-check.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { registerGradients } from "../../training/runtime/register-gradients.ts";

/** Large against the rounding of single precision, small against the curvature of these sums. */
const stepSize = 2e-2;
/** Of the differences, which are in single precision; a wrong formula is off by more. */
const differenceTolerance = 5e-3;

const opened = await openBackend("cpu");
assert.ok(opened.ok && opened.value.tf !== null);
const { tf } = opened.value;
await registerGradients();

for (const one of gradientCases) {
  test(`PROBE-7: the known gradient of ${one.name} is what differences of its sum give`, () => {
    const inputs = caseInputs(one);
    const sumAt = (values: readonly Float32Array[]): number =>
      tf.tidy(() => {
        const tensors = values.map((value, index): Tensor =>
          tf.tensor(value, [...(one.inputs[index] ?? [])]),
        );
        return one.sum(tf, tensors).dataSync()[0] ?? Number.NaN;
      });
    const figures = [sumAt(inputs)];
    for (const [index, values] of inputs.entries()) {
      const gradients = Array.from(values, (_, at) => {
        const moved = (by: number): number =>
          sumAt(inputs.map((other, place) => (place === index ? bumped(values, at, by) : other)));
        return (moved(stepSize) - moved(-stepSize)) / (2 * stepSize);
      });
      figures.push(...fingerprint(gradients));
    }
    assert.equal(figures.length, one.wanted.length);
    for (const [index, wanted] of one.wanted.entries()) {
      const off = Math.abs((figures[index] ?? Number.NaN) - wanted);
      assert.ok(
        off <= differenceTolerance * Math.max(1, Math.abs(wanted)),
        `figure ${index}: ${figures[index]} where ${wanted} is stored`,
      );
    }
  });
}

test("PROBE-8: a wrong gradient condemns a backend, a missing kernel only what needs it", async () => {
  assert.deepEqual(await checkGradients(tf), []);
  const [gather] = gradientCases;
  assert.ok(gather !== undefined);
  const off = {
    ...gather,
    wanted: gather.wanted.map((value, index) => (index === 1 ? value * 1.01 : value)),
  };
  const [wrong] = await checkGradients(tf, [off]);
  assert.equal(wrong?.type, "broken");
  assert.match(wrong?.reason ?? "", /the gradient of gather gives 7\.20\d\d and should give 7\.27/u);
  const missing = { ...gather, sum: () => assert.fail("Kernel 'Nope' not registered") };
  assert.deepEqual(
    (await checkGradients(tf, [missing, gather])).map(({ type }) => type),
    ["cannot"],
  );
});

function bumped(values: Float32Array, at: number, by: number): Float32Array {
  const copy = values.slice();
  copy[at] = (copy[at] ?? 0) + by;
  return copy;
}
