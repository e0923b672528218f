/**
 * `npm run bench -- scheduler [--json]`: the coordinator's own scheduler with a million queued trials of a hundred requesters over
 * ten thousand agents of forty kinds that come and go. Simulated time, real decisions; nothing is left out of the queue, the
 * fair order, the ledger or the matching.
 */
import { setFlagsFromString } from "node:v8";
import { parseArgs } from "node:util";
import { runInNewContext } from "node:vm";
import { apply } from "../coordinator/core/apply.ts";
import { settingsFor } from "../coordinator/state/setting.ts";
import { emptyState } from "../coordinator/state/state.ts";
import { randomStream } from "../search/space/random-stream.ts";
import { milliTokensPerToken } from "../protocol/token.ts";
import { makeFleet } from "./scheduler/fleet.ts";
import { simulate } from "./scheduler/simulate.ts";
import { isPoor, openAccounts, queueTrials } from "./scheduler/workload.ts";
import { quantile } from "../numeric/quantile.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    trials: { type: "string", default: "1000000" },
    requesters: { type: "string", default: "100" },
    agents: { type: "string", default: "10000" },
    kinds: { type: "string", default: "40" },
    decisions: { type: "string", default: "200000" },
    seed: { type: "string", default: "1" },
  },
});
const count = (text: string) => Math.max(1, Math.round(Number(text)));
const [trials, requesters, agents, kinds, decisions] = [
  count(values.trials),
  count(values.requesters),
  count(values.agents),
  count(values.kinds),
  count(values.decisions),
];
const seed = count(values.seed);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const heapBytes = () => {
  collect();
  return process.memoryUsage().heapUsed;
};

const options = { requesters, trials, poorEvery: 10, poorMilliTokens: 40_000 * milliTokensPerToken };
const state = emptyState();
apply(state, { kind: "LeaderElected", epoch: 1, leader: "bench" }, 0);
openAccounts(state, options);
const before = heapBytes();
queueTrials(state, options, randomStream(seed, "trials", 0));
state.dirty.clear();
const bytesPerTrial = (heapBytes() - before) / state.trials.size;

const rich = Array.from({ length: requesters }, (_, index) => index).filter(
  (index) => !isPoor(index, options),
);
const outcome = simulate({
  state,
  settings: settingsFor(600_000),
  machines: makeFleet(agents, kinds, randomStream(seed, "fleet", 0)),
  requesters,
  rich,
  decisions,
  random: randomStream(seed, "simulation", 0),
});

const round = (value: number, digits: number) => Number(value.toFixed(digits));
const result = {
  decisionsPerSecond: Math.round(outcome.decisions / outcome.seconds),
  p50Ms: round(quantile(outcome.decisionMs, 0.5), 4),
  p99Ms: round(quantile(outcome.decisionMs, 0.99), 4),
  bytesPerTrial: Math.round(bytesPerTrial),
  overspendTokens: Math.max(0, outcome.overspend) / milliTokensPerToken,
  fairnessGapRatio: round(outcome.fairness.gapRatio, 3),
  strictGapRatio: round(outcome.fairness.strictGapRatio, 3),
  jainIndex: round(outcome.fairness.jain(rich), 5),
  utilisationRatio: round(outcome.utilisation, 4),
  decisions: outcome.decisions,
  queuedTrials: trials,
  requesters,
  agents,
  kinds,
  joined: outcome.joined,
  left: outcome.left,
  lost: outcome.lost,
};
if (values.json) console.log(JSON.stringify(result));
else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(20)} ${value}`);
