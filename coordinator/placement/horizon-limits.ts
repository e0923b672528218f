/**
 * How long a lease of a trial is at least and at most.
 *
 * LEASE-8: a horizon that has proved too short for a trial to keep anything is not given to it again.
 */
import type { HorizonLimits } from "../budget/ledger.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { Trial } from "../state/state.ts";

export function limitsFor(
  trial: Pick<Trial, "leastMs"> | null,
  { horizonMinMs, leaseMs }: CoordinatorSettings,
): HorizonLimits {
  return { leaseMs, horizonMinMs: Math.min(leaseMs, Math.max(horizonMinMs, trial?.leastMs ?? 0)) };
}
