/**
 * What an owner's policy makes of the moment: may trials start here, go on, stand still, or must they leave?
 * The desktop scenario of HTCondor (its manual, "Policy Configuration for Execution Points": START, SUSPEND,
 * CONTINUE, PREEMPT), and beside it hours, memory, battery and heat. Pure; it carries nothing out.
 *
 * OWNER-1: no new work while the owner's last input is younger than `startMinutes`.
 * OWNER-2: what runs is suspended in the very step that learns of input.
 * OWNER-3: where idleness is asked for and nobody knows it, the owner counts as present.
 * OWNER-4: what was suspended for `vacateMinutes` leaves.
 */
import { percent } from "../../text/figure.ts";
import type { Policy } from "../../protocol/capability.ts";
import type { availabilityNames } from "../../protocol/report.ts";
import type { Idleness } from "./idle/idle-source.ts";
import { hoursText, withinHours } from "./hours.ts";

export interface Availability {
  readonly kind: (typeof availabilityNames)[number];
  /** Null when open. It stays the same text while the reason stays the same: each change of it is an event. */
  readonly reason: string | null;
}

/** What is so at this moment; null where it cannot be known. */
export interface Circumstances {
  /** Minutes since local midnight. */
  readonly minuteOfDay: number;
  readonly memFreeGiB: number | null;
  /** Why the disk has no room for new trials; null where it has. */
  readonly diskShort: string | null;
  /** Null where the policy does not ask. */
  readonly idleness: Idleness | null;
  /** Share of the processors' time, 0 to 1, that others than our own trials use. */
  readonly othersLoad: number | null;
  readonly onBattery: boolean | null;
  readonly celsius: number | null;
  /** Attempts on this machine, at work or suspended. */
  readonly running: number;
}

/** Times are monotonic ms; null: it is not so. */
export interface OwnerState {
  readonly open: boolean;
  readonly suspendedSince: number | null;
  /** Since when others have used more of the processors than the owner grants us beside. */
  readonly busySince: number | null;
  readonly memShortSince: number | null;
  readonly hot: boolean;
}

export const firstOwnerState: OwnerState = {
  open: false,
  suspendedSince: null,
  busySince: null,
  memShortSince: null,
  hot: false,
};

const msPerMinute = 60_000;
/** Without an idle policy of the owner's, what battery or heat has suspended leaves after so long. */
const vacateMinutesDefault = 10;
/** HTCondor's CpuBusyTime: others' load counts against what runs only after so long. */
const busyPatienceMs = 2 * msPerMinute;
/** Memory that stays short for so long makes trials leave. */
const memPatienceMs = msPerMinute;
/** A suspended machine must cool by this much before trials go on, so that they do not go on and off. */
const coolingCelsius = 5;

export function ownerStep(
  policy: Policy,
  state: OwnerState,
  now: number,
  at: Circumstances,
): { readonly state: OwnerState; readonly availability: Availability } {
  const { celsius, memFreeGiB, othersLoad } = at;
  const memShort = memFreeGiB !== null && memFreeGiB < policy.leaveFreeMemGiB;
  const busy = policy.idle !== null && othersLoad !== null && othersLoad > policy.idle.loadMax;
  const marks = {
    memShortSince: memShort ? (state.memShortSince ?? now) : null,
    busySince: busy ? (state.busySince ?? now) : null,
    hot: isHot(policy, state.hot, celsius),
  };
  const give = (kind: Availability["kind"], reason: string | null, suspendedSince: number | null = null) => ({
    state: { ...marks, open: kind === "open", suspendedSince },
    availability: { kind, reason },
  });

  const leave = leaveBecause(policy, at, marks.memShortSince, now);
  const pause = pauseBecause(policy, at, marks, now);
  const closed = leave ?? closedBecause(policy, at, state.open) ?? pause;
  if (at.running === 0) return closed === null ? give("open", null) : give("closed", closed);
  if (leave !== null) return give("vacating", leave);
  if (pause !== null) {
    // OWNER-2, OWNER-4.
    const since = state.suspendedSince ?? now;
    const vacateMinutes = policy.idle?.vacateMinutes ?? vacateMinutesDefault;
    return give(now - since >= vacateMinutes * msPerMinute ? "vacating" : "suspended", pause, since);
  }
  return closed === null ? give("open", null) : give("closed", closed);
}

/** Why trials must leave, though nobody is disturbed this second. */
function leaveBecause(
  policy: Policy,
  at: Circumstances,
  memShortSince: number | null,
  now: number,
): string | null {
  if (policy.hours !== null && !withinHours(policy.hours, at.minuteOfDay))
    return `outside the owner's hours (${hoursText(policy.hours)})`;
  return memShortSince !== null && now - memShortSince >= memPatienceMs ? memShortText(policy) : null;
}

/** Why trials must not run this second. */
function pauseBecause(
  policy: Policy,
  at: Circumstances,
  { busySince, hot }: Pick<OwnerState, "busySince" | "hot">,
  now: number,
): string | null {
  const { idle } = policy;
  if (idle !== null) {
    // OWNER-3.
    if (at.idleness?.kind !== "idle") return unknownText(at.idleness);
    if (at.idleness.ms < idle.resumeMinutes * msPerMinute)
      return `the owner is at the machine (${at.idleness.source}); trials go on after ${minutes(idle.resumeMinutes)} without input`;
    if (busySince !== null && now - busySince >= busyPatienceMs)
      return `others keep the processors busy; trials go on when they use at most ${percent(idle.loadMax)}`;
  }
  if (at.onBattery === true && !policy.onBattery)
    return "the machine runs on its battery, which its owner keeps for other things";
  if (hot) return `the processor is hotter than the ${policy.maxCelsius} °C its owner allows`;
  return null;
}

/** Why nothing new may start, though what runs may go on. */
function closedBecause(policy: Policy, at: Circumstances, wasOpen: boolean): string | null {
  if (policy.slots === 0) return "the owner gives no slots";
  if (at.memFreeGiB !== null && at.memFreeGiB < policy.leaveFreeMemGiB) return memShortText(policy);
  if (at.diskShort !== null) return at.diskShort;
  const { idle } = policy;
  if (idle === null) return null;
  // OWNER-3, OWNER-1.
  if (at.idleness?.kind !== "idle") return unknownText(at.idleness);
  if (at.idleness.ms < idle.startMinutes * msPerMinute)
    return `the owner was here lately (${at.idleness.source}); new trials start after ${minutes(idle.startMinutes)} without input`;
  // Once open, a short peak of others changes nothing; a long one suspends.
  if (!wasOpen && at.othersLoad === null) return "how busy others keep the processors is not known yet";
  if (!wasOpen && at.othersLoad !== null && at.othersLoad > idle.loadMax)
    return `others keep the processors busy; new trials start when they use at most ${percent(idle.loadMax)}`;
  return null;
}

function isHot({ maxCelsius }: Policy, wasHot: boolean, celsius: number | null): boolean {
  if (maxCelsius === null || celsius === null) return false;
  return celsius > (wasHot ? maxCelsius - coolingCelsius : maxCelsius);
}

function unknownText(idleness: Extract<Idleness, { kind: "unknown" }> | null): string {
  if (idleness === null) return "nobody has been asked yet whether the owner is away";
  return `nobody knows whether the owner is away: ${idleness.why}`;
}

function memShortText({ leaveFreeMemGiB }: Policy): string {
  return `less memory is free than the ${leaveFreeMemGiB} GiB the owner wants left`;
}

function minutes(count: number): string {
  return count === 1 ? "1 minute" : `${count} minutes`;
}
