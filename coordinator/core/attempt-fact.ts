/**
 * Events of attempts, with what the policies of the moment make of them: the fair queues' tags and charges, what is learned,
 * whom a success contradicts. FORMAT-1: `apply` takes all that over and works nothing out.
 */
import type { Pace } from "../../protocol/report.ts";
import { epochCost, epochsOf } from "../budget/epoch-cost.ts";
import { takenFrom } from "../budget/meter.ts";
import type { EventOf } from "../format/event.ts";
import { correctedTags, servedTags } from "../queue/queue-tags.ts";
import { mustGet, type Attempt, type Ending, type State, type Sweep, type Trial } from "../state/state.ts";
import { learnedFrom } from "./learned.ts";
import { contradictedBy } from "./quarantine.ts";
import type { Moment } from "./use.ts";

/** Weight of the newest attempt in a sweep's typical cost. */
const costSmoothing = 0.2;
/**
 * Before a sweep has a typical cost, the share of its reservation that is charged to the fair queue. Too low
 * is put right at the end of the attempt; too high would push virtual time ahead of everyone else.
 */
const firstGuessShare = 0.125;

type Offer = Omit<EventOf<"LeaseOffered">, "kind" | "charged" | "tags">;

export function leaseOffered(state: State, trial: Trial, offer: Offer, at: number): EventOf<"LeaseOffered"> {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const charged = Math.min(offer.reserved, expectedCost(state, sweep, trial, offer));
  return { kind: "LeaseOffered", ...offer, charged, tags: servedTags(state, sweep, charged, at) };
}

/** What the attempt will probably cost: as the sweep's others, as others of its kind, or a share of what is reserved. */
function expectedCost(state: State, sweep: Sweep, trial: Trial, { from, reserved, target }: Offer): number {
  if (sweep.typicalCost !== null) return sweep.typicalCost;
  const history = state.costs.get(`${sweep.spec.task}/${trial.model}`);
  if (history === undefined) return Math.ceil(reserved * firstGuessShare);
  const rows = Math.max(1, sweep.spec.dataset?.rows.train ?? 1);
  return Math.ceil(Math.exp(history.mean) * rows * (target - (from?.resource ?? 0)));
}

export function leaseAccepted(attempt: Attempt, { heard, settings }: Moment): EventOf<"LeaseAccepted"> {
  const event = { kind: "LeaseAccepted", fence: attempt.fence } as const;
  const from = takenFrom(attempt.meter, heard, settings);
  return from === attempt.meter.takenFrom ? event : { ...event, takenFrom: from };
}

/** What was reserved before is used by now, or nearly: an attempt that outlives its estimate is charged as it goes on. */
export function leaseExtended(
  state: State,
  trial: Trial,
  attempt: Attempt,
  extension: Required<Pick<EventOf<"LeaseExtended">, "added" | "metered" | "until">>,
): EventOf<"LeaseExtended"> {
  const event = { kind: "LeaseExtended", fence: attempt.fence, ...extension } as const;
  const { charged, reserved } = attempt;
  if (extension.added === 0 || reserved <= charged) return event;
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  return { ...event, recharge: { charged: reserved, tags: correctedTags(state, sweep, charged, reserved) } };
}

interface AttemptEnd {
  readonly ending: Ending;
  readonly note: string;
  readonly posted: number;
  /** Its prepaid time ran out before anything new was kept. */
  readonly tooShort: boolean;
  /** What its agent measured of its epochs, and the time that counts; left out where nothing was reported. */
  readonly measured?: { readonly pace: Pace | undefined; readonly usedMs: number };
  /** What the agent's machine lacks, where that ended it. */
  readonly lacks?: string | undefined;
}

export function attemptEnded(
  state: State,
  trial: Trial,
  attempt: Attempt,
  { ending, lacks, measured, note, posted, tooShort }: AttemptEnd,
): EventOf<"AttemptEnded"> {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const event: { -readonly [K in keyof EventOf<"AttemptEnded">]: EventOf<"AttemptEnded">[K] } = {
    kind: "AttemptEnded",
    fence: attempt.fence,
    ending,
    posted,
    tags: correctedTags(state, sweep, attempt.charged, posted),
  };
  if (note !== "") event.note = note;
  if (lacks !== undefined) event.lacks = lacks;
  if (ending === "finished") {
    const before = sweep.typicalCost ?? posted;
    event.typicalCost = Math.round(before + costSmoothing * (posted - before));
    const contradicted = contradictedBy(trial, attempt.agent);
    if (contradicted.length > 0) event.contradicts = contradicted.map(({ agent }) => agent);
  }
  // Twice as long is tried next, which ends where whole leases are given.
  if (tooShort) event.leastMs = Math.max(trial.leastMs, 2 * (attempt.until - attempt.at));
  Object.assign(event, epochFacts(sweep, trial, attempt, measured, posted));
  const learned = learnedFrom(state, sweep, trial, attempt);
  if (learned !== undefined) event.learned = learned;
  return event;
}

function epochFacts(
  sweep: Sweep,
  trial: Trial,
  attempt: Attempt,
  measured: AttemptEnd["measured"],
  posted: number,
): Pick<EventOf<"AttemptEnded">, "epochs" | "restart"> {
  if (measured?.pace === undefined) return {};
  const { from, rate } = attempt;
  const units = (trial.checkpoint?.resource ?? 0) - (from?.resource ?? 0);
  const epochs = epochsOf(measured.pace, units, measured.usedMs, rate);
  if (epochs === null) return {};
  const earlier = trial.attempts.filter(({ fence }) => fence !== attempt.fence);
  const isRestart = earlier.length > 0 && trial.rungs.some(({ resource }) => resource === from?.resource);
  if (!isRestart) return { epochs };
  // What it cost beyond its epochs, which it would have gone on with otherwise.
  const of = epochCost([...earlier.map((one) => one.epochs), epochs], sweep.epochs[trial.model]);
  const restart = of === null ? epochs.began : Math.round(Math.max(0, posted - of * units));
  return restart === 0 ? { epochs } : { epochs, restart };
}
