/** A plan of a sweep file as a whole `SweepSpec`, for a question about it: its dataset is read or built here and sent nowhere. */
import type { MeshClient } from "../../protocol/client.ts";
import type { DatasetRef } from "../../protocol/dataset.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { resolveDataset } from "../dataset/resolve-dataset.ts";
import type { WantedDataset } from "../../spec/sweep/read-dataset.ts";
import type { SweepPlan } from "../../spec/sweep/read-sweep-file.ts";
import type { Environment } from "../../system/environment.ts";

export type ReadDatasetRef = (wanted: WantedDataset) => Promise<Outcome<DatasetRef>>;

export async function planSpec(plan: SweepPlan, read: ReadDatasetRef): Promise<Outcome<SweepSpec>> {
  if (plan.dataset === null) return accept(plan.spec(null));
  const ref = await read(plan.dataset);
  return ref.ok ? accept(plan.spec(ref.value)) : ref;
}

/** Asks the mesh for what is on record there, and builds the rest here. */
export function datasetRefReader(client: MeshClient | null, environment: Environment): ReadDatasetRef {
  return async (wanted) => {
    const resolved = await resolveDataset(client, wanted, environment, () => undefined);
    return resolved.ok ? accept(resolved.value.ref) : resolved;
  };
}
