/**
 * What the end of an attempt teaches: what a unit of resource costs on this kind of task (for estimates), and how fast the
 * agent is against its claim (for ranking and price). Pure; `apply` takes it over as a fact.
 */
import { logSpeedOf, withSpeed } from "../placement/pace.ts";
import type { EventOf } from "../format/event.ts";
import { noValues, withValue } from "../state/log-means.ts";
import type { Attempt, State, Sweep, Trial } from "../state/state.ts";

/** A shorter attempt says more about its start than about its speed, ms. */
const trainedMinMs = 250;

/** A kept attempt that worked less than this share of the time it had says more about what it waited for. */
const workedShareMin = 0.25;
/** Beside fetching and starting, which short attempts cannot do without, ms. */
const startMs = 2_000;

/** Agents compared within one sweep and model: of a large fleet some are enough. */
const agentsComparedMax = 32;

/** A ten-thousandth: no clock measures closer. */
const logPrecision = 1e4;

export type Learned = NonNullable<EventOf<"AttemptEnded">["learned"]>;

/** To be asked before the attempt's end is applied. */
export function learnedFrom(state: State, sweep: Sweep, trial: Trial, attempt: Attempt): Learned | undefined {
  const units = (trial.checkpoint?.resource ?? 0) - (attempt.from?.resource ?? 0);
  if (attempt.keptMs < trainedMinMs || units <= 0 || !hasWorked(attempt)) return undefined;
  const kind = `${sweep.spec.task}/${trial.model}`;
  const rows = Math.max(1, sweep.spec.dataset?.rows.train ?? 1);
  const cost = rounded(Math.log((attempt.keptMs * attempt.rate) / units / rows));

  const agent = state.agents.get(attempt.agent);
  const claimed = agent?.capability.rates.find(
    (rate) => rate.kind === kind && rate.backend === attempt.backend,
  );
  if (agent === undefined || claimed === undefined) return { cost };
  const byAgent = sweep.pace[trial.model] ?? {};
  const own = byAgent[attempt.agent];
  if (own === undefined && Object.keys(byAgent).length >= agentsComparedMax) return { cost };
  const pace = rounded(Math.log((attempt.keptMs * claimed.tokensPerSecond) / units));
  const compared = { ...byAgent, [attempt.agent]: withValue(own ?? noValues, pace) };
  const logSpeed = logSpeedOf(attempt.agent, compared, loadedOf(state, Object.keys(compared), attempt));
  if (logSpeed === null) return { cost, pace };
  return { cost, pace, speed: rounded(withSpeed(agent.speed[kind], logSpeed)) };
}

/** RATE-5: those that say so of the backend that is compared. */
function loadedOf(state: State, agents: readonly string[], { backend }: Attempt): ReadonlySet<string> {
  return new Set(
    agents.filter((name) =>
      state.agents
        .get(name)
        ?.capability.backends.some(({ load, name: of }) => of === backend && load !== undefined),
    ),
  );
}

/** Nor is what an agent says too little of allowed to pass for speed. */
function hasWorked({ keptAt, keptMs, meter: { from, stoodMs } }: Attempt): boolean {
  return keptMs >= workedShareMin * (keptAt - from - stoodMs - startMs);
}

function rounded(logarithm: number): number {
  return Math.round(logarithm * logPrecision) / logPrecision;
}
