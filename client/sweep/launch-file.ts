/** Submits every sweep of a file, its data and programs brought to the mesh before. Not followed: that is `client/follow`. */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { SweepPlan } from "../../spec/sweep/read-sweep-file.ts";
import { submitSweep } from "../follow/submit-sweep.ts";
import { preparePlan, type PrepareOptions } from "./prepare-sweep.ts";

export interface LaunchOptions extends PrepareOptions {
  /** What `planSweep` read: one for each sweep of the file, at least one. */
  readonly plans: readonly SweepPlan[];
}

/** Ids in the file's order, at least one. Where one is refused, `progress` hears which run already. */
export async function launchFile(options: LaunchOptions): Promise<Outcome<readonly [string, ...string[]]>> {
  const { connected, plans, progress } = options;
  const specs: SweepSpec[] = [];
  for (const plan of plans) {
    const spec = await preparePlan(plan, options);
    if (!spec.ok) return spec;
    specs.push(spec.value);
  }
  const sweeps: string[] = [];
  for (const spec of specs) {
    const submitted = await submitSweep(connected.client, spec, progress);
    if (!submitted.ok) {
      if (sweeps.length > 0) progress(`trialmesh: ${sweeps.join(", ")} of the same file are running`);
      return submitted;
    }
    sweeps.push(submitted.value.sweep);
  }
  const [first, ...rest] = sweeps;
  if (first === undefined) throw new Error("broken invariant: a sweep file without a sweep");
  return accept([first, ...rest]);
}
