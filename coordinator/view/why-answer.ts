/** Why a trial does what it does: per agent what does not fit, the money, who is ahead, and when it will start. */
import { explainMismatch, packagesPredicate } from "../../protocol/match.ts";
import { plural } from "../../protocol/plural.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { WhyView } from "../../protocol/why-view.ts";
import { available } from "../budget/ledger.ts";
import { fundsFor } from "../budget/funds-for.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { members } from "../state/member.ts";
import { activeAttempt, mustGet, type State, type Sweep, type Trial } from "../state/state.ts";
import { couldStart } from "../placement/could-start.ts";
import { estimateStart } from "../placement/estimate-start.ts";
import { mismatchesOf } from "../placement/feasible.ts";
import { startCost } from "../placement/start-cost.ts";
import { fairOrder, startTag } from "../queue/fair-queue.ts";
import { startsTrials } from "../state/starts-trials.ts";
import { sweepOrder } from "../queue/sweep-order.ts";
import { resumeHint } from "./paused-text.ts";

export function whyViewOf(state: State, trial: Trial, settings: CoordinatorSettings): WhyView {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const agents = agentReasons(state, sweep, trial.model);
  const budget = budgetNeedOf(state, sweep, trial.model, settings);
  const sweepsAhead = sweepsAheadOf(state, sweep);
  const aheadInSweep = state.queues.get(sweep.sweep)?.get(trial.model)?.before(trial.trial) ?? 0;
  const ownAhead = aheadInSweep + sweepsAhead.reduce((sum, { queued }) => sum + queued, 0);
  const waiting = { sweep, model: trial.model, ownAhead, budget };
  const view = {
    trial: trial.trial,
    state: trial.state,
    agents,
    budget,
    ahead: aheadOf(state, sweep, settings),
    sweepsAhead,
    aheadInSweep,
    start:
      trial.state === "queued"
        ? estimateStart(state, waiting, state.meta.at, settings)
        : { at: trial.attempts[0]?.at ?? null, because: "it does not wait" },
  };
  return { ...view, sentence: sentenceFor(trial, sweep, view) };
}

export function agentReasons(state: State, sweep: Sweep, model: string): WhyView["agents"] {
  return members(state).map((agent) => {
    const reasons = mismatchesOf(agent, sweep, model).map(explainMismatch);
    if (!agent.present) reasons.push("not present: nothing heard from it");
    if (agent.closed !== null) reasons.push(agent.closed);
    if (agent.draining) reasons.push("draining");
    if (agent.cordoned) reasons.push(`cordoned: ${agent.cordonReason ?? "it takes no new trials"}`);
    const fits = reasons.length === 0;
    if (fits && !state.fleet.isFree(agent.agent)) reasons.push(`all ${agent.policy.slots} slots busy`);
    return { agent: agent.agent, fits, reasons };
  });
}

export function budgetNeedOf(
  state: State,
  sweep: Sweep,
  model: string,
  settings: CoordinatorSettings,
): WhyView["budget"] {
  const free = fundsFor(state, sweep);
  const needed = startCost(state, sweep, [model], settings) ?? 0;
  const account = mustGet(state.accounts, sweep.requester, "account");
  const limit = available(account, null) > free ? "cap" : "account";
  return { available: free, needed, short: Math.max(0, needed - free), limit };
}

/** Requesters that could start something, and whose turn comes before this sweep's requester's. */
export function aheadOf(state: State, sweep: Sweep, settings: CoordinatorSettings): WhyView["ahead"] {
  const { at, virtualTime } = state.meta;
  const ahead = [];
  for (const other of fairOrder(state.accounts.values(), ({ requester }) => requester, virtualTime, at)) {
    if (other.requester === sweep.requester) break;
    const open = state.open.get(other.requester) ?? [];
    const sweeps = open.map((id) => mustGet(state.sweeps, id, "sweep")).filter(startsTrials);
    const queued = sweeps.reduce((sum, { counts }) => sum + counts.queued, 0);
    if (queued === 0 || !couldStart(state, other.requester, settings)) continue;
    ahead.push({ requester: other.requester, startTag: startTag(other, virtualTime, at), queued });
  }
  return ahead;
}

export function sweepsAheadOf(state: State, sweep: Sweep): WhyView["sweepsAhead"] {
  if (!state.open.has(sweep.requester)) return [];
  const account = mustGet(state.accounts, sweep.requester, "account");
  const order = [...sweepOrder(state, account, state.meta.at)];
  const place = order.indexOf(sweep);
  return order
    .slice(0, Math.max(0, place))
    .map((other) => ({ sweep: other.sweep, priority: other.priority, queued: other.counts.queued }));
}

