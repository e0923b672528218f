/**
 * Applies the events of attempts: leases with their reservations, checkpoints, rungs, endings. What a policy makes of them (tags,
 * charges, what was learned) stands in the events.
 */
import { isFinal, move, noteBest } from "./apply-trial.ts";
import { noteBrought } from "./apply-artifact.ts";
import { indexAgent, indexData, indexFurthest, indexGoing, indexLeaving } from "./index-state.ts";
import { accountOf, addLine, agentOf, enterRung, notePacked, sweepOf, trialOf } from "./entity.ts";
import { withEpochs } from "../state/epoch-means.ts";
import { codeOf, withSample, workOf } from "../state/work-history.ts";
import type { Event, EventOf } from "../format/event.ts";
import { noValues, withValue } from "../state/log-means.ts";
import { runOf, runOfAgent } from "../state/lack.ts";
import {
  attemptByFence,
  mustGet,
  type Account,
  type Attempt,
  type State,
  type Sweep,
  type Trial,
  type WorkSample,
} from "../state/state.ts";

export type AttemptEvent = Extract<
  Event,
  {
    kind:
      | "LeaseOffered"
      | "LeaseAccepted"
      | "LeaseExtended"
      | "AttemptMetered"
      | "CancelRequested"
      | "CheckpointKept"
      | "RungReached"
      | "AttemptEnded";
  }
>;

export function applyAttempt(state: State, event: AttemptEvent, at: number): void {
  switch (event.kind) {
    case "LeaseOffered":
      return offer(state, event, at);
    case "LeaseAccepted":
      return accept(state, event, at);
    case "LeaseExtended":
      return extend(state, event, at);
    case "AttemptMetered":
      return meter(activeOf(state, event.fence).attempt, event.metered, at);
    case "CancelRequested":
      return cancel(state, event);
    case "CheckpointKept": {
      const { trial, attempt } = activeOf(state, event.fence);
      trial.checkpoint = { resource: event.resource, digest: event.digest };
      trial.checkpointBytes = event.bytes;
      trial.metrics = event.metrics;
      noteBrought(state, event.digest);
      if (event.best !== undefined) noteBrought(state, event.best.digest);
      attempt.keptMs = event.usedMs;
      attempt.keptAt = at;
      noteBestEpoch(trial, event);
      if (event.pack !== undefined) notePacked(state, event.pack, event.digest);
      if (event.bestPack !== undefined && event.best !== undefined)
        notePacked(state, event.bestPack, event.best.digest);
      if (event.built !== undefined) trial.built = event.built;
      if (event.approximate === true) attempt.approximate = true;
      indexFurthest(state, trial);
      return;
    }
    case "RungReached": {
      const { trial } = activeOf(state, event.fence);
      const { also, resource, value } = event;
      trial.rungs.push(also === undefined ? { resource, value } : { resource, value, also });
      trial.value = event.counts ?? event.value;
      enterRung(state, trial, event.resource);
      if (event.best === true) noteBest(sweepOf(state, trial.sweep), trial, at);
      return;
    }
    case "AttemptEnded":
      return end(state, event, at);
  }
}

function noteBestEpoch(trial: Trial, event: EventOf<"CheckpointKept">): void {
  const { best, bestValue, bytes, digest, fence, metrics, resource } = event;
  if (best !== undefined) {
    // Tested by a later attempt, it is still the work of the one that trained it.
    const known =
      trial.best?.resource === best.resource && trial.best.value === best.value ? trial.best : null;
    trial.best = { ...best, fence: known?.fence ?? fence };
  } else if (bestValue !== undefined)
    trial.best = { resource, digest, bytes, metrics, value: bestValue, fence };
}

function activeOf(state: State, fence: number): { trial: Trial; attempt: Attempt } {
  const found = attemptByFence(state, fence);
  if (found === null) throw new Error(`broken invariant: fence ${fence} is not active`);
  state.dirty.add(`trial/${found.trial.trial}`);
  return found;
}

