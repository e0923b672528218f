/**
 * `npm run bench -- rollout [--runs N] [--json]`: canaries that are 5% worse and canaries that are not, each over HTTP with 10% of the requests: after how many requests
 * they are taken back. Then the test statistic alone over a grid of success rates, and what a trial costs a request.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { quantile } from "../numeric/quantile.ts";
import { SimulatedTrials } from "./rollout/simulated-trial.ts";
import { runTrial, type TrialResult } from "./rollout/tried-server.ts";
import type { TriedBy } from "./rollout/tried-model.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    /** Of each kind, over HTTP; and of each place of the grid. */
    runs: { type: "string", default: "20" },
    simulated: { type: "string", default: "200" },
  },
});
const runs = Math.max(1, Math.round(Number(values.runs)) || 20);
const simulated = Math.max(1, Math.round(Number(values.simulated)) || 200);
const requests = 2_000;
const share = 0.1;
const alpha = 0.01;
const worse = 0.05;

const kinds: readonly (readonly [TriedBy, number])[] = [
  ["errors", 0],
  ["agreement", 0],
  ["truth", 0.05],
];
const served: Record<string, object> = {};
for (const [by, base] of kinds) {
  const bad: TrialResult[] = [];
  const good: TrialResult[] = [];
  for (let seed = 1; seed <= runs; seed++) {
    bad.push(await runTrial({ by, base, worse, share, seed, requests }));
    good.push(await runTrial({ by, base, worse: 0, share, seed, requests }));
  }
  const after = bad.flatMap(({ takenBackAfter }) => takenBackAfter ?? []);
  served[by] = {
    ...{
      worseTakenBack: after.length,
      equalTakenBack: good.filter((one) => one.takenBackAfter !== null).length,
    },
    ...{ medianRequests: quantile(after, 0.5), mostRequests: Math.max(...after) },
    failed: [...bad, ...good].reduce((sum, one) => sum + one.failed, 0),
    copiesDropped: good.reduce((sum, one) => sum + one.dropped, 0),
  };
  console.error(`${by}: ${JSON.stringify(served[by])}`);
}

const alone: number[] = [];
const beside: number[] = [];
for (let seed = 1; seed <= 5; seed++) {
  const order = { by: "agreement", base: 0, worse: 0, seed, requests: 4_000 } as const;
  alone.push((await runTrial({ ...order, share: null })).cpuUs);
  beside.push((await runTrial({ ...order, share })).cpuUs);
}

const trials = new SimulatedTrials(1);
const grid = (["truth", "errors"] as const).flatMap((by) =>
  [0.5, 0.7, 0.8, 0.9, 0.95, 0.999].flatMap((base) =>
    [0, 0.5, 0.9].map((together) => {
      const order = { by, base, together, requests, alpha };
      const many = (less: number) =>
        Array.from({ length: simulated }, () => trials.run({ ...order, worse: less }));
      const found = many(worse).filter((count) => count !== null);
      const wrong = many(0).filter((count) => count !== null);
      return {
        ...{ by, base, together, found: found.length / simulated, wrong: wrong.length / simulated },
        medianRequests: Math.round(quantile(found, 0.5)),
      };
    }),
  ),
);
const result = {
  ...{ runs, requests, share, alpha, worse, served },
  wrongShare: grid.reduce((sum, one) => sum + one.wrong, 0) / grid.length,
  ...{ simulated, grid },
  cpuUs: { alone: Math.round(quantile(alone, 0.5)), beside: Math.round(quantile(beside, 0.5)) },
  ...{ load: loadavg(), cores: cpus().length },
};
console.log(JSON.stringify(result, null, values.json ? 0 : 2));
