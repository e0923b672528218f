/** Why a trial does what it does: per agent what does not fit, the money, and who is ahead. */
import { explainMismatch } from "../../protocol/match.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { WhyView } from "../../protocol/view.ts";
import { fundsFor } from "../budget/funds-for.ts";
import type { CoordinatorSettings } from "../core/setting.ts";
import { activeAttempt, mustGet, type State, type Sweep, type Trial } from "../core/state.ts";
import { mismatchesOf } from "../placement/feasible.ts";
import { startCost } from "../placement/start-cost.ts";
import { freeSlots } from "../placement/choose-agent.ts";
import { fairOrder, startTag } from "../queue/fair-queue.ts";

export function whyViewOf(state: State, trial: Trial, settings: CoordinatorSettings): WhyView {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const agents = agentReasons(state, sweep, trial);
  const free = fundsFor(state, sweep);
  const needed = startCost(state, sweep, [trial.model], settings) ?? 0;
  const ahead = [];
  for (const other of fairOrder(state.accounts.values(), state.meta.virtualTime)) {
    if (other.requester === sweep.requester) break;
    const open = state.open.get(other.requester) ?? [];
    const queued = open.reduce((sum, id) => sum + mustGet(state.sweeps, id, "sweep").counts.queued, 0);
    if (queued === 0) continue;
    ahead.push({ requester: other.requester, startTag: startTag(other, state.meta.virtualTime), queued });
  }
  const aheadInSweep = Math.max(0, sweep.ready.indexOf(trial.trial));
  const view = {
    trial: trial.trial,
    state: trial.state,
    agents,
    budget: { available: free, needed, short: Math.max(0, needed - free) },
    ahead,
    aheadInSweep,
  };
  return { ...view, sentence: sentenceFor(trial, sweep, view) };
}

function agentReasons(state: State, sweep: Sweep, trial: Trial): WhyView["agents"] {
  return [...state.agents.values()].map((agent) => {
    const reasons = mismatchesOf(agent, sweep, trial.model).map(explainMismatch);
    if (!agent.present) reasons.push("not present: nothing heard from it");
    if (agent.closed !== null) reasons.push(agent.closed);
    if (agent.draining) reasons.push("draining");
    const fits = reasons.length === 0;
    if (fits && freeSlots(state, agent) === 0) reasons.push(`all ${agent.policy.slots} slots busy`);
    return { agent: agent.agent, fits, reasons };
  });
}

function sentenceFor(trial: Trial, sweep: Sweep, view: Omit<WhyView, "sentence">): string {
  switch (trial.state) {
    case "running": {
      const attempt = activeAttempt(trial);
      return `It runs on ${attempt?.agent} (${attempt?.backend}), fence ${attempt?.fence}, towards epoch ${attempt?.target}.`;
    }
    case "paused":
      return `It waits at epoch ${trial.checkpoint?.resource ?? 0}: not among the best of its rung so far; it goes on if it comes to be.`;
    case "completed":
      return trial.reusedFrom === null
        ? "It is complete."
        : `It was answered from the record of ${trial.reusedFrom}.`;
    case "stopped":
      return trial.reusedFrom === null
        ? `It was stopped early at epoch ${trial.checkpoint?.resource ?? 0}: not among the best of its rung.`
        : `It was answered from the record of ${trial.reusedFrom}, which was stopped early.`;
    case "failed":
    case "cancelled":
      return `It ${trial.state === "failed" ? "failed" : "was cancelled"}: ${trial.failure ?? "no reason recorded"}.`;
    case "queued":
      return queuedBecause(sweep, view);
  }
}

function queuedBecause(sweep: Sweep, view: Omit<WhyView, "sentence">): string {
  const fitting = view.agents.filter(({ fits }) => fits);
  if (view.agents.length === 0) return "No agent has joined the mesh yet.";
  if (fitting.length === 0) {
    const [first] = view.agents.toSorted((a, b) => a.reasons.length - b.reasons.length);
    return `No agent fits; the nearest is ${first?.agent}: ${first?.reasons.join("; ")}.`;
  }
  if (view.budget.short > 0) {
    return `It waits for budget: ${sweep.requester} has ${formatTokens(view.budget.available)} tokens to spend, a start needs ${formatTokens(view.budget.needed)}.`;
  }
  const busy = fitting.every(({ reasons }) => reasons.length > 0);
  const queue = [
    view.ahead.length > 0
      ? `behind ${view.ahead.map(({ requester }) => requester).join(", ")} in the fair order`
      : "",
    view.aheadInSweep > 0 ? `behind ${view.aheadInSweep} trials of its own sweep` : "",
  ].filter(Boolean);
  const place = queue.length > 0 ? `, ${queue.join(" and ")}` : ", next in line";
  return busy ? `Every agent that fits is busy${place}.` : `It is about to be placed${place}.`;
}
