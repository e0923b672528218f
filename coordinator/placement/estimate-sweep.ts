/** ESTIMATE-1: the estimate of a sweep before it is launched: cost by model, what is there to pay it, and whether it can fit. */
import { costFromHistory, costFromProbe, effortOf, rangeOf, type UnitCost } from "../budget/estimate.ts";
import { available } from "../budget/ledger.ts";
import { shareOnRecord } from "./on-record.ts";
import type { State } from "../state/state.ts";
import { samplerFor } from "../../search/choose/choose-sampler.ts";
import { stoppingPolicy } from "../../search/stopping/choose-policy.ts";
import { plural } from "../../protocol/plural.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { EstimateView } from "../../protocol/estimate-view.ts";
import type { Stopping } from "../../protocol/stopping.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";

export function estimateSweep(state: State, requester: string, spec: SweepSpec): EstimateView {
  const trials = Math.max(1, Math.min(spec.search.trials, samplerFor(spec).size()));
  const rows = Math.max(1, spec.dataset?.rows.train ?? 1);
  const { rungs } = stoppingPolicy(spec.stopping);
  // Models take turns, so each gets its part of the trials; rungs are of the whole sweep.
  const part = trials / spec.models.length;
  const models = spec.models.map(({ model }) => {
    const cost = unitCostOf(state, `${spec.task}/${model}`, part);
    const effort = effortOf(part, rungs, goingOn(spec.stopping));
    return {
      model,
      attempts: cost?.attempts ?? 0,
      range: cost === null ? null : rangeOf(cost, effort, rows),
    };
  });
  const shares = shareOnRecord(state, spec, trials);
  const known =
    spec.models.reduce((sum, { model }) => sum + (shares.get(model) ?? 0), 0) / spec.models.length;
  const sum = (pick: (range: NonNullable<(typeof models)[number]["range"]>) => number) =>
    models.reduce((total, { range }) => total + (range === null ? 0 : pick(range)), 0);
  const account = state.accounts.get(requester);
  const free = account === undefined ? 0 : available(account, null);
  const caps = [free, spec.cap, account?.sweepCap ?? null].filter((cap) => cap !== null);
  const view = {
    trials,
    // What has been done before costs nothing.
    low: Math.floor(sum(({ low }) => low) * (1 - known)),
    expected: Math.round(sum(({ expected }) => expected) * (1 - known)),
    high: Math.ceil(sum(({ high }) => high) * (1 - known)),
    onRecord: Math.round(trials * known),
    models,
    available: Math.min(...caps),
  };
  return { ...view, ...verdictOn(view) };
}

function verdictOn(view: Omit<EstimateView, "fits" | "sentence">): Pick<EstimateView, "fits" | "sentence"> {
  const { available: free, expected, high, low, models, onRecord, trials } = view;
  if (models.every(({ range }) => range === null)) {
    return {
      fits: true,
      sentence: `${plural(trials, "trial")}; what they cost is not known yet: nothing of this kind has run`,
    };
  }
  const attempts = models.reduce((sum, model) => sum + model.attempts, 0);
  const basis = attempts > 0 ? `from ${plural(attempts, "past attempt")}` : "from the agents' probes alone";
  const cost = `${plural(trials, "trial")} will cost about ${formatTokens(expected)} tokens (${formatTokens(low)} to ${formatTokens(high)}, ${basis})`;
  const record = onRecord > 0 ? `; ${onRecord} of them are on record and cost nothing` : "";
  const money = `there are ${formatTokens(free)} to spend`;
  if (low > free) return { fits: false, sentence: `${cost}, and ${money}${record}` };
  const doubt = expected > free ? "; it will probably pause for more" : "";
  return { fits: true, sentence: `${cost}; ${money}${doubt}${record}` };
}

/** Of the trials judged at a rung, the share that goes on. */
function goingOn(stopping: Stopping): number {
  switch (stopping.policy) {
    case "none":
    case "patience":
      return 1;
    case "asha":
    case "hyperband":
    case "bohb":
      return 1 / stopping.eta;
    case "median":
      return 0.5;
    case "percentile":
      return stopping.percentile / 100;
  }
}

function unitCostOf(state: State, kind: string, trials: number): UnitCost | null {
  const history = state.costs.get(kind);
  if (history !== undefined && history.count > 0) return costFromHistory(history, trials);
  for (const { capability } of state.agents.values()) {
    for (const rate of capability.rates) {
      if (rate.kind !== kind) continue;
      const cost = costFromProbe(rate.tokensPerSecond, rate.examplesPerSecond);
      if (cost !== null) return cost;
    }
  }
  return null;
}
