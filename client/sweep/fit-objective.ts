/**
 * A table's target decides what its models are judged by: labels by accuracy, a number by its error. What the sweep file
 * leaves open is filled in, and an objective that the data cannot give is refused.
 */
import { metricsOfTable, tabular } from "../../training/tabular/table-task.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { ResolvedDataset } from "../dataset/resolve-dataset.ts";
import { usualGoal } from "../../spec/sweep/read-sweep-file.ts";

export function fitObjective(
  spec: SweepSpec,
  isGiven: boolean,
  { kind, labels, ref }: Pick<ResolvedDataset, "kind" | "labels" | "ref">,
): Outcome<SweepSpec> {
  if (spec.task !== tabular || kind === "text") return accept(spec);
  const metrics = metricsOfTable({ labels });
  const [usual] = metrics;
  if (!isGiven && usual !== undefined)
    return accept({ ...spec, objective: { metric: usual, goal: usualGoal(usual) } });
  const strange = [spec.objective, ...spec.alsoObjectives].find(({ metric }) => !metrics.includes(metric));
  if (strange === undefined) return accept(spec);
  const target = labels === null ? "a number to predict" : "labels to tell apart";
  return refuse(
    "invalid",
    `field objective.metric: ${ref.name} has ${target}, which gives no "${strange.metric}", ${suggestion(strange.metric, metrics)}`,
  );
}
