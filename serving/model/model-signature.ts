/** What a model takes and gives, from its transformation and what it was trained on. */
import type { Manifest } from "../../data/manifest/manifest.ts";
import type { Column } from "../../data/plan/compile-step.ts";
import type { TablePredictor, TextPredictor } from "../../training/task/task.ts";
import { typeOfColumn } from "../transform/input-type.ts";
import type { Transform } from "../transform/transform.ts";
import type { InputColumn, Signature } from "./served-model.ts";

export function signatureOf(
  { inputs }: Transform,
  predictor: TextPredictor | TablePredictor,
  manifest: Manifest | null,
  target: string,
): Signature {
  // A text may be put together of several columns, of which one is enough; a feature that is missing is filled in.
  const optional = predictor.kind === "text" ? inputs.length > 1 : manifest !== null;
  const categories = new Set(
    (manifest?.features ?? []).flatMap(({ column, kind }) => (kind === "categories" ? [column] : [])),
  );
  return {
    inputs: inputs.map((column) => ({ name: column.name, kind: kindOf(column, categories), optional })),
    labels: predictor.labels,
    target,
  };
}

function kindOf(column: Column, categories: ReadonlySet<string>): InputColumn["kind"] {
  switch (typeOfColumn(column)) {
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "category";
    default:
      return categories.has(column.name) ? "category" : "text";
  }
}
