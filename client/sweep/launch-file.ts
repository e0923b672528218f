/** Submits every sweep of a file, its data and programs brought to the mesh before. Not followed: that is `client/follow`. */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { submitSweep } from "../follow/submit-sweep.ts";
import { prepareSweeps, type PrepareOptions } from "./prepare-sweep.ts";

/** Ids in the file's order, at least one. Where one is refused, `progress` hears which run already. */
export async function launchFile(options: PrepareOptions): Promise<Outcome<readonly [string, ...string[]]>> {
  const { connected, progress } = options;
  const specs = await prepareSweeps(options);
  if (!specs.ok) return specs;
  const sweeps: string[] = [];
  for (const spec of specs.value) {
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
