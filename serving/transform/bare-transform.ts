/** What a model takes whose dataset is not known: a text as it is, or its features as numbers, none of which may be missing. */
import type { FrozenFeature } from "../../data/manifest/feature.ts";
import { sqlTypes } from "../../data/engine/sql.ts";
import type { TablePredictor, TextPredictor } from "../../training/task/task.ts";
import { plainTransform } from "./plain-transform.ts";
import { sqlTransform, openTransformEngine } from "./sql-transform.ts";
import type { TransformPlan } from "./transform-plan.ts";
import type { Transform } from "./transform.ts";

const missing = { isMissing: (value: unknown): value is null => value === null };

export function bareTransform(predictor: TextPredictor | TablePredictor): Transform {
  const plan = predictor.kind === "text" ? textPlan : tablePlan(predictor.features);
  const plain = plainTransform(plan, async () => sqlTransform(await openTransformEngine(), plan));
  if (plain === null) throw new Error("a plan without steps is plain");
  return plain;
}

const textPlan: TransformPlan = {
  name: "the dataset",
  inputs: [{ name: "text", type: sqlTypes.text }],
  steps: [],
  output: { kind: "text", column: "text" },
  missing,
};

function tablePlan(names: readonly string[]): TransformPlan {
  return {
    name: "the dataset",
    inputs: names.map((name) => ({ name, type: sqlTypes.number })),
    steps: [],
    output: { kind: "table", features: names.map(plainFeature) },
    missing,
  };
}

function plainFeature(column: string): FrozenFeature {
  return { kind: "numeric", column, scale: "none", fill: Number.NaN, offset: 0, factor: 1 };
}
