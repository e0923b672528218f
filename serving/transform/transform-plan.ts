/**
 * What a dataset version says about how its rows are made of rows as they come, read from its manifest: the columns that are
 * needed, the steps, and what comes out. A version of before the columns were kept tells less, and the rest is taken from
 * its features.
 */
import { expressionColumns } from "../../data/plan/check-expression.ts";
import type { Column, RowStep } from "../../data/plan/compile-step.ts";
import type { Engine } from "../../data/engine/sql-engine.ts";
import { sqlTypes } from "../../data/engine/sql.ts";
import type { FrozenFeature } from "../../data/manifest/feature.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { missingValues, type MissingValues } from "./missing-value.ts";
import { neededSteps } from "./needed-step.ts";

export type TransformOutput =
  | { readonly kind: "text"; readonly column: string }
  | { readonly kind: "table"; readonly features: readonly FrozenFeature[] };

export interface TransformPlan {
  /** Of the dataset. */
  readonly name: string;
  readonly inputs: readonly Column[];
  readonly steps: readonly RowStep[];
  readonly output: TransformOutput;
  readonly missing: MissingValues;
}

/** What a model reads. */
export function outputOf({ declaration: { form }, features }: Manifest): TransformOutput {
  return form.kind === "text"
    ? { kind: "text", column: form.text }
    : { kind: "table", features: features ?? [] };
}

/** `engine` opens DuckDB, which only a plan with expressions needs here. */
export async function transformPlan(
  manifest: Manifest,
  output: TransformOutput,
  engine: () => Promise<Engine>,
): Promise<TransformPlan> {
  const { declaration, name } = manifest;
  const { plan } = declaration;
  const outputs = output.kind === "text" ? [output.column] : output.features.map(({ column }) => column);
  const { inputs, steps } = await neededSteps({
    plan,
    outputs,
    inputOf: (column) => inputOf(manifest, column),
    columnsOf: async (expression) => expressionColumns(await engine(), expression),
  });
  return { name, inputs, steps, output, missing: missingValues(declaration) };
}

function inputOf(manifest: Manifest, wanted: string): Column {
  const lower = wanted.toLowerCase();
  const isIt = ({ name }: { readonly name: string }) => name.toLowerCase() === lower;
  const known = manifest.inputs?.find(isIt);
  if (known !== undefined) return known;
  const raw = manifest.raw?.find(isIt);
  if (raw !== undefined) return raw;
  for (const source of manifest.declaration.sources) {
    const stated = "types" in source ? Object.entries(source.types) : [];
    const type = stated.find(([name]) => name.toLowerCase() === lower)?.[1];
    if (type !== undefined) return { name: wanted, type: sqlTypes[type] };
  }
  const feature = manifest.features?.find(({ column }) => column.toLowerCase() === lower);
  const isNumber = feature !== undefined && feature.kind !== "categories";
  return { name: wanted, type: isNumber ? sqlTypes.number : sqlTypes.text };
}
