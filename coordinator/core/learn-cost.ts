/**
 * What the end of an attempt teaches: what a unit of resource costs on this kind of task (for estimates), and how fast the
 * agent is against its claim (for ranking and price). Part of `apply`.
 */
import { logSpeedOf, withSpeed, withValue } from "../placement/pace.ts";
import type { Attempt, LogMeans, State, Sweep, Trial } from "../state/state.ts";

/** A shorter attempt says more about its start than about its speed, ms. */
const trainedMinMs = 250;

/** Agents compared within one sweep and model. */
const agentsComparedMax = 32;

const nothing: LogMeans = { count: 0, mean: 0, squares: 0 };

export function learnCost(state: State, sweep: Sweep, trial: Trial, attempt: Attempt): void {
  const units = (trial.checkpoint?.resource ?? 0) - (attempt.from?.resource ?? 0);
  if (attempt.keptMs < trainedMinMs || units <= 0) return;
  const kind = `${sweep.spec.task}/${trial.model}`;
  const rows = Math.max(1, sweep.spec.dataset?.rows.train ?? 1);
  const cost = Math.log((attempt.keptMs * attempt.rate) / units / rows);
  state.costs.set(kind, { kind, ...withValue(state.costs.get(kind) ?? nothing, cost) });
  state.dirty.add(`cost/${kind}`);

  const agent = state.agents.get(attempt.agent);
  const claimed = agent?.capability.rates.find(
    (rate) => rate.kind === kind && rate.backend === attempt.backend,
  );
  if (agent === undefined || claimed === undefined) return;
  const work = Math.log((attempt.keptMs * claimed.tokensPerSecond) / units);
  const byAgent = (sweep.pace[trial.model] ??= {});
  // Of a large fleet some are enough to compare with.
  if (byAgent[attempt.agent] === undefined && Object.keys(byAgent).length >= agentsComparedMax) return;
  byAgent[attempt.agent] = withValue(byAgent[attempt.agent] ?? nothing, work);
  const logSpeed = logSpeedOf(attempt.agent, byAgent);
  if (logSpeed === null) return;
  agent.speed[kind] = withSpeed(agent.speed[kind], logSpeed);
  state.dirty.add(`agent/${attempt.agent}`);
}
