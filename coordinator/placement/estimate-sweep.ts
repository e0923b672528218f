/**
 * ESTIMATE-1: the estimate of a sweep before it is launched: cost by model, what is there to pay it, and whether it can fit.
 * ESTIMATE-2: it is refused for its least only where past attempts of the same work make that one.
 */
import { imagineSweep, type EffortRange } from "../budget/imagined-sweep.ts";
import { available } from "../budget/ledger.ts";
import { costByEpoch, costFromPast, costFromProbe, type WorkCost } from "../budget/work-cost.ts";
import type { State } from "../state/state.ts";
import { takesWork } from "../state/takes-work.ts";
import { codeOf, workOf } from "../state/work-history.ts";
import { samplerFor } from "../../search/choose/choose-sampler.ts";
import { stoppingPolicy } from "../../search/stopping/choose-policy.ts";
import { plural } from "../../protocol/plural.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { EstimateView } from "../../protocol/estimate-view.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { shareOnRecord } from "./on-record.ts";

/** Standard errors on either side: nineteen of twenty outcomes, if past and future are alike. */
const errorsAside = 2;

type Range = NonNullable<EstimateView["models"][number]["range"]>;

export function estimateSweep(state: State, requester: string, spec: SweepSpec): EstimateView {
  const trials = Math.max(1, Math.min(spec.search.trials, samplerFor(spec).size()));
  const effort = imagineSweep(stoppingPolicy(spec.stopping), trials, spec.stopping.target !== undefined);
  const known = shareOnRecord(state, spec, trials);
  // Models take turns, so each gets its part of the trials; rungs are of the whole sweep.
  const part = 1 / spec.models.length;
  const isSure: boolean[] = [];
  const models = spec.models.map(({ model }) => {
    // What has been done before costs nothing.
    const share = part * (1 - (known.get(model) ?? 0));
    const cost = workCostOf(state, spec, model, trials * share);
    isSure.push(cost?.isSure === true);
    const range = cost === null ? null : rangeOf(cost, effort, share, slotsFor(state));
    return { model, attempts: cost?.attempts ?? 0, range };
  });
  const sum = (pick: (range: Range) => number) =>
    models.reduce((total, { range }) => total + (range === null ? 0 : pick(range)), 0);
  const account = state.accounts.get(requester);
  const free = account === undefined ? 0 : available(account, null);
  const caps = [free, spec.cap, account?.sweepCap ?? null].filter((cap) => cap !== null);
  const shareKnown = part * spec.models.reduce((total, { model }) => total + (known.get(model) ?? 0), 0);
  const view = {
    trials,
    low: sum(({ low }) => low),
    expected: sum(({ expected }) => expected),
    high: sum(({ high }) => high),
    onRecord: Math.round(trials * shareKnown),
    models,
    available: Math.min(...caps),
  };
  return { ...view, ...verdictOn(view, isSure.every(Boolean)) };
}

/** A part of the sweep's effort at that cost; cold starts come once for each slot. */
function rangeOf(cost: WorkCost, { expected, high, low }: EffortRange, share: number, slots: number): Range {
  const { coldExtra, epoch, single } = cost;
  const priced = (of: typeof expected, sign: number): number => {
    const factor = (logError: number) => Math.exp(sign * errorsAside * logError);
    const segments = share * of.segments;
    const more = share * Math.max(0, of.epochs - of.segments);
    // Nobody knows how cold an agent is: at the least it is warm, at the most cold in every slot.
    const cold = coldExtra * Math.min(slots, segments) * (sign < 0 ? 0 : 1);
    return (
      segments * single.mean * factor(single.logError) + more * epoch.mean * factor(epoch.logError) + cold
    );
  };
  return {
    low: Math.floor(priced(low, -1)),
    expected: Math.round(priced(expected, 0)),
    high: Math.ceil(priced(high, 1)),
  };
}

function slotsFor(state: State): number {
  let slots = 0;
  for (const agent of state.agents.values()) if (takesWork(agent)) slots += agent.policy.slots;
  return slots;
}

function verdictOn(
  view: Omit<EstimateView, "fits" | "sentence">,
  isSure: boolean,
): Pick<EstimateView, "fits" | "sentence"> {
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
  if (low > free && isSure) return { fits: false, sentence: `${cost}, and ${money}${record}` };
  const doubt = expected > free ? "; it will probably pause for more" : "";
  return { fits: true, sentence: `${cost}; ${money}${doubt}${record}` };
}

function workCostOf(state: State, spec: SweepSpec, model: string, trials: number): WorkCost | null {
  const rows = Math.max(1, spec.dataset?.rows.train ?? 1);
  const agents = [...state.agents.values()];
  const present = agents.filter(({ present: isThere }) => isThere);
  const hardware = new Set(
    present.flatMap(({ capability: { host, rates } }) =>
      rates.map(({ backend }) => `${host.cpuModel}/${backend}`),
    ),
  );
  const past = state.works.get(workOf(spec, model))?.samples ?? [];
  const cost = costFromPast(past, { rows, code: codeOf(spec), hardware, trials });
  if (cost !== null) return cost;
  const kind = `${spec.task}/${model}`;
  const byEpoch = spec.program === null ? state.costs.get(kind) : undefined;
  if (byEpoch !== undefined && byEpoch.count > 0) return costByEpoch(byEpoch, rows);
  for (const { capability } of agents) {
    for (const { examplesPerSecond, kind: of, tokensPerSecond } of capability.rates) {
      const probed = of === kind ? costFromProbe(tokensPerSecond, examplesPerSecond, rows) : null;
      if (probed !== null) return probed;
    }
  }
  return null;
}
