/**
 * One sweep in simulated time: the real coordinator's core decides, schedules and accounts; only the agents are made
 * up, and train as long as their speed says. Nothing here waits.
 */
import { apply } from "../../coordinator/core/apply.ts";
import { decide } from "../../coordinator/core/decide.ts";
import type { Event } from "../../coordinator/format/event.ts";
import type { Input } from "../../coordinator/state/input.ts";
import { schedule } from "../../coordinator/core/schedule.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import { emptyState, mustGet, type State, type Trial } from "../../coordinator/state/state.ts";
import { proposalsFrom, questionFor } from "../../coordinator/leader/proposer.ts";
import { answerTo } from "../../search/choose/sampler-worker-port.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { parameterNames, reportedLoss, type CurveFamily } from "./curve-family.ts";
import type { Lane } from "./lane.ts";

/** Tokens per second of each worker: the fastest is eight times the slowest. */
export const workerRates: readonly number[] = [2, 1.6, 1.2, 1, 0.8, 0.6, 0.4, 0.25];
/** One epoch, in seconds of the reference machine. */
export const epochSeconds = 10;
/** Each segment starts a process or wakes one and fetches the checkpoint, in seconds of any machine. */
const startSeconds = 1;
/** Longer than any segment: leases are not what is measured. */
const leaseMs = 10_000_000;
const grantedMilliTokens = 1e13;
/** More than any run comes to, and no more than a sampler that learns takes. */
const trialsMax = 20_000;

export interface Run {
  /** Spent when the target was reached, what was still running included; null where it was not. */
  readonly tokens: number | null;
  readonly seconds: number | null;
  readonly trials: number;
}

interface Segment {
  readonly at: number;
  readonly agent: string;
  readonly fence: number;
  readonly trial: string;
  readonly target: number;
  readonly usedMs: number;
  readonly rate: number;
}

/** Runs until a judged trial's true loss is at the target, or `tokensMax` are spent. */
export function simulate(
  lane: Lane,
  family: CurveFamily,
  target: number,
  seed: number,
  tokensMax: number,
): Run {
  const settings = settingsFor(leaseMs);
  const state = emptyState();
  const segments: Segment[] = [];
  let at = 0;

  const take = (event: Event): void => {
    apply(state, event, at);
    if (event.kind === "LeaseOffered") segments.push(legOf(event, at, lane));
    if (event.kind === "TrialPaused" && lane.pauseEnds) take(endOrGoOn(state, event.trial));
  };
  const drain = <T>(steps: Generator<Event, T, void>): T => {
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      take(step.value);
    }
  };
  const input = (given: Input): void => {
    const answer = drain(decide(state, given, at, settings));
    if (answer?.ok === false) throw new Error(answer.refusal.message);
    while (drain(schedule(state, at, settings)));
    for (const id of [...state.wanting]) {
      while (state.wanting.has(id)) think(id);
    }
  };
  /** A sampler that learns is asked as the coordinator's loop asks it, and answers at once. */
  const think = (id: string): void => {
    const sweep = mustGet(state.sweeps, id, "sweep");
    const proposals = proposalsFrom(sweep, sweep.proposed, answerTo(questionFor(state, sweep)));
    drain(decide(state, { kind: "proposals", proposals }, at, settings));
    while (drain(schedule(state, at, settings)));
  };

  take({ kind: "LeaderElected", epoch: 1, leader: "bench" });
  workerRates.forEach((rate, index) => input(registration(`worker-${index + 1}`, rate)));
  const sender = { role: "owner", who: "bench" } as const;
  const account = { requester: "bench", weight: 1, grant: grantedMilliTokens };
  input({ kind: "command", key: "1", sender, name: "account-open", body: account });
  input({ kind: "command", key: "2", sender, name: "sweep-run", body: { spec: specOf(lane, seed) } });

  const spent = () => mustGet(state.accounts, "bench", "account").posted / milliTokensPerToken;
  while (segments.length > 0 && spent() < tokensMax) {
    const segment = takeFirst(segments);
    at = segment.at;
    const { params } = mustGet(state.trials, segment.trial, "trial");
    const loss = reportedLoss(family, seed, params, segment.target);
    input(finished(segment, loss));
    if (loss !== null && family.lossAt(params, segment.target) <= target) {
      const running = segments.reduce((sum, each) => sum + ((at - startOf(each)) / 1_000) * each.rate, 0);
      return { tokens: spent() + running, seconds: at / 1_000, trials: state.trials.size };
    }
  }
  return { tokens: null, seconds: null, trials: state.trials.size };
}

