/** Why a sweep does not get on faster: for each model what waits and why, the money, and who is ahead. */
import type { SweepWhyView } from "../../protocol/why-view.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type State, type Sweep } from "../state/state.ts";
import { estimateStart } from "../placement/estimate-start.ts";
import { pausedText, resumeHint } from "./paused-text.ts";
import { summaryOf } from "./sweep-answer.ts";
import { agentReasons, aheadOf, budgetNeedOf, queuedBecause, sweepsAheadOf } from "./why-answer.ts";

export function sweepWhyViewOf(state: State, sweep: Sweep, settings: CoordinatorSettings): SweepWhyView {
  const summary = summaryOf(state, sweep, settings);
  const ahead = aheadOf(state, sweep, settings);
  const sweepsAhead = sweepsAheadOf(state, sweep);
  const running = runningByModel(state, sweep);
  const models = sweep.spec.models.map(({ model }) => {
    const queue = state.queues.get(sweep.sweep)?.get(model);
    const queued = queue === undefined ? 0 : [...queue.waiting()].length;
    const agents = agentReasons(state, sweep, model);
    const budget = budgetNeedOf(state, sweep, model, settings);
    const sentence =
      queued === 0
        ? nothingWaits(running.get(model) ?? 0)
        : queuedBecause(sweep, { agents, budget, ahead, sweepsAhead, aheadInSweep: 0 });
    return { model, queued, running: running.get(model) ?? 0, sentence, agents };
  });
  const first = models.find(({ queued }) => queued > 0)?.model ?? models[0]?.model ?? "";
  const budget = budgetNeedOf(state, sweep, first, settings);
  const ownAhead = sweepsAhead.reduce((sum, { queued }) => sum + queued, 0);
  return {
    sweep: sweep.sweep,
    state: summary.state,
    sentence: sentenceFor(sweep, summary.waiting, models),
    models,
    budget,
    ahead,
    sweepsAhead,
    start:
      sweep.finishedAt === null
        ? estimateStart(state, { sweep, model: first, ownAhead, budget }, state.meta.at, settings)
        : { at: null, because: "it has ended" },
  };
}

function nothingWaits(running: number): string {
  return running > 0 ? `${running} running, nothing of it waits.` : "Nothing of it waits.";
}

function sentenceFor(sweep: Sweep, waiting: string | null, models: SweepWhyView["models"]): string {
  const { counts } = sweep;
  if (sweep.finishedAt !== null) return `It has ended: ${sweep.state}.`;
  if (sweep.state === "stopping") return `It is being stopped; ${counts.running} trials still end.`;
  const paused = pausedText(sweep);
  if (paused !== null) return `It is ${paused}; ${resumeHint(sweep.sweep)}.`;
  if (waiting !== null) return `Nothing of it runs: ${waiting}.`;
  const next = models.find(({ queued }) => queued > 0);
  const rest = next === undefined ? "nothing of it waits" : `the next, ${next.model}: ${next.sentence}`;
  return `${counts.running} of its trials run; ${rest}`;
}

function runningByModel(state: State, sweep: Sweep): Map<string, number> {
  const running = new Map<string, number>();
  for (const id of state.active.values()) {
    const trial = mustGet(state.trials, id, "trial");
    if (trial.sweep === sweep.sweep) running.set(trial.model, (running.get(trial.model) ?? 0) + 1);
  }
  return running;
}
