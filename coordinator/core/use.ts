/**
 * What an attempt has used, by its agent's word and by what was seen: at a heartbeat, and at its end. The arithmetic is
 * `budget/meter.ts`; here it meets attempts, heartbeats and reports. Who is told of a word that cannot be true: `quarantine.ts`.
 */
import type { Heartbeat, Report } from "../../protocol/report.ts";
import { boundsOf, isGap, metered, settledMs, tooLittle, tooMuch, type MeterPhase } from "../budget/meter.ts";
import type { EventOf } from "../format/event.ts";
import type { Heard } from "../state/input.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { Attempt } from "../state/state.ts";

/** When something is decided, and how the agent it is about was heard. */
export interface Moment {
  readonly heard: Heard;
  readonly at: number;
  readonly settings: CoordinatorSettings;
}

type Word = Heartbeat["running"][number];

export interface Use {
  /** What counts, ms. */
  readonly usedMs: number;
  /** At the most, ms: what is kept may be less than was used, never more. */
  readonly mostMs: number;
  /** Why the agent's word cannot be true; null where it can. */
  readonly fault: string | null;
}

export interface HeardUse extends Use {
  readonly fact: EventOf<"AttemptMetered">["metered"];
  /** What was seen would be forgotten with the next heartbeat. */
  readonly isNews: boolean;
}

/** At a heartbeat. `word`: what it says of this attempt; undefined where it says nothing, so that nothing of it runs. */
export function useAtHeartbeat(
  attempt: Attempt,
  word: Word | undefined,
  { at, heard, settings }: Moment,
): HeardUse {
  const before = attempt.meter;
  const phase = word === undefined ? absentPhase(before.phase) : phaseOf(word);
  const meter = metered(before, phase, heard, settings);
  const bounds = boundsOf(meter, at, settings);
  const saidMs = word?.usedMs ?? before.usedMs;
  const fault =
    word === undefined ? null : (tooMuch(saidMs, meter, bounds, heard) ?? tooLittle(saidMs, meter, settings));
  const { preparedMs, stoodMs, workedMs } = meter;
  const usedMs = Math.round(Math.min(saidMs, bounds.mostMs));
  return {
    usedMs: settledMs(saidMs, bounds),
    mostMs: bounds.mostMs,
    fault,
    fact: {
      ...{ phase, preparedMs, workedMs, stoodMs, usedMs },
      ...(meter.takenFrom === before.takenFrom ? {} : { takenFrom: meter.takenFrom }),
    },
    isNews: phase !== before.phase || isGap(heard, settings),
  };
}

type WithUse = Extract<Report, { readonly usedMs: number }>;

/** At a report: what lies between it and the heartbeat before is not certain. */
export function useAtReport(
  { meter: before }: Attempt,
  report: WithUse,
  { at, heard, settings }: Moment,
): Use {
  const meter = metered(before, null, heard, settings);
  const bounds = boundsOf(meter, at, settings);
  const { kind, usedMs: saidMs } = report;
  const less = kind === "finished" ? tooLittle(saidMs, meter, settings) : null;
  return {
    usedMs: settledMs(saidMs, bounds),
    mostMs: bounds.mostMs,
    fault: tooMuch(saidMs, meter, bounds, heard) ?? less,
  };
}

/** Agents of before do not say whether the job runs: all their time that is not suspended may be needed to begin. */
function phaseOf({ atWork, suspended }: Word): MeterPhase {
  if (suspended) return "standing";
  return atWork === true ? "working" : "preparing";
}

function absentPhase(phase: MeterPhase): MeterPhase {
  return phase === "offered" ? "offered" : "preparing";
}