function specOf(lane: Lane, seed: number) {
  const unit = { distribution: "uniform", min: 0, max: 1 } as const;
  return sweepSpecSchema.parse({
    name: "bench",
    task: "curve",
    dataset: null,
    objective: { metric: "loss", goal: "minimize" },
    search: { method: lane.sampler, trials: trialsMax, seed },
    stopping: lane.stopping,
    models: [{ model: "curve", space: Object.fromEntries(parameterNames.map((name) => [name, unit])) }],
    needs: {},
    cap: null,
    trialSeed: 1,
    codeVersion: "bench",
    reuse: false,
    register: null,
  });
}

function registration(agent: string, rate: number): Input {
  const host = {
    os: "linux",
    arch: "x64",
    cpuModel: "simulated",
    cores: 1,
    memGiB: 8,
    diskGiB: 50,
    gpus: [],
    cpuFeatures: [],
  };
  const capability = {
    host,
    node: process.versions.node,
    backends: [{ name: "cpu" as const, works: true, reason: null, version: null, dtypes: ["f32" as const] }],
    rates: [{ kind: "curve/curve", backend: "cpu" as const, examplesPerSecond: 1, tokensPerSecond: rate }],
    labels: {},
    python: null,
  };
  return {
    kind: "register",
    agent,
    register: { incarnation: `${agent}-1`, capability, policy: openPolicy(1) },
  };
}

function legOf(offer: Extract<Event, { kind: "LeaseOffered" }>, at: number, lane: Lane): Segment {
  const epochs = offer.target - (offer.from?.resource ?? 0);
  // Where nothing is ever resumed a trial that goes on does so in the process it is in.
  const start = lane.pauseEnds && offer.from !== null ? 0 : startSeconds;
  const usedMs = (start + (epochs * epochSeconds) / offer.rate) * 1_000;
  const { agent, fence, trial, target, rate } = offer;
  return { at: at + usedMs, agent, fence, trial, target, usedMs, rate };
}

function startOf(segment: Segment): number {
  return segment.at - segment.usedMs;
}

function takeFirst(segments: Segment[]): Segment {
  const first = segments.reduce((best, segment) =>
    segment.at < best.at || (segment.at === best.at && segment.fence < best.fence) ? segment : best,
  );
  segments.splice(segments.indexOf(first), 1);
  return first;
}

function finished(segment: Segment, loss: number | null): Input {
  const digest = segment.fence.toString(16).padStart(64, "0");
  const metrics = loss === null ? {} : { loss };
  const { fence, target: resource, usedMs } = segment;
  return {
    kind: "report",
    agent: segment.agent,
    report: { kind: "finished", fence, resource, digest, bytes: 1, metrics, usedMs },
  };
}

/** What becomes of a trial that was not promoted on arrival, where nothing can be resumed. */
function endOrGoOn(state: State, id: string): Event {
  const trial = mustGet(state.trials, id, "trial");
  const { spec } = mustGet(state.sweeps, trial.sweep, "sweep");
  if (spec.stopping.policy !== "asha") throw new Error("only asha has a variant that stops");
  const there = state.rungs.get(trial.sweep)?.get(trial.target) ?? [];
  const lossOf = (each: Trial) =>
    each.rungs.find(({ resource }) => resource === trial.target)?.value ?? Infinity;
  const isBest = there.every((other) => lossOf(mustGet(state.trials, other, "trial")) >= lossOf(trial));
  if (isBest && there.length < spec.stopping.eta) {
    const target = Math.min(spec.stopping.max, trial.target * spec.stopping.eta);
    return { kind: "TrialPromoted", trial: id, target };
  }
  return { kind: "TrialFinished", trial: id, outcome: "stopped", why: "not among the best on arrival" };
}
