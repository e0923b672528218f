/** The transformation of a dataset version, opened: in plain JavaScript where its steps are plain, else by DuckDB. */
import type { Engine } from "../../data/engine/sql-engine.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { plainTransform } from "./plain-transform.ts";
import { openTransformEngine, sqlTransform } from "./sql-transform.ts";
import { transformPlan } from "./transform-plan.ts";
import type { Transform } from "./transform.ts";

export async function openTransform(manifest: Manifest): Promise<Outcome<Transform>> {
  let opened: Promise<Engine> | null = null;
  const engine = () => (opened ??= openTransformEngine());
  const plan = await transformPlan(manifest, engine);
  const plain = plainTransform(plan, async () => sqlTransform(await openTransformEngine(), plan));
  if (plain === null) return sqlTransform(await engine(), plan);
  return accept(plain);
}
