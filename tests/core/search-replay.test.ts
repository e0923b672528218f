// A journal holds every proposal; whoever replays it up to one and asks the sampler again must get that very one.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { apply } from "../../coordinator/core/apply.ts";
import { emptyState, mustGet } from "../../coordinator/state/state.ts";
import { questionFor } from "../../coordinator/leader/proposer.ts";
import { splitParams } from "../../search/sampler/joint-space.ts";
import { answerTo } from "../../search/choose/sampler-worker-port.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

const space = {
  lr: { distribution: "log-uniform", min: 1e-4, max: 1 },
  width: { distribution: "int", min: 8, max: 64 },
} as const;

describe("SEARCH-4: a replayed journal gives the same proposals", () => {
  for (const method of ["auto", "gp", "tpe", "cma-es", "pbt", "nsga-ii"] as const) {
    test(`${method} asked again at every proposal of its sweep`, () => {
      const fold = new Fold();
      fold.open("ada", 1_000_000);
      fold.join("box", 3);
      const models = [{ model: "alpha", space }];
      const search = { method, trials: 16, seed: 11 } as const;
      fold.must("sweep-run", { spec: sweepSpec({ models, search, reuse: false }) });
      for (let turn = 0; fold.running().length > 0; turn++) {
        const running = fold.running();
        const trial = running[(turn * 7) % running.length];
        assert.ok(trial !== undefined);
        const { lr, width } = trial.params;
        fold.finish(trial, 1 - Math.abs(Math.log10(Number(lr)) + 2) / 4 - Math.abs(Number(width) - 40) / 100);
      }
      const state = emptyState();
      let asked = 0;
      for (const { at, event } of fold.events) {
        if (event.kind === "TrialProposed") {
          const sweep = mustGet(state.sweeps, event.sweep, "sweep");
          const [first] = answerTo(questionFor(state, sweep)).suggestions;
          assert.ok(first !== undefined);
          assert.deepEqual(splitParams(sweep.spec, first.params).params, event.params);
          asked++;
        }
        apply(state, event, at);
      }
      assert.equal(asked, 16);
    });
  }
});
