/**
 * The step from format 1 of the journal to format 2: an event as it stood then, with what its reader had to work out as facts in
 * it. That needs the state just before the event, and the policies as they were: frozen in this folder, and used for nothing else.
 */
import type { Event, EventOf } from "../../format/event.ts";
import { attemptByFence, mustGet, type Attempt, type State, type Trial } from "../../state/state.ts";
import type { Event1, Event1Of } from "./event-1.ts";
import { learned1 } from "./learned-1.ts";
import { contradicted1, endedWell1, isBest1, savedByStopping1 } from "./outcome-1.ts";
import { charged1, corrected1, served1 } from "./queue-1.ts";
import { rungsOf1 } from "./rungs-1.ts";
import { fingerprintText1, warmStartText1 } from "./sameness-1.ts";

const commandsKept = 10_000;
const costSmoothing = 0.2;

/** `state`: what the journal adds up to before this event. `at`: the time of its batch, ms. */
export function lift1(state: State, event: Event1, at: number): Event {
  switch (event.kind) {
    case "CommandAccepted": {
      const room = state.commands.has(event.key) || state.commands.size < commandsKept;
      const oldest = room ? undefined : state.commands.keys().next().value;
      return oldest === undefined ? event : { ...event, forgets: oldest };
    }
    case "AccountSet": {
      const account = state.accounts.get(event.requester);
      const isSame = JSON.stringify(account?.refill ?? null) === JSON.stringify(event.refill);
      return { ...event, refilledAt: isSame ? (account?.refilledAt ?? 0) : at };
    }
    case "SweepSubmitted":
      return { ...event, fingerprint: fingerprintText1(event.spec), warmStart: warmStartText1(event.spec) };
    case "SweepFinished": {
      const well = endedWell1(mustGet(state.sweeps, event.sweep, "sweep"));
      return { ...event, state: well ? "done" : "stopped" };
    }
    case "TrialProposed":
      return proposed(state, event);
    case "TrialReused":
      return { ...event, saved: mustGet(state.trials, event.from, "trial").spent };
    case "TrialFinished":
      return finished(state, event);
    case "LeaseOffered":
      return offered(state, event, at);
    case "LeaseExtended":
      return extended(state, event);
    case "RungReached": {
      const { also, ...rung } = event;
      return also.length === 0 ? rung : { ...rung, also };
    }
    case "AttemptEnded":
      return ended(state, event);
    case "ModelRegistered": {
      let origin = mustGet(state.trials, event.trial, "trial");
      while (origin.reusedFrom !== null) origin = mustGet(state.trials, origin.reusedFrom, "trial");
      return { ...event, origin: origin.trial };
    }
    default:
      return event;
  }
}

function proposed(state: State, event: Event1Of<"TrialProposed">): EventOf<"TrialProposed"> {
  const { parent, resumes, ...rest } = event;
  const proposal = parent === null ? rest : { ...rest, parent };
  if (resumes === null) return proposal;
  const { stopping } = mustGet(state.sweeps, event.sweep, "sweep").spec;
  const own = rungsOf1(stopping, event.number);
  const reached = mustGet(state.trials, resumes, "trial").rungs.map(({ resource }) => resource);
  return { ...proposal, resumes, rungs: reached.filter((resource) => own.includes(resource)) };
}

function finished(state: State, event: Event1Of<"TrialFinished">): EventOf<"TrialFinished"> {
  if (event.outcome === "failed" || event.outcome === "cancelled") return event;
  const trial = mustGet(state.trials, event.trial, "trial");
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const saved = event.outcome === "stopped" ? { saved: savedByStopping1(sweep, trial) } : {};
  return { ...event, ...saved, ...(isBest1(sweep, trial) ? { best: true } : {}) };
}

function offered(state: State, event: Event1Of<"LeaseOffered">, at: number): EventOf<"LeaseOffered"> {
  const { from, incarnation: _, ...offer } = event;
  const trial = mustGet(state.trials, event.trial, "trial");
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const account = mustGet(state.accounts, sweep.requester, "account");
  const charged = charged1(state, sweep, trial, event);
  const tags = served1(state, account, sweep, charged, at);
  return { ...offer, ...(from === null ? {} : { from }), charged, tags };
}

function extended(state: State, event: Event1Of<"LeaseExtended">): EventOf<"LeaseExtended"> {
  const { account, attempt, sweep } = activeOf(state, event.fence);
  const { charged, reserved } = attempt;
  if (event.added === 0 || reserved <= charged) return event;
  return {
    ...event,
    recharge: { charged: reserved, tags: corrected1(account, sweep, charged, reserved) },
  };
}

function ended(state: State, event: Event1Of<"AttemptEnded">): EventOf<"AttemptEnded"> {
  const { note, tooShort, ...end } = event;
  const { posted } = end;
  const { account, attempt, sweep, trial } = activeOf(state, event.fence);
  const learned = learned1(state, sweep, trial, attempt);
  const before = sweep.typicalCost ?? posted;
  const success = {
    typicalCost: Math.round(before + costSmoothing * (posted - before)),
    contradicts: [...contradicted1(trial, attempt.agent)],
  };
  return {
    ...end,
    ...(note === "" ? {} : { note }),
    tags: corrected1(account, sweep, attempt.charged, posted),
    ...(end.ending === "finished" ? success : {}),
    ...(tooShort ? { leastMs: Math.max(trial.leastMs, 2 * (attempt.until - attempt.at)) } : {}),
    ...(learned === undefined ? {} : { learned }),
  };
}

function activeOf(state: State, fence: number) {
  const found: { trial: Trial; attempt: Attempt } | null = attemptByFence(state, fence);
  if (found === null) throw new Error(`broken invariant: fence ${fence} is not active`);
  const sweep = mustGet(state.sweeps, found.trial.sweep, "sweep");
  return { ...found, sweep, account: mustGet(state.accounts, sweep.requester, "account") };
}