function sentenceFor(trial: Trial, sweep: Sweep, view: Omit<WhyView, "sentence">): string {
  switch (trial.state) {
    case "running": {
      const attempt = activeAttempt(trial);
      const ending = attempt?.cancel === null ? "" : `; it is asked to stop: ${attempt?.cancel}`;
      return `It runs on ${attempt?.agent} (${attempt?.backend}), fence ${attempt?.fence}, towards epoch ${attempt?.target}${ending}.`;
    }
    case "paused":
      return `It waits at epoch ${trial.checkpoint?.resource ?? 0}: not among the best of its rung so far; it goes on if it comes to be.`;
    case "completed":
      return trial.reusedFrom === null
        ? "It is complete."
        : `It was answered from the record of ${trial.reusedFrom}.`;
    case "stopped":
      return trial.reusedFrom === null
        ? trial.stopAsked !== undefined
          ? `It was ${trial.failure} at epoch ${trial.checkpoint?.resource ?? 0}.`
          : `It was stopped early at epoch ${trial.checkpoint?.resource ?? 0}: ${trial.failure ?? "not among the best of its rung"}.`
        : `It was answered from the record of ${trial.reusedFrom}, which was stopped early.`;
    case "failed":
    case "cancelled":
      return `It ${trial.state === "failed" ? "failed" : "was cancelled"}: ${trial.failure ?? "no reason recorded"}.`;
    case "queued":
      return queuedBecause(sweep, view);
  }
}

export function queuedBecause(
  sweep: Sweep,
  view: Pick<WhyView, "agents" | "budget" | "ahead" | "sweepsAhead" | "aheadInSweep">,
): string {
  return `${becauseOf(sweep, view)}${pythonText(view.agents)}`;
}

/** Named in a sentence; of more, how many. */
const agentsNamedMax = 8;

/** NEED-5: whose Python lacks what it needs, which the owners can mend; empty where nobody's does. */
function pythonText(agents: WhyView["agents"]): string {
  const begin = `${packagesPredicate}: `;
  const lacking = agents.flatMap(({ agent, reasons }) => {
    const what = reasons
      .filter((reason) => reason.startsWith(begin))
      .map((reason) => reason.slice(begin.length));
    return what.length === 0 ? [] : [`${agent} ${what.join(", and ")}`];
  });
  if (lacking.length === 0) return "";
  const named = lacking.slice(0, agentsNamedMax);
  const rest = lacking.length - named.length;
  const which = [...named, ...(rest > 0 ? [`${rest} more`] : [])].join("; ");
  const verb = lacking.length === 1 ? "lacks" : "lack";
  return ` ${lacking.length} of ${plural(agents.length, "agent")} ${verb} what it needs of Python: ${which}.`;
}

function becauseOf(
  sweep: Sweep,
  view: Pick<WhyView, "agents" | "budget" | "ahead" | "sweepsAhead" | "aheadInSweep">,
): string {
  if (sweep.paused !== undefined && sweep.state === "running")
    return `Its sweep ${sweep.sweep} is paused by ${sweep.paused.by}; ${resumeHint(sweep.sweep)}.`;
  const fitting = view.agents.filter(({ fits }) => fits);
  if (view.agents.length === 0) return "No agent has joined the mesh yet.";
  if (fitting.length === 0) {
    const [first] = view.agents.toSorted((a, b) => lacks(a) - lacks(b));
    return `No agent fits; the nearest is ${first?.agent}: ${first?.reasons.join("; ")}.`;
  }
  if (view.budget.short > 0) {
    const { available: free, limit, needed } = view.budget;
    const who = limit === "cap" ? `the cap of ${sweep.sweep} leaves it` : `${sweep.requester} has`;
    return `It waits for budget: ${who} ${formatTokens(free)} tokens to spend, a start needs ${formatTokens(needed)}.`;
  }
  const busy = fitting.every(({ reasons }) => reasons.length > 0);
  const queue = [
    view.ahead.length > 0
      ? `behind ${view.ahead.map(({ requester }) => requester).join(", ")} in the fair order`
      : "",
    view.sweepsAhead.length > 0
      ? `behind ${view.sweepsAhead.map((one) => one.sweep).join(", ")} of the same requester`
      : "",
    view.aheadInSweep > 0 ? `behind ${view.aheadInSweep} trials of its own sweep` : "",
  ].filter(Boolean);
  const place = queue.length > 0 ? `, ${queue.join(" and ")}` : ", next in line";
  return busy ? `Every agent that fits is busy${place}.` : `It is about to be placed${place}.`;
}

/** What will pass (an agent that is away, or drains) weighs less than what it can never do. */
function lacks({ reasons }: WhyView["agents"][number]): number {
  return reasons.reduce((sum, reason) => sum + (/^[\w.]+: needs /.test(reason) ? 10 : 1), 0);
}