function offer(state: State, event: EventOf<"LeaseOffered">, at: number): void {
  const trial = trialOf(state, event.trial);
  if (trial.state !== "queued")
    throw new Error(`broken invariant: ${trial.trial} is ${trial.state}, not queued`);
  const sweep = sweepOf(state, trial.sweep);
  const account = accountOf(state, sweep.requester);
  const { charged } = event;
  const { capability, incarnation } = mustGet(state.agents, event.agent, "agent");
  const { environment } = capability;
  trial.attempts.push({
    fence: event.fence,
    agent: event.agent,
    incarnation,
    ...(environment === undefined ? {} : { environment }),
    backend: event.backend,
    rate: event.rate,
    from: event.from ?? null,
    target: event.target,
    at,
    until: at + event.horizonMs,
    shifted: false,
    reserved: event.reserved,
    posted: 0,
    charged,
    keptMs: 0,
    keptAt: at,
    meter: {
      ...{ phase: "offered", preparedMs: 0, workedMs: 0, stoodMs: 0, usedMs: 0 },
      ...{ from: at, takenFrom: at, seenAt: at },
    },
    approximate: false,
    state: "offered",
    cancel: null,
    patient: false,
    preemptedFor: null,
    ending: null,
    note: "",
    epochs: null,
    endedAt: null,
  });
  move(state, trial, "running", at);
  state.meta.nextFence = event.fence + 1;
  state.active.set(event.fence, trial.trial);
  holdingOf(state, event.agent).add(event.fence);
  indexGoing(state, trial.sweep, event.fence);
  indexAgent(state, event.agent);
  indexData(state, sweep.spec.dataset?.digest, event.agent);
  account.pending += event.reserved;
  sweep.pending += event.reserved;
  [account.finishTag, state.meta.virtualTime, sweep.finishTag, account.sweepTime] = event.tags;
  account.taggedAt = at;
  sweep.taggedAt = at;
  const { horizonMs, rate } = event;
  const { fence, agent } = event;
  addLine(state, account, {
    at,
    kind: "reserve",
    amount: event.reserved,
    trial: trial.trial,
    fence,
    agent,
    lease: { horizonMs, rate },
  });
}

function accept(state: State, event: EventOf<"LeaseAccepted">, at: number): void {
  const { attempt } = activeOf(state, event.fence);
  attempt.state = "running";
  const { meter } = attempt;
  if (meter.phase !== "offered") return;
  const { takenFrom = meter.takenFrom } = event;
  attempt.meter = { ...meter, phase: "preparing", takenFrom, seenAt: at };
}

function meter(attempt: Attempt, metered: EventOf<"AttemptMetered">["metered"], at: number): void {
  const { from } = attempt.meter;
  const { takenFrom = attempt.meter.takenFrom, ...seen } = metered;
  attempt.meter = { ...seen, from, takenFrom, seenAt: at };
}

function cancel(state: State, event: EventOf<"CancelRequested">): void {
  const { attempt, trial } = activeOf(state, event.fence);
  indexLeaving(state, trial.sweep, event.fence);
  attempt.cancel = event.reason;
  attempt.patient = event.how === "checkpoint";
  attempt.preemptedFor = event.preemptedFor;
}

/** SFQ-3, in both queues. */
function recharge(
  account: Account,
  sweep: Sweep,
  attempt: Attempt,
  charged: number,
  [finishTag, sweepFinishTag]: readonly [number, number],
): void {
  account.finishTag = finishTag;
  sweep.finishTag = sweepFinishTag;
  attempt.charged = charged;
}

function extend(state: State, event: EventOf<"LeaseExtended">, at: number): void {
  const { trial, attempt } = activeOf(state, event.fence);
  attempt.until = event.until;
  attempt.shifted = false;
  if (event.metered !== undefined) meter(attempt, event.metered, at);
  if (event.added === 0) return;
  const sweep = sweepOf(state, trial.sweep);
  const account = accountOf(state, sweep.requester);
  if (event.recharge !== undefined)
    recharge(account, sweep, attempt, event.recharge.charged, event.recharge.tags);
  attempt.reserved += event.added;
  account.pending += event.added;
  sweep.pending += event.added;
  if (sweep.deployment === undefined) return listExtension(state, trial, attempt, event.added, at);
  const { amount, since } = attempt.unlisted ?? { amount: 0, since: at };
  attempt.unlisted = { amount: amount + event.added, since };
  if (at - since >= replicaLineMs) listUnlisted(state, trial, attempt, at);
}

/** DEPLOY-14: one line of what a replica reserves for each hour. Part of what a journal adds up to: never to be retuned. */
const replicaLineMs = 3_600_000;

function listUnlisted(state: State, trial: Trial, attempt: Attempt, at: number): void {
  if (attempt.unlisted === undefined) return;
  const { amount } = attempt.unlisted;
  delete attempt.unlisted;
  listExtension(state, trial, attempt, amount, at);
}

function listExtension(
  state: State,
  { sweep, trial }: Trial,
  { agent, fence }: Attempt,
  amount: number,
  at: number,
): void {
  addLine(state, accountOf(state, sweepOf(state, sweep).requester), {
    ...({ at, kind: "extend", amount, trial, fence, agent } as const),
  });
}

