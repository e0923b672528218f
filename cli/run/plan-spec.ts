/** A plan of a sweep file as a whole `SweepSpec`, for a question about it: its dataset is read here and sent nowhere. */
import { loadDataset, type DatasetDeclaration } from "../../data/load.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { DatasetRef, SweepSpec } from "../../protocol/sweep.ts";
import type { SweepPlan } from "../sweep-file/read-sweep-file.ts";
import { datasetRefOf } from "./dataset-ref.ts";

export async function planSpec(plan: SweepPlan, read = readDatasetRef): Promise<Outcome<SweepSpec>> {
  if (plan.dataset === null) return accept(plan.spec(null));
  const ref = await read(plan.dataset);
  return ref.ok ? accept(plan.spec(ref.value)) : ref;
}

export async function readDatasetRef(declaration: DatasetDeclaration): Promise<Outcome<DatasetRef>> {
  const loaded = await loadDataset(declaration);
  return loaded.ok ? accept(datasetRefOf(loaded.value.dataset).ref) : loaded;
}
