/**
 * TRIALMESH_LEASE_MS: a shorter lease, so that tests need not wait for the one people use. Every
 * candidate of a mesh must be given the same.
 */
import { defaultSettings } from "../../coordinator/state/setting.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Environment } from "../../system/environment.ts";

const leaseMsMin = 500;
const leaseMsMax = 3_600_000;

export function leaseMsOf(environment: Environment): Outcome<number> {
  const given = environment["TRIALMESH_LEASE_MS"];
  if (given === undefined || given === "") return accept(defaultSettings.leaseMs);
  const value = Number(given);
  if (Number.isInteger(value) && value >= leaseMsMin && value <= leaseMsMax) return accept(value);
  return refuse(
    "invalid",
    `TRIALMESH_LEASE_MS is "${given}"; it should be a whole number of milliseconds from ${leaseMsMin} to ${leaseMsMax}`,
  );
}
