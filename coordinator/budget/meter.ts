/**
 * How long an attempt has used its slot, from both sides: what its agent says, and what the coordinator saw between two signs
 * of life of that agent. Pure; it charges nobody (`ledger.ts`) and suspends nobody (`core/quarantine.ts`).
 *
 * METER-1: nothing counts beyond the time since it was taken up, less the time it stood still.
 * METER-2: nothing counts below the time in which, by its agent's own word, its job ran.
 * METER-3: fetching, starting, handing over and silences cost nothing for as long as a lease, and what they take beyond that as much
 * as work.
 * METER-4: an agent is accused only of what no slow network, busy machine, sleep or step of a clock brings about.
 */
import type { Heard } from "../state/input.ts";
import type { Meter } from "../state/state.ts";
import type { CoordinatorSettings } from "../state/setting.ts";

export type MeterPhase = Meter["phase"];

/** Heartbeats missed in a row that leave open what happened meanwhile. */
const gapBeats = 3;
/** Below this no delay is told from a busy machine's, ms. */
const noiseMinMs = 2_000;
/** Of the time an attempt stood still, this share is held against its agent: delays move both ends of each stretch. */
const stoodShare = 0.9;
/** Two clocks that run evenly, each off by a hundredth at the most, differ by less than this share. */
const driftShare = 0.021;
/** A job that is killed at its horizon ends a moment later, ms. */
const endMs = 1_000;
/** Below this share of what is certain the agent's word is no matter of delays. */
const workedShare = 0.8;

/** Where nobody noted it: the heartbeats come as they were asked for, and the clock runs evenly. */
export function heardNow(at: number, { heartbeatMs }: CoordinatorSettings): Heard {
  return { at, sinceMs: heartbeatMs, beatAt: null, steadySince: -Infinity };
}

/** Delays, and sleeps too short to be noticed, ms. */
export function noiseMs({ heartbeatMs }: CoordinatorSettings): number {
  return Math.max(gapBeats * heartbeatMs, noiseMinMs);
}

/** True where the agent was silent so long that nothing is certain about the time in between. */
export function isGap({ sinceMs }: Heard, { heartbeatMs }: CoordinatorSettings): boolean {
  return sinceMs === null || sinceMs > gapBeats * heartbeatMs;
}

/**
 * The meter after a sign of life. `phase`: what it says of the attempt, null where it says nothing. The time since the sign of
 * life before is certain where both say the same; the rest is held, and counts as preparing, so that neither silences nor a word
 * that changes with each heartbeat make it free.
 */
export function metered(
  meter: Meter,
  phase: MeterPhase | null,
  heard: Heard,
  settings: CoordinatorSettings,
): Meter {
  const gap = isGap(heard, settings);
  const before = heard.sinceMs === null ? meter.seenAt : heard.at - heard.sinceMs;
  const begun = Math.max(meter.seenAt, before);
  // An agent says at once that an attempt stands still: until then it worked.
  const isSame = phase === meter.phase || (meter.phase === "working" && phase === "standing");
  const certainMs = isSame && !gap ? heard.at - meter.seenAt : begun - meter.seenAt;
  const isHeld = heard.sinceMs !== null && (gap || (phase !== null && !isSame));
  return {
    ...withTime(meter, Math.max(0, certainMs), isHeld ? Math.max(0, heard.at - begun) : 0),
    takenFrom: phase === "offered" ? meter.takenFrom : takenFrom(meter, heard, settings),
    phase: phase ?? meter.phase,
    seenAt: Math.max(meter.seenAt, heard.at),
  };
}

/**
 * From when on it can be at work, where its agent now says the first thing of it: what was heard of that agent last said nothing of
 * it, and was on its way no longer than from one heartbeat to the next.
 */
export function takenFrom(
  { phase, takenFrom: known }: Meter,
  { beatAt }: Heard,
  { heartbeatMs }: CoordinatorSettings,
): number {
  return phase !== "offered" || beatAt === null ? known : Math.max(known, beatAt - heartbeatMs);
}

function withTime(meter: Meter, certainMs: number, heldMs: number): Meter {
  const [certain, held] = [Math.round(certainMs), Math.round(heldMs)];
  switch (meter.phase) {
    case "offered":
      return meter;
    case "preparing":
      return { ...meter, preparedMs: meter.preparedMs + certain + held };
    case "working":
      return { ...meter, workedMs: meter.workedMs + certain, preparedMs: meter.preparedMs + held };
    case "standing":
      return { ...meter, stoodMs: meter.stoodMs + certain };
  }
}

/** What the attempt has used at the least and at the most, ms. */
export interface Bounds {
  readonly leastMs: number;
  readonly mostMs: number;
  /** However late anything of it was heard. */
  readonly possibleMs: number;
}

/** METER-1, METER-2, METER-3: at `at`, for a meter that counts up to there. */
export function boundsOf(
  { from, preparedMs, stoodMs, takenFrom, workedMs }: Meter,
  at: number,
  settings: CoordinatorSettings,
): Bounds {
  const stood = stoodShare * Math.max(0, stoodMs - noiseMs(settings));
  const possibleMs = Math.max(0, at - from - stood);
  const mostMs = Math.min(possibleMs, Math.max(0, at - takenFrom - stood));
  const leastMs = workedMs + Math.max(0, preparedMs - settings.leaseMs);
  return { leastMs: Math.min(leastMs, mostMs), mostMs, possibleMs };
}

/** What both sides can agree on, ms. */
export function settledMs(saidMs: number, { leastMs, mostMs }: Bounds): number {
  return Math.min(mostMs, Math.max(leastMs, saidMs));
}

/** METER-4: why an agent that says this cannot be right, or null. */
export function tooMuch(saidMs: number, meter: Meter, bounds: Bounds, { steadySince }: Heard): string | null {
  if (meter.from < steadySince || saidMs <= bounds.possibleMs * (1 + driftShare) + endMs) return null;
  return `it says ${seconds(saidMs)} of use where ${seconds(bounds.possibleMs)} are possible`;
}

/** METER-4: what it says of its use has to agree with what it said before, and with when it said that the job ran. */
export function tooLittle(saidMs: number, meter: Meter, settings: CoordinatorSettings): string | null {
  const noise = noiseMs(settings);
  if (saidMs < meter.usedMs - noise)
    return `it says ${seconds(saidMs)} of use after it said ${seconds(meter.usedMs)}`;
  if (saidMs >= workedShare * meter.workedMs - noise) return null;
  return `it says ${seconds(saidMs)} of use where its job ran for ${seconds(meter.workedMs)}`;
}

function seconds(ms: number): string {
  return ms < 1e9 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 1000).toExponential(1)} s`;
}
