/** A model that somebody adds without figures of the reference machine is offered all the same. */
import assert from "node:assert/strict";
import test from "node:test";
import { unmeasuredRates } from "../../agent/capability/unmeasured-rate.ts";
import { linear } from "../../training/text/linear.ts";
import { noop } from "../../training/catalog/noop.ts";

test("PROBE-12: what has no work to be measured by is offered on each of its backends, at one token a second", () => {
  const added = { ...linear, task: "quantile", reference: null };
  assert.deepEqual(unmeasuredRates([linear, added, noop], "sparse"), [
    { kind: "quantile/linear", backend: "sparse", examplesPerSecond: 0, tokensPerSecond: 1 },
  ]);
  assert.deepEqual(
    unmeasuredRates([linear, added, noop], "none").map(({ kind }) => kind),
    ["noop/noop"],
  );
});
