/** What `auto` chooses, and that it says so. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { autoSampler, choose } from "../../search/choose/auto.ts";
import type { Ask, SearchProblem } from "../../search/sampler/ask.ts";
import { gpSampler } from "../../search/gp/gp.ts";
import { drawParams } from "../../search/sampler/random.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import type { Space } from "../../protocol/space.ts";
import { told } from "../support/search-run.ts";

const numbers: Space = {
  x: { distribution: "uniform", min: 0, max: 1 },
  n: { distribution: "int", min: 1, max: 100 },
};
const mixed: Space = { ...numbers, kind: { distribution: "choice", values: ["a", "b"] } };
const conditional: Space = {
  ...numbers,
  m: { distribution: "uniform", min: 0, max: 1, when: { n: { min: 50 } } },
};

function problemOf(space: Space, objectives = 1): SearchProblem {
  return { space, where: [], seed: 3, trials: 10_000, objectives };
}

describe("AUTO", () => {
  for (const { chosen, objectives, space, trials, what } of [
    { what: "numbers", space: numbers, objectives: 1, trials: 0, chosen: "gp" },
    { what: "numbers", space: numbers, objectives: 1, trials: 999, chosen: "gp" },
    { what: "numbers", space: numbers, objectives: 1, trials: 1000, chosen: "cma-es" },
    { what: "categories", space: mixed, objectives: 1, trials: 500, chosen: "gp" },
    { what: "categories", space: mixed, objectives: 1, trials: 1000, chosen: "tpe" },
    { what: "conditions", space: conditional, objectives: 1, trials: 60, chosen: "gp" },
    { what: "conditions", space: conditional, objectives: 1, trials: 5000, chosen: "tpe" },
    { what: "two objectives", space: mixed, objectives: 2, trials: 299, chosen: "gp" },
    { what: "two objectives", space: mixed, objectives: 2, trials: 300, chosen: "nsga-ii" },
  ]) {
    test(`AUTO-1: ${what} after ${trials} trials: ${chosen}`, () => {
      assert.equal(choose(problemOf(space, objectives), trials).sampler.name, chosen);
    });
  }

  test("AUTO-2: proposes what the chosen sampler would, and says which and why in one sentence", () => {
    const problem = problemOf(mixed);
    for (const trials of [0, 20]) {
      const history = Array.from({ length: trials }, (_, index) => {
        const params = drawParams(problem, randomStream(1, "test", index));
        return told(index + 1, params, { state: "completed", values: [Number(params["x"])], resource: 1 });
      });
      const ask: Ask = { problem, position: trials, count: 2, history: () => history, isKnown: () => false };
      const answer = autoSampler.ask(ask);
      assert.deepEqual(answer.suggestions, gpSampler.ask(ask).suggestions);
      assert.match(answer.note ?? "", /^gp, because [^.]+$/);
      assert.match(answer.note ?? "", trials === 0 ? /evenly/ : /fitted to 20 results/);
    }
  });
});
