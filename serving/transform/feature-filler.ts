/** Frozen features of one row of cells, giving what `featureColumns` gives in SQL. */
import { numberMost } from "../../data/plan/column-number.ts";
import { namesOf, type FrozenFeature } from "../../data/manifest/feature.ts";
import type { Cell } from "./cast-cell.ts";
import type { Slots } from "./plain-step.ts";
import { singlePrecision } from "./single-precision.ts";

/** Puts the numbers of a feature at `at`, where there are zeros; false where one is larger than a feature may be. */
export type FillFeature = (cells: readonly Cell[], features: Float32Array, at: number) => boolean;

export interface FeatureFiller {
  readonly column: string;
  /** From the first of the row. */
  readonly offset: number;
  readonly fill: FillFeature;
}

/** Null where a column has no plain cells. */
export function featureFillers(
  features: readonly FrozenFeature[],
  slots: Slots,
): readonly FeatureFiller[] | null {
  const fillers: FeatureFiller[] = [];
  let offset = 0;
  for (const feature of features) {
    const fill = fillerOf(feature, slots);
    if (fill === null) return null;
    fillers.push({ column: feature.column, offset, fill });
    offset += namesOf(feature).length;
  }
  return fillers;
}

function fillerOf(feature: FrozenFeature, slots: Slots): FillFeature | null {
  const slot = slots.get(feature.column);
  if (slot === undefined || slot.type === (feature.kind === "categories" ? "number" : "text")) return null;
  const from = slot.at;
  switch (feature.kind) {
    case "numeric": {
      const { factor, fill, offset } = feature;
      return (cells, features, at) => {
        const cell = finite(cells[from]) ?? fill;
        const value = (cell - offset) * factor;
        features[at] = singlePrecision(value);
        return Math.abs(cell) <= numberMost && Math.abs(value) <= numberMost;
      };
    }
    case "categories": {
      const places = new Map(feature.values.map((value, at) => [value, at]));
      const other = feature.values.length;
      return (cells, features, at) => {
        const cell = cells[from] ?? null;
        features[at + (cell === null ? other : (places.get(String(cell)) ?? other))] = 1;
        return true;
      };
    }
    case "buckets": {
      const { bounds, fill } = feature;
      return (cells, features, at) => {
        const cell = finite(cells[from]) ?? fill;
        let bucket = 0;
        while (bucket < bounds.length && cell > (bounds[bucket] ?? 0)) bucket++;
        features[at + bucket] = 1;
        return Math.abs(cell) <= numberMost;
      };
    }
    default:
      return feature satisfies never;
  }
}

function finite(cell: Cell | undefined): number | null {
  if (typeof cell === "boolean") return cell ? 1 : 0;
  return typeof cell === "number" && Number.isFinite(cell) ? cell : null;
}