function end(state: State, event: EventOf<"AttemptEnded">, at: number): void {
  const { trial, attempt } = activeOf(state, event.fence);
  if (isFinal(trial.state)) throw new Error(`broken invariant: ${trial.trial} ended while running`);
  listUnlisted(state, trial, attempt, at);
  const sweep = sweepOf(state, trial.sweep);
  const account = accountOf(state, sweep.requester);
  const { posted } = event;
  if (posted > attempt.reserved)
    throw new Error(`broken invariant: fence ${event.fence} posts more than it reserved`);
  const released = attempt.reserved - posted;
  account.pending -= attempt.reserved;
  account.posted += posted;
  sweep.pending -= attempt.reserved;
  sweep.spent += posted;
  trial.spent += posted;
  recharge(account, sweep, attempt, posted, event.tags);
  const cold = sweep.pace[trial.model]?.[attempt.agent] === undefined;
  if (event.learned !== undefined) learn(state, sweep, trial, attempt, event.learned);
  if (event.typicalCost !== undefined) sweep.typicalCost = event.typicalCost;
  if (event.restart !== undefined) sweep.restarts += event.restart;
  if (event.epochs !== undefined) {
    attempt.epochs = event.epochs;
    const cost = withEpochs(sweep.epochs[trial.model], event.epochs);
    if (cost !== undefined) sweep.epochs[trial.model] = cost;
    keepSample(state, sweep, trial, attempt, { cold, cost: posted, epochs: event.epochs });
  }
  attempt.posted = posted;
  if (event.leastMs !== undefined) trial.leastMs = event.leastMs;
  attempt.state = "ended";
  attempt.ending = event.ending;
  attempt.note = event.note ?? "";
  if (event.lacks !== undefined) mark(state, sweep, attempt, event.lacks);
  attempt.endedAt = at;
  if (event.ending === "finished") compare(state, attempt.agent, event.contradicts ?? []);
  state.active.delete(event.fence);
  holdingOf(state, attempt.agent).delete(event.fence);
  indexLeaving(state, trial.sweep, event.fence);
  indexAgent(state, attempt.agent);
  const line = { at, trial: trial.trial, fence: event.fence, agent: attempt.agent };
  addLine(state, account, { ...line, kind: "post", amount: posted, note: attempt.note || event.ending });
  if (released > 0) addLine(state, account, { ...line, kind: "release", amount: released });
}

function keepSample(
  state: State,
  sweep: Sweep,
  trial: Trial,
  { agent, backend }: Attempt,
  sample: Pick<WorkSample, "cold" | "cost" | "epochs">,
): void {
  const work = workOf(sweep.spec, trial.model);
  const rows = Math.max(1, sweep.spec.dataset?.rows.train ?? 1);
  const hardware = `${state.agents.get(agent)?.capability.host.cpuModel ?? ""}/${backend}`;
  state.works.set(
    work,
    withSample(state.works.get(work), work, { rows, code: codeOf(sweep.spec), hardware, ...sample }),
  );
  state.dirty.add(`work/${work}`);
}

function learn(
  state: State,
  sweep: Sweep,
  trial: Trial,
  { agent }: Attempt,
  { cost, pace, speed }: NonNullable<EventOf<"AttemptEnded">["learned"]>,
): void {
  const kind = `${sweep.spec.task}/${trial.model}`;
  state.costs.set(kind, { kind, ...withValue(state.costs.get(kind) ?? noValues, cost) });
  state.dirty.add(`cost/${kind}`);
  if (pace !== undefined) {
    const byAgent = (sweep.pace[trial.model] ??= {});
    byAgent[agent] = withValue(byAgent[agent] ?? noValues, pace);
  }
  if (speed === undefined) return;
  const speeds = agentOf(state, agent).speed;
  speeds[kind] = { attempts: (speeds[kind]?.attempts ?? 0) + 1, logFactor: speed };
}

/**
 * LACK-1: for as long as that agent's run and what is installed there stay what they are. Where that has changed since the attempt
 * was offered, it says nothing of what is there now.
 */
function mark(state: State, sweep: Sweep, attempt: Attempt, what: string): void {
  attempt.lacks = what;
  const run = runOf(attempt);
  if (run !== runOfAgent(mustGet(state.agents, attempt.agent, "agent"))) return;
  sweep.lacking = { ...sweep.lacking, [attempt.agent]: { what, run } };
}

/** Whoever finished it can do it, and whoever failed it before could not. */
function compare(state: State, finisher: string, contradicts: readonly string[]): void {
  if (mustGet(state.agents, finisher, "agent").contradicted > 0) agentOf(state, finisher).contradicted = 0;
  for (const agent of contradicts) agentOf(state, agent).contradicted++;
}

function holdingOf(state: State, agent: string): Set<number> {
  let held = state.held.get(agent);
  if (held === undefined) {
    held = new Set();
    state.held.set(agent, held);
  }
  return held;
}
