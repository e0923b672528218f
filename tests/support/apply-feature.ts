/** Frozen features applied to one row of raw values, written apart from the SQL that applies them to a dataset. */
import type { FrozenFeature } from "../../data/manifest/feature.ts";

/** One row of raw values as the numbers a model was trained on, in single precision like those. */
export function applyFeatures(
  features: readonly FrozenFeature[],
  row: Readonly<Record<string, unknown>>,
): Float32Array {
  return Float32Array.from(features.flatMap((feature) => apply(feature, row[feature.column])));
}

function apply(feature: FrozenFeature, value: unknown): number[] {
  switch (feature.kind) {
    case "numeric":
      return [(numberOr(value, feature.fill) - feature.offset) * feature.factor];
    case "categories": {
      const found = feature.values.findIndex((known) => isCategory(known, value));
      const at = found === -1 ? feature.values.length : found;
      return Array.from({ length: feature.values.length + 1 }, (_, index) => Number(index === at));
    }
    case "buckets": {
      const number = numberOr(value, feature.fill);
      const found = feature.bounds.findIndex((bound) => number <= bound);
      const at = found === -1 ? feature.bounds.length : found;
      return Array.from({ length: feature.bounds.length + 1 }, (_, index) => Number(index === at));
    }
  }
}

function numberOr(value: unknown, fill: number): number {
  if (typeof value === "boolean") return Number(value);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : fill;
}

/** A number is the same however it is written: 1 and 1.0. */
function isCategory(known: string, value: unknown): boolean {
  if (typeof value === "number") return Number(known) === value;
  return typeof value === "boolean" ? known === String(value) : known === value;
}
