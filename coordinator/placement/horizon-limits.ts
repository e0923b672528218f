/**
 * How long a lease of a trial is at least and at most.
 *
 * LEASE-8: a horizon that has proved too short for a trial to keep anything is not given to it again.
 * LEASE-12: what is left of a budget is no obstacle to a trial that needs less of it: where it is known what trials like this one
 * take, a start asks for that and a little, and no more.
 */
import type { HorizonLimits } from "../budget/ledger.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { State, Sweep, Trial } from "../state/state.ts";
import { expectedMs } from "./expected-work.ts";

/** Others took so much; this one may take longer. Where it takes longer than this it is paused, and the next start asks for more (LEASE-8). */
const needMargin = 1.5;
/** An offer, a program's start and the first word of it take their time too, however short the work is. */
const shortestMs = 500;

/**
 * DEPLOY-15: a replica is paid for so many leases in advance, so that it answers on while nobody leads: what stops with its prepaid time is
 * no trial that goes on from its checkpoint, but answers that somebody waits for.
 */
const replicaLeases = 8;

/** What a sweep's attempts are paid for in advance where there is plenty, ms. */
export function leaseOf({ deployment }: Sweep, { leaseMs }: CoordinatorSettings): number {
  return deployment === undefined ? leaseMs : replicaLeases * leaseMs;
}

/** `trial`: null for one that is not yet proposed; `rate`: tokens/s. */
export function limitsFor(
  state: State,
  sweep: Sweep,
  { model, rate, trial }: { readonly model: string; readonly rate: number; readonly trial: Trial | null },
  settings: CoordinatorSettings,
): HorizonLimits {
  const { horizonMinMs } = settings;
  const leaseMs = leaseOf(sweep, settings);
  const units = trial === null ? 1 : trial.target - (trial.checkpoint?.resource ?? 0);
  const needMs = expectedMs(state, sweep, model, { rate, units });
  const enoughMs = needMs === null ? horizonMinMs : Math.max(shortestMs, Math.ceil(needMargin * needMs));
  const leastMs = Math.max(Math.min(horizonMinMs, enoughMs), trial?.leastMs ?? 0);
  return { leaseMs, horizonMinMs: Math.min(leaseMs, leastMs) };
}
