/** What format 1 left its reader to learn from the end of an attempt. Frozen with that format: today's is `core/learned.ts`. */
import type { EventOf } from "../../format/event.ts";
import type { Attempt, LogMeans, Speed, State, Sweep, Trial } from "../../state/state.ts";

const trainedMinMs = 250;
const agentsComparedMax = 32;
const attemptsMin = 3;
const errorsMin = 2;
const speedSmoothing = 0.2;

export function learned1(
  state: State,
  sweep: Sweep,
  trial: Trial,
  attempt: Attempt,
): EventOf<"AttemptEnded">["learned"] {
  const units = (trial.checkpoint?.resource ?? 0) - (attempt.from?.resource ?? 0);
  if (attempt.keptMs < trainedMinMs || units <= 0) return undefined;
  const kind = `${sweep.spec.task}/${trial.model}`;
  const rows = Math.max(1, sweep.spec.dataset?.rows.train ?? 1);
  const cost = Math.log((attempt.keptMs * attempt.rate) / units / rows);
  const agent = state.agents.get(attempt.agent);
  const claimed = agent?.capability.rates.find(
    (rate) => rate.kind === kind && rate.backend === attempt.backend,
  );
  if (agent === undefined || claimed === undefined) return { cost };
  const pace = Math.log((attempt.keptMs * claimed.tokensPerSecond) / units);
  const byAgent = sweep.pace[trial.model] ?? {};
  const own = byAgent[attempt.agent];
  if (own === undefined && Object.keys(byAgent).length >= agentsComparedMax) return { cost };
  const means = withValue(own ?? { count: 0, mean: 0, squares: 0 }, pace);
  const logSpeed = logSpeedOf(means, { ...byAgent, [attempt.agent]: means });
  if (logSpeed === null) return { cost, pace };
  return { cost, pace, speed: withSpeed(agent.speed[kind], logSpeed) };
}

function withValue({ count, mean, squares }: LogMeans, value: number): LogMeans {
  const next = count + 1;
  const gap = value - mean;
  const moved = mean + gap / next;
  return { count: next, mean: moved, squares: squares + gap * (value - moved) };
}

function logSpeedOf(own: LogMeans, byAgent: Readonly<Record<string, LogMeans>>): number | null {
  const compared = Object.entries(byAgent).filter(([, { count }]) => count >= attemptsMin);
  if (own.count < attemptsMin || compared.length < 2) return null;
  const sorted = compared.map(([, means]) => means).toSorted((a, b) => a.mean - b.mean);
  const measure = sorted[Math.floor((sorted.length - 1) / 2)];
  if (measure === undefined) return null;
  let squares = 0;
  let freedom = 0;
  for (const means of sorted) {
    squares += means.squares;
    freedom += means.count - 1;
  }
  const variance = squares / Math.max(1, freedom);
  const error = Math.sqrt(variance / own.count + variance / measure.count);
  const gap = measure.mean - own.mean;
  return gap === 0 ? 0 : gap * Math.max(0, 1 - ((errorsMin * error) / gap) ** 2);
}

function withSpeed(speed: Speed | undefined, logSpeed: number): number {
  const { attempts, logFactor } = speed ?? { attempts: 0, logFactor: 0 };
  const weight = Math.max(speedSmoothing, 1 / (attempts + 1));
  return logFactor + weight * (logSpeed - logFactor);
}
