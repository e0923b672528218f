/** Explains the linear model of tables: each feature adds its own, and a number is explained in its own unit. */
import type { Checkpoint } from "../../training/task/checkpoint.ts";
import { tableShapeFrom } from "../../training/tabular/table-model.ts";
import { scaled } from "../../training/tabular/scale.ts";
import { explanationOf, type Explainer } from "./explanation.ts";

/** Null where the model is none that adds up features. */
export function tableExplainer(checkpoint: Checkpoint): Explainer | null {
  const { meta, tensors } = checkpoint;
  const shape = tableShapeFrom(checkpoint);
  const weights = tensors.get("weights")?.data;
  const bias = tensors.get("bias")?.data;
  if (meta.model !== "linear" || !shape.ok || weights === undefined || bias === undefined) return null;
  const { features, labels, scale } = shape.value;
  const width = features.length;
  const outputs = labels === null ? 1 : labels.length;
  const [unit, zero] = labels === null ? [scale.targetDeviation, scale.targetMean] : [1, 0];
  return {
    explain: (rows, row, output) => {
      if (rows.kind !== "table") throw new Error("a model of tables explains no text");
      const own = scaled(scale, rows.features.subarray(row * width, (row + 1) * width));
      const sums = new Map<string, number>();
      for (const [at, name] of features.entries()) {
        const contribution = unit * (own[at] ?? 0) * (weights[at * outputs + output] ?? 0);
        if (contribution !== 0) sums.set(name, contribution);
      }
      return explanationOf(zero + unit * (bias[output] ?? 0), sums);
    },
  };
}
