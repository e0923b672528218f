/** PREDICT-1: the transformation of a dataset version, opened: in plain JavaScript where its steps are plain, else by DuckDB. */
import type { Engine } from "../../data/engine/sql-engine.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { plainTransform } from "./plain-transform.ts";
import { openTransformEngine, sqlTransform } from "./sql-transform.ts";
import { outputOf, transformPlan, type TransformOutput } from "./transform-plan.ts";
import type { Transform } from "./transform.ts";

export function openTransform(manifest: Manifest): Promise<Outcome<Transform>> {
  return opened(manifest, outputOf(manifest));
}

/**
 * What the plan makes of the label, as a text, or of the target, as a number: for who compares an answer with the truth. A row
 * without it is unfit.
 */
export function openTargetTransform(
  manifest: Manifest,
  column: string,
  isLabel: boolean,
): Promise<Outcome<Transform>> {
  const bare = { kind: "numeric", column, scale: "none", fill: Number.NaN, offset: 0, factor: 1 } as const;
  return opened(manifest, isLabel ? { kind: "text", column } : { kind: "table", features: [bare] });
}

async function opened(manifest: Manifest, output: TransformOutput): Promise<Outcome<Transform>> {
  let own: Promise<Engine> | null = null;
  const engine = () => (own ??= openTransformEngine());
  const plan = await transformPlan(manifest, output, engine);
  const plain = plainTransform(plan, async () => sqlTransform(await openTransformEngine(), plan));
  if (plain === null) return sqlTransform(await engine(), plan);
  return accept(plain);
}
